//! What the harness itself costs: the time of an investigation that is not spent waiting for tools.
//!
//! An investigation of the bundled incident is recorded once, with the embedded hub; then it is
//! followed again from its journal, where nothing is waited for: deciding, guards, reading answers
//! and checking what was written. Run with `cargo bench --bench harness`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a benchmark prints, and one that cannot run has failed"
)]

use std::{path::Path, time::Instant};

use rca_agent::{
    demo,
    driver::{self, Unwatched},
    effects::{LiveEffects, NoEffects, Nobody},
    hub::{self, Hub},
    investigation::{Machine, Settings, State, Task, settings::Source},
    journal::{self, CaseJournal, Entry, FORMAT, Recording, redact::Redactor},
    kubeshark::{Endpoint, Limits},
    playbook, report,
    time::{HourStyle, Zone, parse_window},
};

const CASE: &str = "benchmark";
const ROUNDS: u32 = 20;

fn settings() -> Settings {
    let bundled = demo::find(demo::DEFAULT).unwrap();
    let zone: Zone = "Asia/Jerusalem".parse().unwrap();
    Settings {
        source: Source::Demo {
            name: bundled.name.to_owned(),
        },
        question: bundled.question.to_owned(),
        since: bundled.since.to_owned(),
        until: Some(bundled.until.to_owned()),
        reading: parse_window(bundled.since, Some(bundled.until), bundled.now(), &zone).unwrap(),
        baseline: None,
        dashboard: None,
        zone,
        hours: HourStyle::TwentyFour,
        now: bundled.now(),
        namespace: None,
        service: None,
        no_input: true,
        yes: false,
        pcap: false,
        snapshot: None,
        task: Task::Investigate,
        playbook: playbook::read(include_str!("../playbooks/network-rca.yaml")).unwrap(),
        model: None,
        unread: None,
        notes: Vec::new(),
    }
}

fn opening() -> Entry {
    let settings = settings();
    Entry::Opened {
        format: FORMAT,
        agent: "benchmark".to_owned(),
        case: CASE.to_owned(),
        created: settings.now,
        settings: Box::new(settings),
    }
}

async fn record(dir: &Path) -> f64 {
    let hub = Hub::new(
        demo::capture(demo::DEFAULT).unwrap().unwrap(),
        hub::Options::default(),
    );
    let endpoint = Endpoint::in_process(move || hub::duplex(&hub));
    let mut effects = LiveEffects::new(
        endpoint,
        Limits::default(),
        Redactor::new(CASE),
        Box::new(Nobody),
        dir.to_owned(),
    );
    let mut journal = CaseJournal::open(dir, Recording::nothing()).unwrap();
    let mut machine = Machine::new(CASE, settings());
    let started = Instant::now();
    driver::drive(
        &mut machine,
        opening(),
        &mut effects,
        &mut journal,
        &mut Unwatched,
    )
    .await
    .unwrap();
    started.elapsed().as_secs_f64() * 1e3
}

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let live_ms = record(dir.path()).await;
    let (mut reading, mut deciding, mut telling) = (0.0, 0.0, 0.0);
    let mut spent = None;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let recording = journal::read(dir.path()).unwrap();
        reading += started.elapsed().as_secs_f64() * 1e3;

        let started = Instant::now();
        let mut machine = Machine::new(CASE, settings());
        let mut replay = CaseJournal::replay(recording);
        driver::drive(
            &mut machine,
            opening(),
            &mut NoEffects,
            &mut replay,
            &mut Unwatched,
        )
        .await
        .unwrap();
        deciding += started.elapsed().as_secs_f64() * 1e3;

        let started = Instant::now();
        let State::Concluded(finding) = machine.state() else {
            panic!("no finding")
        };
        let report = report::report(machine.case(), finding, settings().now);
        let document = report::document(&report, &settings().clock(), report::Detail::Full);
        let length = report::markdown(&document).len() + report::text(&document, 110).len();
        assert!(length > 1000);
        telling += started.elapsed().as_secs_f64() * 1e3;
        spent = Some(machine.case().spent);
    }
    let spent = spent.unwrap();
    let each = f64::from(ROUNDS);
    println!(
        "an investigation of the bundled incident: {} tool calls, {} bytes of answers",
        spent.calls, spent.bytes
    );
    println!(
        "  live, with the embedded hub   {live_ms:8.1} ms, of which {} ms in tools and waiting",
        spent.millis
    );
    println!("  read the journal back         {:8.1} ms", reading / each);
    println!("  decide, rule, read answers    {:8.1} ms", deciding / each);
    println!("  make the report, two formats  {:8.1} ms", telling / each);
    println!(
        "harness: {:.1} % of the live run",
        (deciding + telling) / each / live_ms * 100.0
    );
}
