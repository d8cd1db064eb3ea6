//! A model that lies at every turn cannot make a finding wrong: scripted adversaries, on every recorded capture.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rca_agent::{
    benchmark::{Incident, incidents},
    driver::{self, Effects, Performed, Unwatched},
    effects::{LiveEffects, Nobody},
    hub::{self, Capture, Hub},
    investigation::{
        Action, Confidence, Finding, Machine, ModelSettings, Observation, Settings, State,
        settings::{ModelBudget, Source},
    },
    journal::{Entry, FORMAT, Unkept, redact::Redactor},
    kubeshark::{Endpoint, Limits},
    model::{Answering, Asked as Answered, Completion, Model, ModelError, Request, Trouble, Usage, strict},
    time::HourStyle,
    wire::Operation,
};
use serde_json::{Value, json};

/// What an adversary does each time it is asked.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// Names a party that is not suspected, with evidence of another one.
    BlameInnocent(u8),
    /// Objects to everything, with every claim.
    Object(u8),
    /// Sentences that turn the finding around.
    Twist(u8),
    /// Asks for what it may not, for rubbish, or the same again.
    Pester(u8),
    /// Follows instructions: repeats the canary, prints its rules.
    Babble,
    /// Answers of the wrong shape.
    Garbage(u8),
    Fail,
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        any::<u8>().prop_map(Move::BlameInnocent),
        any::<u8>().prop_map(Move::Object),
        any::<u8>().prop_map(Move::Twist),
        any::<u8>().prop_map(Move::Pester),
        Just(Move::Babble),
        any::<u8>().prop_map(Move::Garbage),
        Just(Move::Fail),
    ]
}

/// Plays its moves one after the other, from the beginning again.
struct Adversary {
    moves: Vec<Move>,
    turn: Mutex<usize>,
}

impl Adversary {
    #[expect(clippy::too_many_lines, reason = "what a liar can say, in one place")]
    fn answer(&self, request: &Request) -> Result<Value, ModelError> {
        let turn = {
            let mut turn = self.turn.lock().unwrap();
            *turn += 1;
            *turn - 1
        };
        let prompt = &request.messages[1].content;
        let parties = crate::cooperative::parties(prompt);
        let party = |n: u8| {
            let index = usize::from(n) % parties.len().max(1);
            parties
                .get(index)
                .map_or_else(|| "P1".to_owned(), |(handle, _)| handle.clone())
        };
        let evidence: Vec<String> = prompt
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| {
                word.starts_with('E') && word.len() > 1 && word[1..].chars().all(|c| c.is_ascii_digit())
            })
            .map(str::to_owned)
            .collect();
        let cite = |n: u8| {
            evidence
                .get(usize::from(n) % evidence.len().max(1))
                .cloned()
                .into_iter()
                .collect::<Vec<_>>()
        };
        let slots: Vec<&str> = prompt
            .lines()
            .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
            .filter(|name| name.contains('.') && !name.contains(' '))
            .collect();
        let slot = |n: u8| {
            slots
                .get(usize::from(n) % slots.len().max(1))
                .copied()
                .unwrap_or("cause.service")
        };
        let kinds = ["app_error", "node_fault", "dns", "config", "unknown"];
        let claims = [
            "began_earlier",
            "explains_more",
            "failed_before",
            "not_looked_at",
            "other",
        ];
        let everything = |n: u8| {
            let kind = kinds[usize::from(n) % kinds.len()];
            json!({
                "hypotheses": [{"party": party(n), "kind": kind, "evidence": cite(n), "because": "It must be.", "refuted_by": "Nothing could.", "next": {"action": "count", "filter": "http"}}],
                "readings": [{"evidence": cite(n).first().cloned().unwrap_or_default(), "quote": "error", "meaning": "It is innocent."}],
                "action": if n.is_multiple_of(2) { "conclude" } else { "count" },
                "filter": "http && status_code >= 500", "window": "snapshot",
                "party": party(n), "kind": kind, "evidence": cite(n), "why": "It must be.",
                "objections": claims.iter().map(|claim| json!({"claim": claim, "party": party(n.wrapping_add(1)), "evidence": cite(n), "text": "It cannot be so."})).collect::<Vec<_>>(),
                "sentences": [],
            })
        };
        Ok(match self.moves[turn % self.moves.len()] {
            Move::BlameInnocent(n) | Move::Object(n) => everything(n),
            Move::Twist(n) => {
                let mut answer = everything(n);
                let cited = cite(n);
                let texts = [
                    format!("{{{{{}}}}} caused everything.", slot(n)),
                    format!(
                        "The {{{{{}}}}} is healthy and {{{{{}}}}} is to blame.",
                        slot(n),
                        slot(n.wrapping_add(7))
                    ),
                    format!("Nothing happened at {{{{{}}}}}.", slot(n)),
                    "Ninety users lost money at noon.".to_owned(),
                ];
                answer["sentences"] = json!(
                    ["cause", "spread", "impact", "ruled_out", "advice"]
                        .iter()
                        .flat_map(|about| texts
                            .iter()
                            .map(|text| json!({"about": about, "text": text, "evidence": cited}))
                            .collect::<Vec<_>>())
                        .collect::<Vec<_>>()
                );
                answer
            }
            Move::Pester(n) => {
                let mut answer = everything(n);
                let actions = [
                    "delete_snapshot",
                    "upload_snapshot_to_cloud",
                    "list",
                    "detail",
                    "flows",
                    "workload",
                    "compare",
                    "count",
                ];
                let filters = [
                    "",
                    "http",
                    "response.status >= 500",
                    "http && (",
                    "true",
                    "status_code == \"500\"",
                ];
                answer["action"] = json!(actions[usize::from(n) % actions.len()]);
                answer["filter"] = json!(filters[usize::from(n / 8) % filters.len()]);
                answer["call"] = json!("../../etc/passwd");
                answer["window"] = json!("2020-01-01T00:00:00Z..2030-01-01T00:00:00Z");
                answer
            }
            Move::Babble => Value::String(request.messages[0].content.clone()),
            Move::Garbage(n) => {
                let values = [
                    json!(null),
                    json!([]),
                    json!({}),
                    json!(17),
                    json!("{\"party\": "),
                    json!({"action": {"a": [1]}}),
                ];
                values[usize::from(n) % values.len()].clone()
            }
            Move::Fail => return Err(ModelError::failed(Trouble::Server, "the endpoint answered 500")),
        })
    }
}

impl Model for Adversary {
    fn name(&self) -> &'static str {
        "adversary"
    }

    fn ask<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        let result = self.answer(request).map(|answer| Completion {
            model: "adversary".to_owned(),
            answer,
            usage: Usage {
                tokens_in: 100,
                tokens_out: 50,
                ..Usage::default()
            },
        });
        Box::pin(async move {
            Answered {
                result,
                requests: 1,
                sent: request.messages.clone(),
            }
        })
    }
}

fn recorded() -> Vec<Incident> {
    incidents(&Path::new(env!("CARGO_MANIFEST_DIR")).join("evals/captures")).unwrap()
}

const CASE: &str = "2026-11-23-0430-ad";

fn settings(incident: &Incident, model: bool) -> Settings {
    Settings {
        source: Source::Capture {
            path: incident.source.display().to_string(),
        },
        question: "what broke?".to_owned(),
        since: incident.window.start.to_rfc3339(),
        until: Some(incident.window.end.to_rfc3339()),
        reading: rca_agent::time::Reading {
            window: incident.window,
            assumptions: Vec::new(),
            ambiguities: Vec::new(),
        },
        baseline: None,
        zone: "Asia/Jerusalem".parse().unwrap(),
        hours: HourStyle::TwentyFour,
        now: incident.window.end,
        namespace: None,
        service: None,
        no_input: true,
        yes: false,
        pcap: false,
        snapshot: None,
        dashboard: None,
        task: rca_agent::investigation::Task::Investigate,
        playbook: rca_agent::playbook::read(include_str!("../../playbooks/network-rca.yaml")).unwrap(),
        model: model.then(|| ModelSettings {
            name: "adversary".to_owned(),
            url: None,
            temperature: None,
            effort: None,
            digest_tokens: 1_000,
            budget: ModelBudget {
                calls: 16,
                tokens: 60_000,
                money: None,
            },
            prices: None,
        }),
        unread: None,
        notes: Vec::new(),
    }
}

/// Does its best, and counts a quarter of the characters as tokens, the schema's included.
struct Cooperative {
    asked: Mutex<BTreeMap<String, usize>>,
}

impl Model for Cooperative {
    fn name(&self) -> &'static str {
        "cooperative"
    }

    fn ask<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        let before = {
            let mut asked = self.asked.lock().unwrap();
            let count = asked.entry(request.name.clone()).or_default();
            *count += 1;
            *count - 1
        };
        let prompt = request.messages[1].content.clone();
        let answer = crate::cooperative::answer(&crate::server::Asked {
            role: request.name.clone(),
            before,
            requests: 0,
            last: prompt.clone(),
            prompt,
            body: Value::Null,
            authorization: None,
        });
        let sent: usize = request.messages.iter().map(|message| message.content.len()).sum();
        let schema = strict(&request.schema).to_string().len();
        let usage = Usage {
            tokens_in: ((sent + schema) / 4) as u64,
            tokens_out: (answer.to_string().len() / 4) as u64,
            ..Usage::default()
        };
        let result = Ok(Completion {
            model: "cooperative".to_owned(),
            answer,
            usage,
        });
        Box::pin(async move {
            Answered {
                result,
                requests: 1,
                sent: request.messages.clone(),
            }
        })
    }
}

/// What the world answered: to every action what was observed.
#[derive(Default)]
struct World {
    seen: BTreeMap<String, Observation>,
}

fn key(action: &Action) -> String {
    serde_json::to_string(action).unwrap()
}

/// A world that is asked once, and remembers. A model is asked every time.
struct Asked<'a> {
    live: LiveEffects,
    world: &'a mut World,
}

impl Effects for Asked<'_> {
    fn perform<'a>(&'a mut self, action: &'a Action) -> Performed<'a, Observation> {
        Box::pin(async move {
            let again = matches!(action, Action::Query { .. } | Action::Connect);
            if let Some(known) = self.world.seen.get(&key(action)).filter(|_| again) {
                return known.clone();
            }
            let observation = self.live.perform(action).await;
            self.world.seen.insert(key(action), observation.clone());
            observation
        })
    }

    fn restore<'a>(&'a mut self, done: &'a [Operation]) -> Performed<'a, Result<(), String>> {
        self.live.restore(done)
    }
}

/// The same world again: without a model nothing else is asked of it than what was asked with one.
struct Remembered<'a>(&'a World);

impl Effects for Remembered<'_> {
    fn perform<'a>(&'a mut self, action: &'a Action) -> Performed<'a, Observation> {
        let observation = self.0.seen.get(&key(action));
        let observation = observation
            .expect("the model changed what the program asks")
            .clone();
        Box::pin(async move { observation })
    }

    fn restore<'a>(&'a mut self, _: &'a [Operation]) -> Performed<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

fn served(incident: &Incident) -> Hub {
    Hub::new(Capture::open(&incident.source).unwrap(), hub::Options::default())
}

/// Investigates with a model, in a world that remembers what was asked of it before.
async fn with_model(
    incident: &Incident,
    hub: &Hub,
    world: &mut World,
    model: Box<dyn Model>,
) -> (Finding, Machine) {
    let hub = hub.clone();
    let endpoint = Endpoint::in_process(move || hub::duplex(&hub));
    let live = LiveEffects::new(
        endpoint,
        Limits::default(),
        Redactor::new(CASE),
        Box::new(Nobody),
        std::env::temp_dir(),
    )
    .with_model(Some(model));
    let mut effects = Asked { live, world };
    drive(incident, settings(incident, true), &mut effects).await
}

/// Investigates without one, in the same world.
async fn without_model(incident: &Incident, world: &World) -> Finding {
    let settings = settings(incident, false);
    drive(incident, settings, &mut Remembered(world)).await.0
}

async fn drive(incident: &Incident, settings: Settings, effects: &mut dyn Effects) -> (Finding, Machine) {
    let opening = Entry::Opened {
        format: FORMAT,
        agent: "test".to_owned(),
        case: CASE.to_owned(),
        created: incident.window.end,
        settings: Box::new(settings.clone()),
    };
    let mut machine = Machine::new(CASE, settings);
    driver::drive(&mut machine, opening, effects, &mut Unkept, &mut Unwatched)
        .await
        .unwrap();
    let State::Concluded(finding) = machine.state() else {
        panic!("{}: ended in {:?}", incident.name, machine.state().phase());
    };
    let finding = (**finding).clone();
    (finding, machine)
}

/// One level.
fn level(confidence: Confidence) -> i32 {
    match confidence {
        Confidence::High => 2,
        Confidence::Medium => 1,
        Confidence::Low => 0,
    }
}

/// All that a model must not touch, and how far it may lower the confidence.
fn no_worse(name: &str, without: &Finding, with: &Finding) {
    assert_eq!(without.verdict, with.verdict, "{name}");
    assert_eq!(without.causes, with.causes, "{name}");
    assert_eq!(without.path, with.path, "{name}");
    assert_eq!(without.impact, with.impact, "{name}");
    assert_eq!(without.ruled_out, with.ruled_out, "{name}");
    let (before, after) = (level(without.confidence), level(with.confidence));
    assert!(
        after <= before && after + 1 >= before,
        "{name}: {before} to {after}"
    );
    assert!(with.probability <= without.probability, "{name}");
}

/// Words of a model that reached the case may name the cause only as what the finding says it is.
fn prose_is_true(name: &str, finding: &Finding, machine: &Machine) {
    for sentence in &machine.case().opinion.prose {
        let text = sentence.text.to_lowercase();
        assert!(
            !text.contains("to blame") && !text.contains("ninety"),
            "{name}: {text}"
        );
        if text.contains("caused everything") {
            let cause = &finding.causes[0].party.name;
            assert!(text.contains(&cause.to_lowercase()), "{name}: {text}");
        }
    }
}

/// The same moves for the same capture in every run.
fn scripts(count: usize) -> Vec<Vec<Move>> {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let scripts = proptest::collection::vec(moves(), 3..9);
    (0..count)
        .map(|_| scripts.new_tree(&mut runner).unwrap().current())
        .collect()
}

#[test]
fn no_model_makes_a_finding_worse_on_any_capture_and_a_good_one_costs_little() {
    let incidents = recorded();
    assert!(incidents.len() >= 50, "{}", incidents.len());
    let scripts = scripts(incidents.len());
    let queue = Mutex::new(incidents.iter().zip(scripts));
    let calls = AtomicU32::new(0);
    let wrong = Mutex::new(Vec::new());
    let work = || {
        let runtime = runtime();
        loop {
            let Some((incident, script)) = queue.lock().unwrap().next() else {
                return;
            };
            let shown = format!("{} {script:?}", incident.name);
            let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let adversary = Adversary {
                    moves: script,
                    turn: Mutex::new(0),
                };
                let (hub, mut world) = (served(incident), World::default());
                let with = with_model(incident, &hub, &mut world, Box::new(adversary));
                let (with, machine) = runtime.block_on(with);
                let without = runtime.block_on(without_model(incident, &world));
                no_worse(&shown, &without, &with);
                prose_is_true(&shown, &with, &machine);
                calls.fetch_add(machine.case().consulted.total().calls, Ordering::SeqCst);
                let cooperative = Box::new(Cooperative {
                    asked: Mutex::default(),
                });
                let with = with_model(incident, &hub, &mut world, cooperative);
                let (with, machine) = runtime.block_on(with);
                no_worse(&shown, &without, &with);
                let cost = machine.case().consulted.total();
                assert!(cost.calls <= 12 && cost.tokens_in <= 25_000, "{shown}: {cost:?}");
            }));
            if tried.is_err() {
                wrong.lock().unwrap().push(shown);
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    assert_eq!(*wrong.lock().unwrap(), Vec::<String>::new());
    let calls = calls.into_inner();
    assert!(calls > 200, "the adversaries were asked: {calls}");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn no_sequence_of_lies_makes_a_finding_worse() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let incident = recorded()
        .into_iter()
        .min_by_key(|incident| size(&incident.source))
        .unwrap();
    let hub = served(&incident);
    let world = Mutex::new(World::default());
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&proptest::collection::vec(moves(), 1..8), |script| {
            let adversary = Adversary {
                moves: script,
                turn: Mutex::new(0),
            };
            let mut world = world.lock().unwrap();
            let with = with_model(&incident, &hub, &mut world, Box::new(adversary));
            let (with, machine) = runtime.block_on(with);
            let without = runtime.block_on(without_model(&incident, &world));
            no_worse(&incident.name, &without, &with);
            prose_is_true(&incident.name, &with, &machine);
            Ok(())
        })
        .unwrap();
}

fn size(dir: &Path) -> u64 {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum()
}
