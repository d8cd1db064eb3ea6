//! What the bot remembers, on both databases.

use std::{collections::BTreeSet, time::Duration};

use rca_agent::bot::store::{Beat, CaseState, Change, Class, Limits, NewJob, Outcome, Post, Store};
use rca_agent::bot::{person::Place, work::Work};
use serde_json::json;

use super::stores::{
    LEASE, LIMITS, at, case, claim, databases, follow, handle, investigate, person, place, said,
};

async fn end(store: &Store, lease: &rca_agent::bot::store::Lease, outcome: Outcome, seconds: i64) -> bool {
    store.finish(lease, &outcome, &[], at(seconds)).await.unwrap()
}

fn again(seconds: u64) -> Outcome {
    Outcome::Again {
        after: Duration::from_secs(seconds),
        why: "Slack is away".to_owned(),
    }
}

#[tokio::test]
async fn a_key_is_enqueued_once_also_when_its_job_is_done() {
    for database in databases().await {
        let store = &database.store;
        store.ping().await.unwrap();
        let here = place("C1", "1.0");
        assert!(store.enqueue(&handle("a", &here), at(0)).await.unwrap());
        assert!(!store.enqueue(&handle("a", &here), at(1)).await.unwrap());
        let lease = claim(store, "w", Class::Small, at(2)).await.unwrap();
        assert_eq!((lease.key.as_str(), lease.attempts), ("a", 1));
        assert_eq!(lease.work, said("a"));
        assert!(!store.enqueue(&handle("a", &here), at(3)).await.unwrap());
        assert!(end(store, &lease, Outcome::Done, 4).await);
        assert!(!store.enqueue(&handle("a", &here), at(5)).await.unwrap());
        assert_eq!(claim(store, "w", Class::Small, at(6)).await, None);
        // Another process finds all of it.
        assert!(
            !database
                .again()
                .await
                .enqueue(&handle("a", &here), at(7))
                .await
                .unwrap()
        );
    }
}

#[tokio::test]
async fn what_is_said_in_a_thread_is_handled_in_order_and_threads_do_not_wait_for_each_other() {
    for database in databases().await {
        let store = &database.store;
        let (here, there) = (place("C1", "1.0"), place("C1", "2.0"));
        for (second, job) in [handle("a", &here), handle("b", &here), handle("c", &there)]
            .iter()
            .enumerate()
        {
            let second = i64::try_from(second).unwrap();
            assert!(store.enqueue(job, at(second)).await.unwrap());
        }
        let first = claim(store, "w1", Class::Small, at(10)).await.unwrap();
        let other = claim(store, "w2", Class::Small, at(10)).await.unwrap();
        assert_eq!((first.key.as_str(), other.key.as_str()), ("a", "c"));
        assert_eq!(
            claim(store, "w2", Class::Small, at(10)).await,
            None,
            "b waits for a"
        );
        // An attempt that failed keeps its place in the thread.
        assert!(end(store, &first, again(30), 11).await);
        assert_eq!(
            claim(store, "w2", Class::Small, at(12)).await,
            None,
            "b still waits for a"
        );
        let first = claim(store, "w1", Class::Small, at(41)).await.unwrap();
        assert_eq!((first.key.as_str(), first.attempts), ("a", 2));
        assert!(end(store, &first, Outcome::Done, 42).await);
        assert_eq!(claim(store, "w2", Class::Small, at(42)).await.unwrap().key, "b");
    }
}

#[tokio::test]
async fn work_for_later_holds_up_nobody_and_an_answer_in_time_comes_before_it() {
    for database in databases().await {
        let store = &database.store;
        let here = place("C1", "1.0");
        let assume = Work::Assume {
            place: here.clone(),
            question: "q".to_owned(),
        };
        let later = NewJob::new("assume", assume).at(&here).not_before(Some(at(100)));
        store.enqueue(&later, at(0)).await.unwrap();
        store.enqueue(&handle("said", &here), at(5)).await.unwrap();
        let lease = claim(store, "w", Class::Small, at(6)).await.unwrap();
        assert_eq!(lease.key, "said");
        assert!(end(store, &lease, Outcome::Done, 7).await);
        assert_eq!(claim(store, "w", Class::Small, at(99)).await, None);
        // Said before the assumption was due, found after.
        store.enqueue(&handle("answer", &here), at(99)).await.unwrap();
        let lease = claim(store, "w", Class::Small, at(101)).await.unwrap();
        assert_eq!(lease.key, "answer");
        assert!(end(store, &lease, Outcome::Done, 102).await);
        assert_eq!(
            claim(store, "w", Class::Small, at(103)).await.unwrap().key,
            "assume"
        );
    }
}

#[tokio::test]
async fn an_investigation_does_not_hold_up_its_thread() {
    for database in databases().await {
        let store = &database.store;
        let here = place("C1", "1.0");
        store
            .enqueue(&investigate("i", "case", &here), at(0))
            .await
            .unwrap();
        store.enqueue(&follow("f", "case", &here), at(1)).await.unwrap();
        store.enqueue(&handle("stop", &here), at(2)).await.unwrap();
        assert_eq!(claim(store, "w", Class::Long, at(3)).await.unwrap().key, "i");
        assert_eq!(claim(store, "w", Class::Small, at(3)).await.unwrap().key, "stop");
        assert_eq!(claim(store, "w", Class::Long, at(3)).await.unwrap().key, "f");
        let depth = store.depth().await.unwrap();
        assert_eq!(
            depth
                .iter()
                .map(|(_, waiting, running)| (*waiting, *running))
                .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
            (0, 3)
        );
    }
}

#[tokio::test]
async fn channels_have_their_turn_and_teams_their_limit() {
    for database in databases().await {
        let store = &database.store;
        for n in 0..4 {
            let busy = place("C1", &format!("{n}.0"));
            store
                .enqueue(&investigate(&format!("busy{n}"), &format!("b{n}"), &busy), at(n))
                .await
                .unwrap();
        }
        store
            .enqueue(&investigate("quiet", "q", &place("C2", "9.0")), at(10))
            .await
            .unwrap();
        let elsewhere = Place {
            team: "T2".to_owned(),
            ..place("C3", "9.0")
        };
        store
            .enqueue(&investigate("elsewhere", "e", &elsewhere), at(11))
            .await
            .unwrap();
        let limits = Limits {
            per_team: 3,
            per_lane: 2,
        };
        let mut order = Vec::new();
        let mut leases = Vec::new();
        while let Some(lease) = store
            .claim("w", Class::Long, LEASE, limits, at(20))
            .await
            .unwrap()
        {
            order.push(lease.key.clone());
            leases.push(lease);
        }
        assert_eq!(order, ["busy0", "quiet", "elsewhere", "busy1"]);
        assert!(end(store, &leases[1], Outcome::Done, 21).await);
        // The team has room for one, the channel has not.
        assert_eq!(
            store
                .claim("w", Class::Long, LEASE, limits, at(22))
                .await
                .unwrap(),
            None
        );
        assert!(end(store, &leases[0], Outcome::Done, 23).await);
        assert_eq!(
            store
                .claim("w", Class::Long, LEASE, limits, at(24))
                .await
                .unwrap()
                .unwrap()
                .key,
            "busy2"
        );
    }
}

#[tokio::test]
async fn a_lease_that_ran_out_goes_to_another_and_the_late_one_writes_nothing() {
    for database in databases().await {
        let store = &database.store;
        let here = place("C1", "1.0");
        store
            .enqueue(&investigate("i", "case", &here), at(0))
            .await
            .unwrap();
        let late = claim(store, "w1", Class::Long, at(0)).await.unwrap();
        assert_eq!(store.beat(&late, LEASE, at(30)).await.unwrap(), Beat::Held);
        assert_eq!(
            claim(store, "w2", Class::Long, at(80)).await,
            None,
            "the beat counts"
        );
        store
            .ship(&late, "case", "journal.jsonl", 0, b"one\n")
            .await
            .unwrap();
        let next = claim(store, "w2", Class::Long, at(91)).await.unwrap();
        assert_eq!((next.key.as_str(), next.attempts), ("i", 2));
        assert!(next.fence > late.fence);
        assert_eq!(store.beat(&late, LEASE, at(92)).await.unwrap(), Beat::Lost);
        let thread = Change::Thread {
            place: here.clone(),
            state: json!("late"),
        };
        assert!(
            !store
                .finish(&late, &Outcome::Done, &[thread], at(92))
                .await
                .unwrap()
        );
        assert_eq!(store.thread(&here).await.unwrap().0, None);
        // What is shipped without a lease is not kept.
        let _ = store.ship(&late, "case", "journal.jsonl", 4, b"late\n").await;
        assert_eq!(
            store.files("case").await.unwrap(),
            [("journal.jsonl".to_owned(), b"one\n".to_vec())]
        );
        assert_eq!(store.beat(&next, LEASE, at(93)).await.unwrap(), Beat::Held);
        let thread = Change::Thread {
            place: here.clone(),
            state: json!({ "asked": 1 }),
        };
        let more = Change::Enqueue(Box::new(follow("f", "case", &here)));
        assert!(
            store
                .finish(&next, &Outcome::Done, &[thread, more], at(94))
                .await
                .unwrap()
        );
        assert!(
            !store.finish(&next, &Outcome::Done, &[], at(95)).await.unwrap(),
            "once"
        );
        assert_eq!(store.thread(&here).await.unwrap().0, Some(json!({ "asked": 1 })));
        assert_eq!(claim(store, "w2", Class::Long, at(96)).await.unwrap().key, "f");
    }
}

#[tokio::test]
async fn what_is_put_back_goes_on_at_once_and_was_no_attempt() {
    for database in databases().await {
        let store = &database.store;
        store
            .enqueue(&handle("a", &place("C1", "1.0")), at(0))
            .await
            .unwrap();
        let lease = claim(store, "w1", Class::Small, at(0)).await.unwrap();
        assert!(end(store, &lease, Outcome::Released, 1).await);
        let lease = claim(store, "w2", Class::Small, at(1)).await.unwrap();
        assert_eq!(lease.attempts, 1);
        assert!(end(store, &lease, again(5), 2).await);
        assert_eq!(claim(store, "w2", Class::Small, at(6)).await, None);
        let lease = claim(store, "w2", Class::Small, at(7)).await.unwrap();
        assert_eq!(lease.attempts, 2);
        let why = "no such channel".to_owned();
        assert!(end(store, &lease, Outcome::Failed { why }, 8).await);
        assert_eq!(claim(store, "w2", Class::Small, at(1000)).await, None);
    }
}

/// In a rolling update both versions take work out of one database.
#[tokio::test]
async fn work_of_a_newer_version_waits_for_one_that_knows_it() {
    for database in databases().await {
        let store = &database.store;
        for key in ["newer", "known"] {
            let job = handle(key, &place("C1", key));
            store.enqueue(&job, at(0)).await.unwrap();
        }
        let known = database.rewrite("newer", r#"{"work":"of tomorrow"}"#).await;
        // The old version puts it aside and goes on with what it knows.
        assert_eq!(claim(store, "old", Class::Small, at(0)).await, None);
        let other = claim(store, "old", Class::Small, at(0)).await.unwrap();
        assert_eq!(other.key, "known");
        assert!(end(store, &other, Outcome::Done, 1).await);
        assert_eq!(claim(store, "old", Class::Small, at(29)).await, None);
        // The new one takes it up, and it was no attempt.
        database.rewrite("newer", &known).await;
        let lease = claim(store, "new", Class::Small, at(31)).await.unwrap();
        assert_eq!((lease.key.as_str(), lease.attempts), ("newer", 1));
        assert!(end(store, &lease, Outcome::Done, 32).await);
        // Nobody will ever know it.
        store
            .enqueue(&handle("spoiled", &place("C1", "3.0")), at(40))
            .await
            .unwrap();
        database.rewrite("spoiled", "{").await;
        assert_eq!(claim(store, "new", Class::Small, at(41)).await, None);
        assert_eq!(store.job("spoiled").await.unwrap().unwrap().0, "waiting");
        assert_eq!(claim(store, "new", Class::Small, at(41 + 16 * 60)).await, None);
        assert_eq!(store.job("spoiled").await.unwrap().unwrap().0, "failed");
    }
}

/// PostgreSQL keeps no NUL in a text.
#[tokio::test]
async fn what_a_server_said_is_kept_without_what_a_database_refuses() {
    for database in databases().await {
        let store = &database.store;
        store
            .enqueue(&handle("a", &place("C1", "1.0")), at(0))
            .await
            .unwrap();
        let lease = claim(store, "w", Class::Small, at(0)).await.unwrap();
        let why = "it said \0 nothing".to_owned();
        assert!(end(store, &lease, Outcome::Failed { why }, 1).await);
    }
}

#[tokio::test]
async fn a_case_is_stopped_before_it_runs_or_while_it_does() {
    for database in databases().await {
        let store = &database.store;
        let (here, there) = (place("C1", "1.0"), place("C1", "2.0"));
        store.enqueue(&handle("asked", &here), at(0)).await.unwrap();
        let lease = claim(store, "w", Class::Small, at(0)).await.unwrap();
        let changes = [
            Change::Case(Box::new(case("one", &here, "i1"))),
            Change::Enqueue(Box::new(investigate("i1", "one", &here))),
            Change::Case(Box::new(case("two", &there, "i2"))),
            Change::Enqueue(Box::new(investigate("i2", "two", &there))),
        ];
        assert!(
            store
                .finish(&lease, &Outcome::Done, &changes, at(1))
                .await
                .unwrap()
        );
        assert_eq!(store.thread(&here).await.unwrap().1.unwrap().case.id, "one");
        let running = claim(store, "w", Class::Long, at(2)).await.unwrap();
        assert_eq!(
            store.case("one").await.unwrap().unwrap().state,
            CaseState::Running
        );
        assert_eq!(
            store.case("two").await.unwrap().unwrap().state,
            CaseState::Waiting
        );
        assert!(store.stop("two", "U2", at(3)).await.unwrap());
        let two = store.case("two").await.unwrap().unwrap();
        assert_eq!(
            (two.state, two.ended, two.stopped_by.as_deref()),
            (CaseState::Stopped, Some(at(3)), Some("U2"))
        );
        assert_eq!(claim(store, "w", Class::Long, at(4)).await, None);
        assert!(!store.stop("one", "U3", at(4)).await.unwrap());
        assert_eq!(
            store.beat(&running, LEASE, at(5)).await.unwrap(),
            Beat::Stopped("U3".to_owned())
        );
        let ended = Change::CaseEnded {
            case: "one".to_owned(),
            state: CaseState::Stopped,
            verdict: Some(json!({ "cause": "none" })),
        };
        assert!(
            store
                .finish(&running, &Outcome::Done, &[ended], at(6))
                .await
                .unwrap()
        );
        let one = store.case("one").await.unwrap().unwrap();
        assert_eq!(
            (one.state, one.verdict),
            (CaseState::Stopped, Some(json!({ "cause": "none" })))
        );
        assert!(!store.stop("one", "U3", at(7)).await.unwrap());
        assert!(!store.stop("nothing", "U3", at(7)).await.unwrap());
        assert_eq!(store.cases_of(&person("U1")).await.unwrap().len(), 2);
        assert_eq!(store.cases_of(&person("U2")).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_message_is_known_before_and_after_it_is_posted() {
    for database in databases().await {
        let store = &database.store;
        let here = place("C1", "1.0");
        assert_eq!(store.begin_post("k", &here, at(0)).await.unwrap(), Post::New);
        assert_eq!(store.begin_post("k", &here, at(1)).await.unwrap(), Post::Begun);
        assert_eq!(store.posted("k").await.unwrap(), None);
        store.undo_post("k").await.unwrap();
        assert_eq!(store.begin_post("k", &here, at(2)).await.unwrap(), Post::New);
        store.end_post("k", "17.1").await.unwrap();
        store.undo_post("k").await.unwrap();
        assert_eq!(
            store.begin_post("k", &here, at(3)).await.unwrap(),
            Post::Posted("17.1".to_owned())
        );
        assert_eq!(store.posted("k").await.unwrap(), Some((here, "17.1".to_owned())));
        let there = place("C1", "2.0");
        let both = tokio::join!(
            store.begin_post("two", &there, at(4)),
            store.begin_post("two", &there, at(4))
        );
        let new = [both.0.unwrap(), both.1.unwrap()]
            .iter()
            .filter(|post| **post == Post::New)
            .count();
        assert_eq!(new, 1, "of two at once, one is to post");
    }
}

#[tokio::test]
async fn the_last_word_of_a_person_counts() {
    for database in databases().await {
        let store = &database.store;
        store.feedback("one", &person("U1"), false, at(0)).await.unwrap();
        store.feedback("one", &person("U2"), true, at(1)).await.unwrap();
        store.feedback("one", &person("U1"), true, at(2)).await.unwrap();
        let given = store.feedback_given().await.unwrap();
        let said = |user: &str| ("one".to_owned(), user.to_owned(), true);
        assert_eq!(given, [said("U2"), said("U1")]);
    }
}

#[tokio::test]
async fn files_grow_piece_by_piece_and_only_under_the_lease() {
    for database in databases().await {
        let store = &database.store;
        store
            .enqueue(&investigate("i", "case", &place("C1", "1.0")), at(0))
            .await
            .unwrap();
        let lease = claim(store, "w", Class::Long, at(0)).await.unwrap();
        let journal = "journal.jsonl";
        let stored = || async { store.files("case").await.unwrap().remove(0).1 };
        store.ship(&lease, "case", journal, 0, b"one\ntw").await.unwrap();
        store.ship(&lease, "case", journal, 0, b"one\ntw").await.unwrap();
        assert_eq!(stored().await, b"one\ntw");
        store.ship(&lease, "case", journal, 6, b"o\n").await.unwrap();
        store
            .ship(&lease, "case", journal, 8, b"four\nfive\n")
            .await
            .unwrap();
        assert_eq!(stored().await, b"one\ntwo\nfour\nfive\n");
        store
            .ship(&lease, "case", "bodies/1", 0, &[0, 255])
            .await
            .unwrap();
        let lengths = store.shipped("case").await.unwrap();
        assert_eq!(
            lengths.iter().cloned().collect::<BTreeSet<_>>(),
            BTreeSet::from([("bodies/1".to_owned(), 2), (journal.to_owned(), 18),])
        );
        assert_eq!(store.files("case").await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn what_is_old_is_forgotten_and_what_is_at_work_is_not() {
    for database in databases().await {
        let store = &database.store;
        let here = place("C1", "1.0");
        store.enqueue(&handle("old", &here), at(0)).await.unwrap();
        let lease = claim(store, "w", Class::Small, at(0)).await.unwrap();
        let changes = [Change::Case(Box::new(case("c", &here, "i")))];
        assert!(
            store
                .finish(&lease, &Outcome::Done, &changes, at(1))
                .await
                .unwrap()
        );
        store.begin_post("p", &here, at(1)).await.unwrap();
        store.enqueue(&investigate("i", "c", &here), at(2)).await.unwrap();
        let lease = claim(store, "w", Class::Long, at(3)).await.unwrap();
        store.ship(&lease, "c", "journal.jsonl", 0, b"x").await.unwrap();
        store.sweep(at(1_000)).await.unwrap();
        assert!(
            store.enqueue(&handle("old", &here), at(2_000)).await.unwrap(),
            "forgotten"
        );
        assert!(
            !store
                .enqueue(&investigate("i", "c", &here), at(2_000))
                .await
                .unwrap(),
            "at work"
        );
        assert_eq!(store.begin_post("p", &here, at(2_000)).await.unwrap(), Post::New);
        assert_eq!(store.files("c").await.unwrap().len(), 1, "at work");
        let ended = Change::CaseEnded {
            case: "c".to_owned(),
            state: CaseState::Done,
            verdict: None,
        };
        assert!(
            store
                .finish(&lease, &Outcome::Done, &[ended], at(2_001))
                .await
                .unwrap()
        );
        store.sweep(at(3_000)).await.unwrap();
        assert_eq!(store.files("c").await.unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_take_every_job_once() {
    for database in databases().await {
        let store = &database.store;
        for n in 0..500 {
            let place = place(&format!("C{}", n % 7), &format!("{}.0", n % 90));
            store
                .enqueue(&handle(&format!("k{n}"), &place), at(0))
                .await
                .unwrap();
        }
        let other = database.again().await;
        let mut claimers = tokio::task::JoinSet::new();
        for n in 0..20 {
            let store = if n % 2 == 0 { store.clone() } else { other.clone() };
            claimers.spawn(async move {
                let mut taken = Vec::new();
                let mut idle = 0;
                while idle < 500 {
                    match store
                        .claim(&format!("w{n}"), Class::Small, LEASE, LIMITS, at(1))
                        .await
                        .unwrap()
                    {
                        Some(lease) => {
                            idle = 0;
                            assert!(store.finish(&lease, &Outcome::Done, &[], at(1)).await.unwrap());
                            taken.push(lease.key);
                        }
                        // Others of the thread are being done, or all are.
                        None if store.depth().await.unwrap().is_empty() => break,
                        None => idle += 1,
                    }
                }
                taken
            });
        }
        let taken: Vec<String> = claimers.join_all().await.into_iter().flatten().collect();
        assert_eq!(taken.len(), 500);
        assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), 500);
    }
}

#[tokio::test]
async fn limits_hold_when_many_claim_at_once() {
    for database in databases().await {
        let store = &database.store;
        for n in 0..30 {
            let place = place(&format!("C{}", n % 5), &format!("{n}.0"));
            store
                .enqueue(&investigate(&format!("i{n}"), &format!("c{n}"), &place), at(0))
                .await
                .unwrap();
        }
        let limits = Limits {
            per_team: 6,
            per_lane: 2,
        };
        let claims = (0..20).map(|_| store.claim("w", Class::Long, LEASE, limits, at(1)));
        let taken = futures::future::join_all(claims).await;
        assert_eq!(
            taken
                .into_iter()
                .filter(|taken| taken.as_ref().unwrap().is_some())
                .count(),
            6
        );
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_told_without_its_password() {
    for url in [
        "postgres://bot:hunter2@127.0.0.1:1/rca",
        "postgres://bot:hunter2@[bad/rca?sslmode=hunter2",
        "mysql://bot:hunter2@host/rca",
        "sqlite:",
    ] {
        let error = Store::open(&url.to_owned().into()).await.unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}
