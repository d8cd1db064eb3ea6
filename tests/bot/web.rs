//! The client of Slack's Web API.

use std::time::Duration;

use rca_agent::{
    bot::{
        person::Person,
        runs::Attachment,
        slack::{Slack, SlackError},
    },
    time::Zone,
};
use serde_json::json;

use crate::{
    edge::{api, client, message, place},
    fake::{FakeSlack, Fault, TEAM},
};

fn person(user: &str) -> Person {
    Person {
        team: TEAM.to_owned(),
        user: user.to_owned(),
    }
}

#[tokio::test]
async fn who_we_are_and_what_we_may_do() {
    let fake = FakeSlack::start().await;
    let me = api(&fake).me().await.unwrap();
    assert_eq!((me.team.as_str(), me.user.as_str()), (TEAM, "UBOT"));
    assert!(me.scopes.iter().any(|scope| scope == "chat:write"));
    let refused = client(&fake, "xoxb-wrong").me().await;
    assert_eq!(refused, Err(SlackError::Refused("invalid_auth".to_owned())));
}

#[tokio::test]
async fn a_message_is_posted_found_and_replaced() {
    let fake = FakeSlack::start().await;
    let slack = api(&fake);
    let root = fake.remark("UMARTA", "COPS", "checkout is broken");
    let at = place(Some(&root));
    let ts = slack
        .post(&at, "case-1/started", &message("On it."))
        .await
        .unwrap();
    assert_eq!(slack.find(&at, "case-1/started").await.unwrap(), Some(ts.clone()));
    assert_eq!(slack.find(&at, "case-2/started").await.unwrap(), None);
    slack.update(&at, &ts, &message("Done.")).await.unwrap();
    insta::assert_snapshot!(fake.thread("COPS", &root), @r"
    ── Marta
    checkout is broken
    ── rca-agent (edited)
    Done.
    ");
    let top = slack
        .post(&place(None), "alert-1", &message("An alert."))
        .await
        .unwrap();
    assert_eq!(slack.find(&place(None), "alert-1").await.unwrap(), Some(top));
}

#[tokio::test]
async fn a_message_is_found_on_a_later_page() {
    let fake = FakeSlack::start().await;
    let slack = api(&fake);
    let root = fake.remark("UMARTA", "COPS", "a long story");
    for _ in 0..450 {
        fake.change(|state| {
            let mut reply = state.messages[0].clone();
            reply.thread = Some(root.clone());
            reply.ts = format!("{}.5", 1_800_000_000 + state.messages.len());
            state.messages.push(reply);
        });
    }
    let at = place(Some(&root));
    let ts = slack.post(&at, "k", &message("Here.")).await.unwrap();
    assert_eq!(slack.find(&at, "k").await.unwrap(), Some(ts));
    assert_eq!(fake.look(|state| state.called("conversations.replies")), 3);
}

#[tokio::test]
async fn what_was_posted_before_the_line_was_cut_is_found_and_not_posted_twice() {
    let fake = FakeSlack::start().await;
    let slack = api(&fake);
    fake.fail("chat.postMessage", Fault::CutAfter);
    let posted = slack.post(&place(None), "k", &message("Once.")).await;
    assert!(matches!(posted, Err(SlackError::Away(_))), "{posted:?}");
    assert_eq!(fake.look(|state| state.called("chat.postMessage")), 1);
    let found = slack.find(&place(None), "k").await.unwrap();
    assert_eq!(found, fake.look(|state| Some(state.messages[0].ts.clone())));
}

#[tokio::test]
async fn a_short_rate_limit_is_waited_out_and_a_long_one_told() {
    let fake = FakeSlack::start().await;
    let slack = api(&fake);
    fake.fail("chat.postMessage", Fault::RateLimited(1));
    let began = tokio::time::Instant::now();
    slack.post(&place(None), "k", &message("Later.")).await.unwrap();
    assert!(began.elapsed().as_millis() >= 1_000);
    assert_eq!(fake.look(|state| state.messages.len()), 1);
    fake.fail("chat.update", Fault::RateLimited(31));
    let busy = slack.update(&place(None), "1.1", &message("x")).await;
    assert_eq!(busy, Err(SlackError::Busy { seconds: 31 }));
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let fake = FakeSlack::start().await;
    let slack = api(&fake);
    for fault in [
        Fault::Status(503),
        Fault::CutBefore,
        Fault::NotJson,
        Fault::Word("internal_error"),
    ] {
        fake.fail("views.publish", fault.clone());
        let blocks = [json!({"type": "divider"})];
        let published = slack.publish_home(&person("UMARTA"), &blocks).await;
        assert_eq!(published, Ok(()), "{fault:?}");
    }
    for _ in 0..3 {
        fake.fail("views.publish", Fault::Status(500));
    }
    let away = slack.publish_home(&person("UMARTA"), &[]).await;
    insta::assert_snapshot!(away.unwrap_err(), @"Slack could not be reached: it answered 500 Internal Server Error");
}

#[tokio::test]
async fn slack_that_says_nothing_is_not_waited_for_for_ever() {
    let fake = FakeSlack::start().await;
    let slack = api(&fake);
    fake.fail("chat.postMessage", Fault::Hang);
    let at = place(None);
    let posting = tokio::spawn(async move { slack.post(&at, "k", &message("x")).await });
    fake.wait_for("the call", |state| {
        (state.called("chat.postMessage") == 1).then_some(())
    })
    .await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(16)).await;
    tokio::time::resume();
    let posted = posting.await.unwrap();
    assert!(matches!(posted, Err(SlackError::Away(_))), "{posted:?}");
    assert_eq!(fake.look(|state| state.called("chat.postMessage")), 1);
}

#[tokio::test]
async fn refusals_come_in_slacks_own_word() {
    let fake = FakeSlack::start().await;
    let slack = api(&fake);
    fake.change(|state| state.closed.push("COPS".to_owned()));
    let refused = slack.post(&place(None), "k", &message("x")).await;
    assert_eq!(refused, Err(SlackError::Refused("not_in_channel".to_owned())));
    assert_eq!(fake.look(|state| state.called("chat.postMessage")), 1);
}

#[tokio::test]
async fn files_go_into_the_thread_and_are_known_there() {
    let fake = FakeSlack::start().await;
    let slack = api(&fake);
    let root = fake.remark("UMARTA", "COPS", "why?");
    let at = place(Some(&root));
    let files = [("report.html", "Report"), ("graph.png", "Graph")].map(|(name, title)| Attachment {
        name: name.to_owned(),
        title: title.to_owned(),
        bytes: vec![7; 100_000],
    });
    assert_eq!(slack.uploaded(&at).await.unwrap(), Vec::<String>::new());
    slack.upload(&at, &files).await.unwrap();
    assert_eq!(slack.uploaded(&at).await.unwrap(), ["report.html", "graph.png"]);
    let kept = fake.look(|state| state.files.values().all(|file| file.bytes.len() == 100_000));
    assert!(kept);
    insta::assert_snapshot!(fake.thread("COPS", &root), @r"
    ── Marta
    why?
    ── rca-agent
    📎 report.html (Report)
    ── rca-agent
    📎 graph.png (Graph)
    ");
}

#[tokio::test]
async fn a_person_has_a_zone_or_none_and_is_asked_about_once() {
    let fake = FakeSlack::start().await;
    let slack = api(&fake);
    fake.user("UMARS", "Valentine", Some("Mars/Olympus"));
    fake.user("UNONE", "Nemo", None);
    let zone = async |user| {
        let profile = slack.profile(&person(user)).await.unwrap();
        profile.zone.map(Zone::name)
    };
    assert_eq!(zone("UDAN").await, Some("Asia/Jerusalem"));
    assert_eq!(zone("UDAN").await, Some("Asia/Jerusalem"));
    assert_eq!(fake.look(|state| state.called("users.info")), 1);
    assert_eq!(zone("UMARS").await, None);
    assert_eq!(zone("UNONE").await, None);
    let unknown = slack.profile(&person("UNOBODY")).await;
    assert_eq!(unknown, Err(SlackError::Refused("user_not_found".to_owned())));
}

#[tokio::test]
async fn what_others_put_beside_ours_is_not_ours() {
    let fake = FakeSlack::start().await;
    let slack = api(&fake);
    let root = fake.remark("UMARTA", "COPS", "why?");
    let at = place(Some(&root));
    let ours = slack.post(&at, "k", &message("Ours.")).await.unwrap();
    slack
        .upload(
            &at,
            &[Attachment {
                name: "report.html".to_owned(),
                title: "Report".to_owned(),
                bytes: vec![1],
            }],
        )
        .await
        .unwrap();
    fake.change(|state| {
        for message in &mut state.messages {
            if message.ts != root {
                message.user = "UDAN".to_owned();
            }
        }
    });
    assert_eq!(slack.find(&at, "k").await.unwrap(), None);
    assert_eq!(slack.uploaded(&at).await.unwrap(), Vec::<String>::new());
    fake.change(|state| {
        let message = state.messages.iter_mut().find(|message| message.ts == ours);
        message.unwrap().user = "UBOT".to_owned();
    });
    assert_eq!(slack.find(&at, "k").await.unwrap(), Some(ours));
}

#[tokio::test]
async fn a_whisper_is_for_one_person() {
    let fake = FakeSlack::start().await;
    api(&fake)
        .whisper(&person("UDAN"), &place(None), &message("Only you may see this."))
        .await
        .unwrap();
    assert_eq!(fake.look(|state| state.whispers[0].to.clone()), "UDAN");
    assert!(fake.look(|state| state.messages.is_empty()));
}

#[tokio::test]
async fn the_fake_refuses_what_slack_would() {
    let fake = FakeSlack::start().await;
    let refused = api(&fake)
        .post(&place(None), "k", &message("<!channel> look"))
        .await;
    assert_eq!(refused, Err(SlackError::Refused("invalid_blocks".to_owned())));
    insta::assert_snapshot!(fake.take_violations().join("\n"), @"
    chat.postMessage: text: a mark that must not be here: <!channel>
    chat.postMessage: blocks[0].text: a mark that must not be here: <!channel>
    ");
}
