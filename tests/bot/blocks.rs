//! Messages: of recorded cases as people see them, and of reports that were made to break them.

use std::path::Path;

use proptest::prelude::*;
use rca_agent::{
    bot::{
        blocks::{self, ProgressFacts},
        conversation::Digest,
        person::{Person, Place},
        slack::Message,
        work::{FollowUp, Request},
    },
    error::AppError,
    eval::{self, Match, run},
    report::Report,
    time::{Utc, Zone, parse_window},
};
use serde_json::Value;

use crate::{
    conversation::nasty,
    looks::{check, check_blocks, seen},
};

fn utc(text: &str) -> Utc {
    text.parse().unwrap()
}

/// The report of a recorded case.
fn report(name: &str) -> Report {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("evals").join(name);
    let case = eval::load::case(&dir).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let replayed = runtime.block_on(run::replay(&case, Match::Shape)).unwrap();
    replayed.ran.unwrap().report.unwrap()
}

fn zone() -> Zone {
    "Asia/Jerusalem".parse().unwrap()
}

fn ann() -> Person {
    Person {
        team: "T0TEAM".to_owned(),
        user: "U0ANN".to_owned(),
    }
}

fn request(question: &str) -> Request {
    let now = utc("2026-03-18T14:20:00Z");
    Request {
        case: "case-1".to_owned(),
        question: question.to_owned(),
        since: "around 3pm".to_owned(),
        until: None,
        reading: parse_window("around 3pm", None, now, &zone()).unwrap(),
        zone: zone(),
        now,
        namespace: Some("shop".to_owned()),
        service: None,
        by: ann(),
        at: Place {
            team: "T0TEAM".to_owned(),
            channel: "C0OPS".to_owned(),
            thread: Some("1.2".to_owned()),
        },
        message: "case:case-1".to_owned(),
        notes: Vec::new(),
        namespaces: Vec::new(),
    }
}

fn verdict(report: &Report) -> Message {
    blocks::verdict(
        report,
        zone(),
        utc("2026-03-18T14:20:00Z"),
        utc("2026-03-18T14:21:07Z"),
    )
}

#[test]
fn verdicts_of_recorded_cases() {
    for name in [
        "checkout-502",
        "healthy-a",
        "before-the-data",
        "empty-snapshot",
        "missing-traffic-b",
        "common-factor-b",
    ] {
        let report = report(name);
        insta::assert_snapshot!(format!("verdict_{name}"), seen(&verdict(&report)));
    }
}

#[test]
fn a_digest_holds_what_a_thread_answers_from() {
    insta::assert_json_snapshot!(Digest::of(&report("checkout-502")));
}

#[test]
fn a_case_on_its_way() {
    let request = request("what broke?");
    let facts = ProgressFacts {
        phase: "Looking at all calls".to_owned(),
        waiting_for: "all requests of the window (3 queries)".to_owned(),
        done: vec![
            "snapshot rca-1 taken".to_owned(),
            "9841 calls and connections dissected".to_owned(),
        ],
        calls: 14,
        most_calls: 400,
        seconds: 12.7,
        notes: vec!["node-1 holds the start of the window for about 8 min more".to_owned()],
    };
    let error = AppError::environment("Kubeshark could not be reached")
        .reason("connection refused")
        .hint("start it: kubeshark tap");
    let at = utc("2026-03-18T14:20:03Z");
    let all = [
        blocks::queued(&request, 1, true),
        blocks::progress(&request, &facts, at),
        blocks::failed(&request, &error),
        blocks::stopped(&request, &ann()),
        blocks::followed(
            FollowUp::Compare,
            "case-1",
            &ann(),
            Ok("Today 77 of 200 failed.\nYesterday 0 of 190."),
        ),
        blocks::followed(FollowUp::Preserve, "case-1", &ann(), Err(&error)),
    ];
    let all: Vec<String> = all.iter().map(seen).collect();
    insta::assert_snapshot!(all.join("\n"));
}

/// Replaces every text of a report that is none of the schema's own words.
fn planted(value: &mut Value, text: &str) {
    match value {
        Value::String(old) => {
            let fixed = old.is_empty() || old.starts_with("rca-agent/") || old.parse::<Utc>().is_ok();
            if !fixed {
                text.clone_into(old);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| planted(item, text)),
        Value::Object(fields) => {
            for (name, field) in fields {
                if ![
                    "verdict",
                    "confidence",
                    "kind",
                    "role",
                    "about",
                    "claim",
                    "layer",
                    "schema",
                ]
                .contains(&name.as_str())
                {
                    planted(field, text);
                }
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_planted_breaks_a_message(text in nasty()) {
        static REPORT: std::sync::OnceLock<Value> = std::sync::OnceLock::new();
        let base = REPORT.get_or_init(|| serde_json::to_value(report("checkout-502")).unwrap());
        let mut fields = base.clone();
        for field in ["summary", "because", "next", "case", "question", "about"] {
            planted(&mut fields[field], &text);
        }
        for list in ["path", "impact", "ruled_out", "root_causes"] {
            for item in fields[list].as_array_mut().unwrap() {
                for (name, field) in item.as_object_mut().unwrap() {
                    if !["kind", "factors", "onset", "ended"].contains(&name.as_str()) {
                        planted(field, &text);
                    }
                }
            }
        }
        planted(&mut fields["coverage"]["not_seen"], &text);
        let report: Report = serde_json::from_value(fields).unwrap();
        let mut asked = request(&text);
        asked.case.clone_from(&text);
        asked.namespace = Some(text.clone());
        asked.notes = vec![text.clone(); 20];
        let facts = ProgressFacts {
            phase: text.clone(),
            waiting_for: text.clone(),
            done: vec![text.clone(); 40],
            notes: vec![text.clone(); 40],
            ..ProgressFacts::default()
        };
        let mut error = AppError::environment(text.clone());
        error.because = vec![text.clone(); 20];
        error.hints = vec![text.clone(); 20];
        let digest = Digest::of(&report);
        let mut lines = digest.path;
        lines.extend(digest.ruled_out);
        let at = utc("2026-03-18T14:20:03Z");
        for message in [
            verdict(&report),
            blocks::queued(&asked, 7, true),
            blocks::progress(&asked, &facts, at),
            blocks::failed(&asked, &error),
            blocks::stopped(&asked, &ann()),
            blocks::followed(FollowUp::Pcap, &text, &ann(), Ok(&text)),
            blocks::followed(FollowUp::Pcap, &text, &ann(), Err(&error)),
            blocks::answer(&text, &lines),
            blocks::told(&text),
        ] {
            if let Err(why) = check(&message) {
                prop_assert!(false, "{why}\n{message:?}");
            }
        }
        if let Err(why) = check_blocks(&blocks::home(&[], None, at), 100) {
            prop_assert!(false, "{why}");
        }
    }
}
