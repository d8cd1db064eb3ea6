//! What the bot decides: questions in three zones, and what a conversation comes to, step by step.

use std::fmt::Write as _;

use proptest::prelude::*;
use rca_agent::{
    bot::{
        alert::Alert,
        conversation::{CaseInfo, Decision, Digest, Known, Policy, Step, assume, decide},
        incoming::{Incoming, Via},
        person::{Person, Place, Profile},
        store::CaseState,
        work::{FollowUp, Work},
    },
    investigation::finding::{Confidence, Verdict},
    time::{Utc, Zone},
};
use serde_json::Value;

use crate::looks::{check, seen};

fn utc(text: &str) -> Utc {
    text.parse().unwrap()
}

/// Wednesday, 16:20 in Israel, 19:50 in India, 10:20 in New York.
fn now() -> Utc {
    utc("2026-03-18T14:20:00Z")
}

fn ann() -> Person {
    person("U0ANN")
}

fn person(user: &str) -> Person {
    Person {
        team: "T0TEAM".to_owned(),
        user: user.to_owned(),
    }
}

fn thread() -> Place {
    Place {
        team: "T0TEAM".to_owned(),
        channel: "C0OPS".to_owned(),
        thread: Some("1773843600.000100".to_owned()),
    }
}

fn known(zone: Option<&str>) -> Known {
    Known {
        profile: Some(Profile {
            name: "Ann".to_owned(),
            zone: zone.map(|zone| zone.parse().unwrap()),
            bot: false,
        }),
        ..Known::nothing("case-1")
    }
}

fn says(text: &str) -> Incoming {
    Incoming::Asked {
        by: ann(),
        at: thread(),
        text: text.to_owned(),
        via: Via::Mention,
        of: None,
    }
}

fn presses(by: &str, action: &str, value: &str) -> Incoming {
    Incoming::Pressed {
        by: person(by),
        at: thread(),
        message: None,
        action: action.to_owned(),
        value: value.to_owned(),
    }
}

fn digest() -> Digest {
    Digest {
        verdict: Verdict::RootCause,
        confidence: Confidence::High,
        title: "shop/postgres, refused".to_owned(),
        summary: "postgres in shop refused connections.".to_owned(),
        because: vec!["one node was not recorded".to_owned()],
        path: vec!["gateway → checkout: 77 of 77 calls failed [E6 E10]".to_owned()],
        ruled_out: vec!["cart: no more failures than before [E12]".to_owned()],
        evidence: vec!["E6: list_api_calls {}".to_owned()],
        next: vec!["look at postgres".to_owned()],
    }
}

fn case(state: CaseState) -> CaseInfo {
    CaseInfo {
        case: "case-1".to_owned(),
        at: thread(),
        by: ann(),
        question: "what broke?".to_owned(),
        state,
        created: now(),
        ended: None,
        digest: (state == CaseState::Done).then(digest),
    }
}

/// A decision as lines: what is done, and what a person sees.
fn told(decision: &Decision) -> String {
    let mut out = String::new();
    for step in &decision.steps {
        match step {
            Step::Post { key, at, message } => {
                let place = if at.thread.is_some() { "thread" } else { "channel" };
                let _ = writeln!(out, "POST {key} ({} {place})\n{}", at.channel, seen(message));
            }
            Step::Edit { key, message } => {
                let _ = writeln!(out, "EDIT {key}\n{}", seen(message));
            }
            Step::Whisper { to, message, .. } => {
                let _ = writeln!(out, "WHISPER {}\n{}", to.user, seen(message));
            }
            Step::Home { to, blocks } => {
                let _ = writeln!(out, "HOME {} {} blocks", to.user, blocks.len());
            }
            Step::Enqueue {
                key,
                work,
                not_before,
            } => {
                let what = match &**work {
                    Work::Investigate { request } => format!(
                        "investigate {} from {} until {} ns={:?} service={:?} notes={:?}",
                        request.case,
                        request.reading.window.start.to_rfc3339(),
                        request.reading.window.end.to_rfc3339(),
                        request.namespace,
                        request.service.as_ref().map(ToString::to_string),
                        request.notes
                    ),
                    Work::Follow { follow } => {
                        format!(
                            "follow {:?} of {} for {}",
                            follow.what, follow.case, follow.by.user
                        )
                    }
                    Work::Assume { question, .. } => format!("assume {question}"),
                    Work::Handle { .. } => "handle".to_owned(),
                };
                let later = not_before.map_or_else(String::new, |at| format!(" at {}", at.to_rfc3339()));
                let _ = writeln!(out, "WORK {key}{later}: {what}");
            }
            Step::Stop { case, by } => {
                let _ = writeln!(out, "STOP {case} by {}", by.user);
            }
            Step::Feedback { case, by, right } => {
                let _ = writeln!(out, "FEEDBACK {case} by {}: {right}", by.user);
            }
        }
    }
    out
}

/// A conversation: each thing that is heard, and what follows.
struct Talk {
    known: Known,
    policy: Policy,
    now: Utc,
    out: String,
    cases: u32,
}

impl Talk {
    fn new(zone: Option<&str>) -> Self {
        Self {
            known: known(zone),
            policy: Policy::default(),
            now: now(),
            out: String::new(),
            cases: 0,
        }
    }

    fn take(&mut self, what: &str, decision: &Decision) -> String {
        if decision.thread.is_some() {
            self.known.thread.clone_from(&decision.thread);
        }
        let told = told(decision);
        let _ = write!(self.out, "━━ {what}\n{told}\n");
        told
    }

    fn hear(&mut self, what: &str, heard: &Incoming) -> String {
        self.cases += 1;
        self.known.fresh = format!("case-{}", self.cases);
        let decision = decide(heard, &self.known, &self.policy, self.now);
        self.take(what, &decision)
    }

    fn say(&mut self, text: &str) -> String {
        self.hear(text, &says(text))
    }

    fn press(&mut self, by: &str, action: &str, value: &str) -> String {
        self.hear(
            &format!("{by} presses {action} {value}"),
            &presses(by, action, value),
        )
    }

    fn wait(&mut self, question: &str) -> String {
        let decision = assume(&thread(), question, &self.known, &self.policy, self.now);
        self.take("nobody answers", &decision)
    }
}

/// Phrasings, and the window that is meant: in Israel (+2), India (+5:30), New York (−4). Local times, `now` where it ends
/// now. `?` where a person has to be asked.
const PHRASINGS: &[(&str, &str)] = &[
    ("what broke checkout around 3pm?", "14:45-15:15"),
    ("what broke checkout at about 3pm", "14:45-15:15"),
    ("why did payments fail between 2pm and 3pm?", "14:00-15:00"),
    ("why did payments fail between 2 and 3pm?", "14:00-15:00"),
    ("since 14:05 until 14:20 we had errors", "14:05-14:20"),
    ("errors from 14:05 to 14:20, why?", "14:05-14:20"),
    ("what happened 14:05-14:20", "14:05-14:20"),
    ("checkout failed since 14:05", "14:05-now"),
    ("20 minutes ago orders failed, why?", "-20m"),
    ("why were orders slow 20 minutes ago?", "-20m"),
    ("what broke in the last 30 minutes?", "-30m"),
    ("what broke in the last hour?", "-60m"),
    ("what broke during the past 2 hours", "-120m"),
    ("any failures in the last 15 min in namespace shop?", "-15m"),
    ("why 502 from gateway at 3pm", "15:00-+1h"),
    ("why do we see 500 errors since 14:00?", "14:00-now"),
    ("status 503 between 13:10 and 13:25 on cart", "13:10-13:25"),
    ("please look at payments, 14:00 to 14:30", "14:00-14:30"),
    ("@here what broke (14:00–14:30)?", "14:00-14:30"),
    ("incident 1423: what failed at 14:05?", "14:05-+1h"),
    ("port 5432 refused around 14:00?", "13:45-14:15"),
    ("what broke yesterday 3pm to 3:30pm?", "y15:00-15:30"),
    ("what broke yesterday at 15:00?", "y15:00-16:00"),
    ("what broke yesterday between 15:00 and 15:30", "y15:00-15:30"),
    ("orders failed on 2026-03-17 from 15:00 to 15:30", "y15:00-15:30"),
    ("what broke 2026-03-17 15:00 to 2026-03-17 15:30", "y15:00-15:30"),
    ("what broke since 10 minutes ago", "-10m"),
    ("half an hour ago checkout was slow", "-30m"),
    ("an hour ago checkout was slow", "-60m"),
    ("it broke 5 min ago", "-5m"),
    ("2h ago latency went up", "19:20-20:20"),
    ("what happened from 9am until 9:30am?", "09:00-09:30"),
    ("what happened at 09:00 for 30 minutes?", "09:00-09:30"),
    ("What Broke Around 9AM?", "08:45-09:15"),
    ("why did checkout fail around noon yesterday?", "y11:45-12:15"),
    ("why did `checkout` fail around 9:30am!!", "09:15-09:45"),
    ("what was wrong this morning from 9:00 to 9:20", "09:00-09:20"),
    ("at 3pm orders failed, that was yesterday", "y15:00-16:00"),
    ("yesterday orders failed around 3pm", "y14:45-15:15"),
    ("what broke?", "?"),
    ("why did checkout fail", "?"),
    ("why 502", "?"),
    ("why are there 404 on /v2/items", "?"),
    ("5 services are down", "?"),
    ("pod cart-7f9 restarts, why", "?"),
    ("what broke tomorrow at 3pm", "?"),
    ("what broke at 3?", "?"),
];

#[test]
fn a_time_is_found_in_a_question() {
    let mut wrong = String::new();
    for zone in ["Asia/Jerusalem", "Asia/Kolkata", "America/New_York"] {
        // The same evening, so that all times of the table are past: 21:20 on the wall.
        let local = utc("2026-03-18T21:20:00Z");
        let zone_value: Zone = zone.parse().unwrap();
        let offset = zone_value.local(local).and_utc() - local;
        let now = local - offset;
        for (text, meant) in PHRASINGS {
            let decision = decide(&says(text), &known(Some(zone)), &Policy::default(), now);
            let request = decision.steps.iter().find_map(|step| match step {
                Step::Enqueue { work, .. } => match &**work {
                    Work::Investigate { request } => Some(request.clone()),
                    _ => None,
                },
                _ => None,
            });
            let expected = window(meant, now, zone_value);
            let found = request
                .map(|request| request.reading.window)
                .map(|window| (window.start, window.end));
            if found != expected {
                let local = |window: Option<(Utc, Utc)>| {
                    window.map(|(start, end)| {
                        format!("{} – {}", zone_value.local(start), zone_value.local(end))
                    })
                };
                let _ = writeln!(
                    wrong,
                    "{zone}: {text}\n   read {:?}\n   meant {:?}",
                    local(found),
                    local(expected)
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The window of a row of the table.
fn window(meant: &str, now: Utc, zone: Zone) -> Option<(Utc, Utc)> {
    if meant == "?" {
        return None;
    }
    if let Some(minutes) = meant.strip_prefix('-') {
        let minutes: i64 = minutes.trim_end_matches('m').parse().unwrap();
        return Some((now - chrono::TimeDelta::minutes(minutes), now));
    }
    let (yesterday, times) = match meant.strip_prefix('y') {
        Some(times) => (1, times),
        None => (0, meant),
    };
    let (start, end) = times.split_once('-').unwrap();
    let today = zone.local(now).date() - chrono::TimeDelta::days(yesterday);
    let offset = zone.offset(now);
    let at = |text: &str| {
        let time: chrono::NaiveTime = format!("{text}:00").parse().unwrap();
        today.and_time(time).checked_sub_offset(offset).unwrap().and_utc()
    };
    let start = at(start);
    let end = match end {
        "+1h" => start + chrono::TimeDelta::hours(1),
        "now" => now,
        end => at(end),
    };
    Some((start, end))
}

#[test]
fn namespaces_and_services_are_taken_where_they_are_said() {
    let mut out = String::new();
    for text in [
        "what broke in namespace prod around 3pm?",
        "what broke in the prod namespace around 3pm?",
        "why is service checkout slow since 15:00?",
        "why did checkout fail around 3pm?",
        "errors from namespace prod to namespace staging at 15:00",
        "what broke in namespace Prod; rm -rf / at 15:00",
    ] {
        let decision = decide(
            &says(text),
            &known(Some("Asia/Jerusalem")),
            &Policy::default(),
            now(),
        );
        let request = decision.steps.iter().find_map(|step| match step {
            Step::Enqueue { work, .. } => match &**work {
                Work::Investigate { request } => Some(request.clone()),
                _ => None,
            },
            _ => None,
        });
        let request = request.unwrap();
        let _ = writeln!(
            out,
            "{text}\n    {:?} {:?}",
            request.namespace,
            request.service.map(|service| service.to_string())
        );
    }
    insta::assert_snapshot!(out);
}

#[test]
fn a_question_becomes_a_case() {
    let mut talk = Talk::new(Some("Asia/Jerusalem"));
    talk.say("what broke checkout around 3pm?");
    talk.known.ahead = 3;
    talk.say("<!channel> what broke *cart* around 3pm?");
    insta::assert_snapshot!(talk.out);
}

#[test]
fn what_is_not_said_is_asked() {
    let mut talk = Talk::new(Some("Asia/Jerusalem"));
    talk.say("what broke checkout?");
    talk.press("U0BOB", "choose:1", "question:case-1:1#0");
    talk.press("U0BOB", "choose:1", "question:case-1:1#0");
    insta::assert_snapshot!(talk.out);
}

#[test]
fn nobody_answers() {
    let mut talk = Talk::new(Some("Asia/Jerusalem"));
    talk.say("what broke checkout?");
    talk.wait("question:case-0:1");
    talk.now += chrono::TimeDelta::minutes(2);
    talk.wait("question:case-1:1");
    talk.known.case = Some(case(CaseState::Running));
    talk.press("U0ANN", "change:1", "case-1");
    insta::assert_snapshot!(talk.out);
}

#[test]
fn an_answer_in_words_is_an_answer() {
    let mut talk = Talk::new(Some("Asia/Jerusalem"));
    talk.say("what broke checkout?");
    talk.say("around 3pm I think");
    let mut other = Talk::new(Some("Asia/Jerusalem"));
    other.say("what broke checkout?");
    let told = other.say("what broke payments around 3pm?");
    assert!(told.contains("Investigating: what broke payments"), "{told}");
    insta::assert_snapshot!(talk.out);
}

#[test]
fn what_has_two_meanings_is_asked() {
    let mut talk = Talk::new(Some("Asia/Jerusalem"));
    talk.say("what broke around 3 o'clock?");
    talk.press("U0ANN", "choose:0", "question:case-1:1#1");
    talk.say("what broke between 2 and 3?");
    talk.wait("question:case-3:1");
    let mut dst = Talk::new(Some("America/New_York"));
    dst.now = utc("2026-11-01T15:00:00Z");
    dst.say("what broke between 1:15am and 1:45am?");
    dst.press("U0ANN", "choose:0", "question:case-1:1#1");
    let mut letters = Talk::new(Some("Europe/Berlin"));
    letters.say("what broke at 14:00 IST?");
    letters.wait("question:case-1:1");
    insta::assert_snapshot!(format!("{}\n{}\n{}", talk.out, dst.out, letters.out));
}

#[test]
fn a_zone_is_asked_for_only_where_it_matters() {
    let mut talk = Talk::new(None);
    talk.policy.zones = vec!["Asia/Jerusalem".parse().unwrap(), "Asia/Kolkata".parse().unwrap()];
    talk.say("what broke 20 minutes ago?");
    let mut wall = Talk::new(None);
    wall.policy.zones.clone_from(&talk.policy.zones);
    wall.say("what broke around 12:00?");
    wall.press("U0ANN", "choose:1", "question:case-1:1#1");
    let mut typed = Talk::new(None);
    typed.say("what broke around 12:00?");
    typed.say("Asia/Jerusalem");
    insta::assert_snapshot!(format!("{}\n{}\n{}", talk.out, wall.out, typed.out));
}

#[test]
fn a_case_is_followed_up() {
    let mut talk = Talk::new(Some("Asia/Jerusalem"));
    talk.say("what broke around 3pm?");
    talk.known.case = Some(case(CaseState::Running));
    for text in ["why?", "status", "is it the database?", "stop"] {
        talk.say(text);
    }
    talk.known.case = Some(case(CaseState::Done));
    for text in [
        "why?",
        "what was ruled out?",
        "evidence please",
        "what next?",
        "pcap",
        "compare with yesterday",
        "confirm the fix",
        "widen",
        "widen to 2pm",
        "widen to purple",
        "that was it",
        "stop",
        "sing a song",
        "what broke around 1pm?",
    ] {
        talk.say(text);
    }
    insta::assert_snapshot!(talk.out);
}

#[test]
fn what_changes_state_is_approved_first() {
    let mut talk = Talk::new(Some("Asia/Jerusalem"));
    talk.policy.approvers = vec!["U0BOSS".to_owned()];
    talk.say("what broke around 3pm?");
    talk.known.case = Some(case(CaseState::Done));
    talk.press("U0ANN", "preserve:6", "case-1");
    talk.press("U0ANN", "preserve:6", "case-1");
    talk.press("U0ANN", "approve:0", "approval:case-2");
    talk.press("U0BOSS", "approve:0", "approval:case-2");
    talk.press("U0BOSS", "approve:0", "approval:case-2");
    talk.say("preserve");
    talk.now += chrono::TimeDelta::minutes(11);
    talk.press("U0BOSS", "approve:0", "approval:case-7");
    talk.say("preserve it");
    talk.press("U0ANN", "decline:1", "approval:case-9");
    talk.press("U0ANN", "approve:0", "approval:unknown");
    insta::assert_snapshot!(talk.out);
}

#[test]
fn with_no_approvers_it_is_whoever_asked() {
    let mut talk = Talk::new(Some("Asia/Jerusalem"));
    talk.policy.approve_pcap = true;
    talk.say("what broke around 3pm?");
    talk.known.case = Some(case(CaseState::Done));
    talk.say("pcap");
    let other = talk.press("U0BOB", "approve:0", "approval:case-2");
    assert!(other.starts_with("WHISPER U0BOB"), "{other}");
    let own = talk.press("U0ANN", "approve:0", "approval:case-2");
    assert!(
        own.contains(&format!("follow {:?} of case-1", FollowUp::Pcap)),
        "{own}"
    );
}

#[test]
fn who_may_not_is_told_alone() {
    let mut out = String::new();
    let base = Policy {
        contact: Some("#platform".to_owned()),
        ..Policy::default()
    };
    let one = |list: &str| vec![list.to_owned()];
    for policy in [
        Policy {
            teams: one("T9"),
            ..base.clone()
        },
        Policy {
            users: one("U9"),
            ..base.clone()
        },
        Policy {
            channels: one("C9"),
            ..base.clone()
        },
        base.clone(),
    ] {
        for heard in [
            says("what broke around 3pm?"),
            presses("U0ANN", "stop:0", "case-1"),
            Incoming::Home { by: ann() },
        ] {
            let decision = decide(&heard, &known(Some("UTC")), &policy, now());
            let _ = writeln!(
                out,
                "{}",
                told(&decision).lines().take(2).collect::<Vec<_>>().join(" | ")
            );
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn a_channel_keeps_to_its_namespaces() {
    let mut talk = Talk::new(Some("UTC"));
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    talk.policy
        .namespaces
        .insert("C0OPS".to_owned(), names(&["shop"]));
    talk.say("what broke in namespace prod around 12:00?");
    talk.say("what broke around 12:00?");
    talk.policy
        .namespaces
        .insert("C0OPS".to_owned(), names(&["shop", "pay"]));
    talk.say("what broke around 12:00?");
    talk.press("U0ANN", "choose:1", "question:case-3:1#1");
    insta::assert_snapshot!(talk.out);
}

fn alert(firing: bool, starts: &str) -> Incoming {
    Incoming::Alert(Box::new(Alert {
        fingerprint: "f1".to_owned(),
        firing,
        starts: utc(starts),
        ends: (!firing).then(|| utc("2026-03-18T14:30:00Z")),
        summary: "High error rate <!channel>".to_owned(),
        labels: [
            ("namespace", "shop"),
            ("service", "checkout"),
            ("severity", "page"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        channel: None,
    }))
}

#[test]
fn an_incident_has_one_thread() {
    let mut talk = Talk::new(None);
    talk.policy.alert_team = Some("T0TEAM".to_owned());
    let nothing = talk.hear("no channel", &alert(true, "2026-03-18T14:10:00Z"));
    assert_eq!(nothing, "");
    talk.policy.alert_channel = Some("C0ALERTS".to_owned());
    talk.hear("fires", &alert(true, "2026-03-18T14:10:00Z"));
    talk.known.alerted_thread = talk.known.thread.take();
    talk.known.alerted = Some(case(CaseState::Done));
    talk.hear("again", &alert(true, "2026-03-18T14:10:00Z"));
    talk.known.alerted_thread = talk.known.thread.take();
    talk.hear("over", &alert(false, "2026-03-18T14:10:00Z"));
    talk.known.alerted_thread = talk.known.thread.take();
    assert_eq!(talk.hear("over twice", &alert(false, "2026-03-18T14:10:00Z")), "");
    talk.now = utc("2026-03-18T15:20:00Z");
    talk.hear("back", &alert(true, "2026-03-18T15:15:00Z"));
    insta::assert_snapshot!(talk.out);
}

#[test]
fn a_shortcut_is_about_the_time_of_its_message() {
    let mut talk = Talk::new(None);
    let heard = Incoming::Asked {
        by: ann(),
        at: thread(),
        text: "[FIRING] checkout 5xx since 09:00".to_owned(),
        via: Via::Shortcut,
        of: Some(utc("2026-03-18T13:00:00Z")),
    };
    talk.hear("shortcut", &heard);
    insta::assert_snapshot!(talk.out);
}

#[test]
fn help_is_whispered_to_who_typed_a_command() {
    let mut talk = Talk::new(Some("Asia/Jerusalem"));
    talk.say("help");
    let heard = Incoming::Asked {
        by: ann(),
        at: Place {
            thread: None,
            ..thread()
        },
        text: String::new(),
        via: Via::Command,
        of: None,
    };
    talk.hear("/rca", &heard);
    insta::assert_snapshot!(talk.out);
}

#[test]
fn the_same_delivery_gives_the_same_decision() {
    let heard = says("what broke around 3pm?");
    let once = decide(&heard, &known(Some("UTC")), &Policy::default(), now());
    let twice = decide(&heard, &known(Some("UTC")), &Policy::default(), now());
    assert_eq!(once, twice);
}

fn messages(decision: &Decision) -> Vec<&rca_agent::bot::slack::Message> {
    decision
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Post { message, .. } | Step::Edit { message, .. } | Step::Whisper { message, .. } => {
                Some(message)
            }
            _ => None,
        })
        .collect()
}

/// Text that breaks things.
pub(crate) fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,80}",
        ".{0,200}",
        Just("<!channel> <@U0EVIL> <https://evil.example|click> &lt; *b* _i_ ~s~ `c` ```".to_owned()),
        Just("\u{202e}reversed\u{0}\u{7}\u{1b}[31m\u{200b}".to_owned()),
        Just("<!channel>".repeat(10_000)),
        Just("𝒳".repeat(40_000)),
        ("[a-z0-9:]{1,6}( [a-z0-9:]{1,6}){0,40}").prop_map(|words| format!("between {words} ago at 3pm")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_said_is_answered_within_limits(text in nasty(), value in nasty(), action in "[a-z_:0-9]{0,20}", zone in 0..3usize, state in 0..3usize) {
        let zones = [None, Some("Asia/Jerusalem"), Some("Pacific/Apia")];
        let mut known = known(zones[zone]);
        known.case = [None, Some(case(CaseState::Running)), Some(case(CaseState::Done))][state].clone();
        known.thread = Some(Value::String(text.clone()));
        let policy = Policy::default();
        for heard in [says(&text), presses("U0ANN", &action, &value), presses("U0ANN", "choose:1", &value)] {
            let decision = decide(&heard, &known, &policy, now());
            for message in messages(&decision) {
                if let Err(why) = check(message) {
                    prop_assert!(false, "{why}\n{message:?}");
                }
            }
        }
    }
}
