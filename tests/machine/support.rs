//! Settings, a recorded case, and a world that answers from it.

use std::{collections::VecDeque, path::Path};

use rca_agent::{
    driver::{self, Effects, Performed, Unwatched},
    effects::{LiveEffects, Nobody},
    hub::{self, Capture, Hub},
    investigation::{
        Action, Failure, FailureKind, Machine, Observation, Playbook, Settings, Task, settings::Source,
    },
    journal::{CaseJournal, Entry, FORMAT, Recording, redact::Redactor},
    kubeshark::{Endpoint, Limits},
    time::{HourStyle, Utc, Zone, parse_window},
    wire::Operation,
};

pub(crate) const CASE: &str = "2026-11-23-0430-te";

pub(crate) fn utc(text: &str) -> Utc {
    text.parse().unwrap()
}

pub(crate) fn playbook() -> Playbook {
    rca_agent::playbook::read(include_str!("../../playbooks/network-rca.yaml")).unwrap()
}

pub(crate) fn settings() -> Settings {
    let zone: Zone = "Asia/Jerusalem".parse().unwrap();
    let now = utc("2026-11-23T02:30:00Z");
    let (since, until) = ("2026-11-23T01:34:05Z", "2026-11-23T01:34:39Z");
    Settings {
        source: Source::Capture {
            path: "tests/captures/short".to_owned(),
        },
        question: "what broke?".to_owned(),
        since: since.to_owned(),
        until: Some(until.to_owned()),
        reading: parse_window(since, Some(until), now, &zone).unwrap(),
        baseline: None,
        dashboard: None,
        zone,
        hours: HourStyle::TwentyFour,
        now,
        namespace: None,
        service: None,
        no_input: true,
        yes: false,
        pcap: false,
        snapshot: None,
        task: Task::Investigate,
        playbook: playbook(),
        model: None,
        unread: None,
        notes: Vec::new(),
    }
}

pub(crate) fn opening() -> Entry {
    opening_of(settings())
}

fn opening_of(settings: Settings) -> Entry {
    Entry::Opened {
        format: FORMAT,
        agent: "test".to_owned(),
        case: CASE.to_owned(),
        created: utc("2026-11-23T02:30:00Z"),
        settings: Box::new(settings),
    }
}

/// Runs an investigation of the short capture into `dir`.
pub(crate) async fn investigate(dir: &Path) -> Machine {
    run(dir, settings()).await
}

/// Runs whatever the settings ask of the short capture into `dir`.
pub(crate) async fn run(dir: &Path, settings: Settings) -> Machine {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/short");
    let hub = Hub::new(Capture::open(&path).unwrap(), hub::Options::default());
    let endpoint = Endpoint::in_process(move || hub::duplex(&hub));
    let mut effects = LiveEffects::new(
        endpoint,
        Limits::default(),
        Redactor::new(CASE),
        Box::new(Nobody),
        dir.to_owned(),
    );
    let mut journal = CaseJournal::open(dir, Recording::nothing()).unwrap();
    let opening = opening_of(settings.clone());
    let mut machine = Machine::new(CASE, settings);
    driver::drive(&mut machine, opening, &mut effects, &mut journal, &mut Unwatched)
        .await
        .unwrap();
    machine
}

/// A world in which everything happens as it was recorded.
pub(crate) struct Recorded {
    pairs: VecDeque<(Action, Observation)>,
    pub(crate) performed: usize,
    /// What was not recorded is unavailable, rather than a reason to end.
    pub(crate) forgiving: bool,
    pub(crate) restored: Vec<Operation>,
}

impl Recorded {
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let mut pairs = VecDeque::new();
        let mut pending = None;
        for entry in entries {
            match entry {
                Entry::Requested { action, .. } => pending = Some(action.clone()),
                Entry::Observed { observation } => {
                    pairs.push_back((
                        pending.take().expect("a request before its observation"),
                        observation.clone(),
                    ));
                }
                Entry::Opened { .. } | Entry::Moved { .. } | Entry::Closed { .. } => {}
            }
        }
        Self {
            pairs,
            performed: 0,
            forgiving: false,
            restored: Vec::new(),
        }
    }
}

impl Effects for Recorded {
    fn perform<'a>(&'a mut self, action: &'a Action) -> Performed<'a, Observation> {
        self.performed += 1;
        if self.forgiving && !self.pairs.iter().any(|(recorded, _)| recorded == action) {
            let failure = Failure {
                kind: FailureKind::NotFound,
                message: "this was not recorded".to_owned(),
                hints: Vec::new(),
            };
            return Box::pin(async { Observation::Unavailable { failure } });
        }
        // What a cut recording has answered itself is not asked of the world.
        let observation = loop {
            let (recorded, observation) = self
                .pairs
                .pop_front()
                .expect("the world is asked for what was recorded");
            if &recorded == action {
                break observation;
            }
        };
        Box::pin(async move { observation })
    }

    fn restore<'a>(&'a mut self, done: &'a [Operation]) -> Performed<'a, Result<(), String>> {
        self.restored = done.to_vec();
        Box::pin(async { Ok(()) })
    }
}
