//! Work under leases, whatever happens in whatever order: nobody has what another has, nothing ended comes back, and a
//! late word counts for nothing.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use rca_agent::bot::store::{Beat, Class, Lease, Outcome, Store};

use crate::stores::{LIMITS, at, handle, place};

const LEASE: i64 = 30;
const OWNERS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Act {
    /// Work of this number, in one of three threads.
    Enqueue(u8),
    Claim(usize),
    /// By whoever took it as the nth, be its lease over or not.
    Beat(usize),
    Finish(usize, End),
    Pass(i64),
}

#[derive(Clone, Copy, Debug)]
enum End {
    Done,
    Again(u64),
    Released,
    Failed,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let end = prop_oneof![
        3 => Just(End::Done),
        2 => (0..60_u64).prop_map(End::Again),
        1 => Just(End::Released),
        1 => Just(End::Failed),
    ];
    let act = prop_oneof![
        3 => (0..8_u8).prop_map(Act::Enqueue),
        5 => (0..OWNERS.len()).prop_map(Act::Claim),
        2 => (0..12_usize).prop_map(Act::Beat),
        4 => (0..12_usize, end).prop_map(|(nth, end)| Act::Finish(nth, end)),
        2 => (1..50_i64).prop_map(Act::Pass),
    ];
    proptest::collection::vec(act, 1..60)
}

/// What has to be true of a job, told from outside.
#[derive(Debug, Default)]
struct Job {
    /// The fence of the lease that counts, and until when it does.
    held: Option<(i64, i64)>,
    fence: i64,
    attempts: u32,
    not_before: i64,
    ended: bool,
}

fn thread(number: u8) -> String {
    format!("{}.0", number % 3)
}

/// Carries the acts out on a database, and in a model of it beside.
async fn carry_out(store: &Store, acts: &[Act]) {
    let mut now = 0;
    let mut jobs: BTreeMap<String, Job> = BTreeMap::new();
    let mut taken: Vec<Lease> = Vec::new();
    for act in acts {
        match act {
            Act::Enqueue(number) => {
                let key = format!("job {number}");
                let job = handle(&key, &place("C1", &thread(*number)));
                let new = store.enqueue(&job, at(now)).await.unwrap();
                assert_eq!(new, !jobs.contains_key(&key), "once, done or not");
                jobs.entry(key).or_insert(Job {
                    not_before: now,
                    ..Job::default()
                });
            }
            Act::Claim(owner) => {
                let length = Duration::from_secs(LEASE.unsigned_abs());
                let claimed = store.claim(OWNERS[*owner], Class::Small, length, LIMITS, at(now));
                let claimed = claimed.await.unwrap();
                let free = |job: &Job| {
                    let held = job.held.is_some_and(|(_, until)| until >= now);
                    !job.ended && !held && (job.held.is_some() || job.not_before <= now)
                };
                let Some(lease) = claimed else {
                    // Whatever is free waits for something of its own thread.
                    for (key, job) in jobs.iter().filter(|(_, job)| free(job)) {
                        let number: u8 = key[4..].parse().unwrap();
                        let mates = jobs.iter().filter(|(other, other_job)| {
                            let other_number: u8 = other[4..].parse().unwrap();
                            *other != key && thread(other_number) == thread(number) && !other_job.ended
                        });
                        assert!(mates.count() > 0, "{key} was free: {job:?}");
                    }
                    continue;
                };
                let number: u8 = lease.key[4..].parse().unwrap();
                for (other, job) in &jobs {
                    let same = thread(other[4..].parse().unwrap()) == thread(number);
                    let runs = job.held.is_some_and(|(_, until)| until >= now);
                    assert!(!(same && runs), "{other} runs in the thread of {}", lease.key);
                }
                let job = jobs.get_mut(&lease.key).unwrap();
                assert!(free(job), "{} is not free: {job:?}", lease.key);
                assert!(lease.fence > job.fence && lease.attempts == job.attempts + 1);
                job.fence = lease.fence;
                job.attempts = lease.attempts;
                job.held = Some((lease.fence, now + LEASE));
                taken.push(lease);
            }
            Act::Beat(nth) => {
                let Some(lease) = taken.get(*nth) else { continue };
                let job = jobs.get_mut(&lease.key).unwrap();
                let beat = store
                    .beat(lease, Duration::from_secs(LEASE.unsigned_abs()), at(now))
                    .await
                    .unwrap();
                // A lease that ran out and that nobody took since can be had again.
                let mine = job.held.is_some_and(|(fence, _)| fence == lease.fence);
                assert_eq!(beat, if mine { Beat::Held } else { Beat::Lost }, "{}", lease.key);
                if mine {
                    job.held = Some((lease.fence, now + LEASE));
                }
            }
            Act::Finish(nth, end) => {
                let Some(lease) = taken.get(*nth) else { continue };
                let job = jobs.get_mut(&lease.key).unwrap();
                let why = "told".to_owned();
                let outcome = match end {
                    End::Done => Outcome::Done,
                    End::Again(seconds) => Outcome::Again {
                        after: Duration::from_secs(*seconds),
                        why,
                    },
                    End::Released => Outcome::Released,
                    End::Failed => Outcome::Failed { why },
                };
                let written = store.finish(lease, &outcome, &[], at(now)).await.unwrap();
                let mine = job.held.is_some_and(|(fence, _)| fence == lease.fence);
                assert_eq!(written, mine, "only who has {} ends it", lease.key);
                if !mine {
                    continue;
                }
                job.held = None;
                job.not_before = now;
                match end {
                    End::Done | End::Failed => job.ended = true,
                    End::Again(seconds) => job.not_before = now + i64::try_from(*seconds).unwrap(),
                    End::Released => job.attempts -= 1,
                }
            }
            Act::Pass(seconds) => now += seconds,
        }
    }
}

#[test]
fn no_order_of_events_gives_work_to_two_or_brings_it_back() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&acts(), |acts| {
            let dir = tempfile::tempdir().unwrap();
            let url = format!("sqlite:{}", dir.path().join("bot.db").display());
            runtime.block_on(async {
                let store = Store::open(&url.into()).await.unwrap();
                carry_out(&store, &acts).await;
            });
            Ok(())
        })
        .unwrap();
}
