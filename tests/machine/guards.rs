//! Every guard refuses what it is there to refuse.

use std::collections::BTreeSet;

use rca_agent::{
    analysis::{Layer, Naming, Party},
    investigation::{
        Action, Answer, Body, Case, EvidenceId, Finding, Phase, State, Verdict,
        case::Secured,
        consult::{Consultation, Role, answers::About, ground::Grounded},
        finding::{Cause, CauseKind, Confidence, Hop},
        guard::{GUARDS, Proposal, consult, refusal},
        settings::{ModelBudget, ModelSettings, PhaseRules},
        steps::index::Index,
    },
    time::Window,
    wire::{CallForm, Operation, Scope, SnapshotRef},
};
use serde_json::json;

use crate::support::{CASE, settings, utc};

fn window() -> Window {
    Window {
        start: utc("2026-11-23T01:34:00Z"),
        end: utc("2026-11-23T01:35:00Z"),
    }
}

fn snapshot() -> SnapshotRef {
    SnapshotRef {
        id: "snap-1".to_owned(),
        name: "snap".to_owned(),
    }
}

/// A case in which everything is as it should be.
fn good() -> Case {
    let mut case = Case::new(CASE, settings());
    case.healthy = true;
    case.supported = Operation::examples()
        .iter()
        .map(|operation| operation.name().to_owned())
        .collect();
    case.coverage.captured = Some(window());
    case.window = Some(window());
    case.snapshot = Some(Secured {
        reference: snapshot(),
        window: window(),
        completed: true,
        reused: false,
    });
    case.dissected = Some(None);
    case.surveyed = true;
    case.listed = ["node-1/1/0".to_owned()].into();
    case
}

fn scope(filter: &str) -> Scope {
    Scope {
        snapshot: Some(snapshot()),
        dissection: None,
        filter: filter.to_owned(),
        window: Some(window()),
    }
}

fn list(filter: &str) -> Operation {
    Operation::ListCalls {
        scope: scope(filter),
        limit: 1000,
        form: CallForm::Compact,
    }
}

fn act(call: Operation) -> Action {
    Action::Query {
        why: "test".to_owned(),
        calls: vec![call],
    }
}

/// Which guard refuses the call, if any.
fn refused(case: &Case, call: Operation) -> Option<String> {
    refused_in(case, Phase::Survey, &act(call))
}

fn refused_in(case: &Case, phase: Phase, action: &Action) -> Option<String> {
    let rulings = consult(case, &Proposal::Act { phase, action });
    assert!(!rulings.is_empty(), "no guard was asked");
    refusal(&rulings).map(|refusal| refusal.guard)
}

fn refused_move(case: &Case, from: Phase, to: &State) -> Option<String> {
    refusal(&consult(case, &Proposal::Move { from, to })).map(|refusal| refusal.guard)
}

fn party(name: &str) -> Party {
    Party {
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
        naming: Naming::Service,
    }
}

/// A finding that cites `evidence` everywhere.
fn finding(evidence: &[EvidenceId]) -> Finding {
    Finding {
        causes: vec![Cause {
            party: party("postgres"),
            workload: None,
            kind: CauseKind::Refused,
            endpoint: None,
            onset: Some(utc("2026-11-23T01:34:12Z")),
            ended: None,
            explanation: String::new(),
            factors: Vec::new(),
            evidence: evidence.to_vec(),
        }],
        path: vec![Hop {
            from: party("inventory"),
            to: party("postgres"),
            layer: Layer::Tcp,
            first_abnormal: utc("2026-11-23T01:34:12Z"),
            ended: utc("2026-11-23T01:34:13Z"),
            what: String::new(),
            evidence: evidence.to_vec(),
        }],
        ..Finding::bare(Verdict::RootCause, Confidence::High, Vec::new())
    }
}

fn concluded(finding: Finding) -> State {
    State::Concluded(Box::new(finding))
}

fn with_evidence() -> (Case, EvidenceId) {
    let mut case = good();
    let answer = Answer {
        tool: "list_api_calls".to_owned(),
        arguments: json!({}),
        took_ms: 1,
        bytes: 2,
        result: Ok(Body {
            sha256: "00".to_owned(),
            value: json!({}),
        }),
    };
    let id = case.file(&answer, json!({ "calls": 3 })).unwrap();
    (case, id)
}

#[test]
fn a_case_in_order_is_allowed_everything_it_needs() {
    let case = good();
    for call in [
        list("http && status_code >= 500"),
        Operation::CountCalls { scope: scope("dns") },
        Operation::CallDetail {
            scope: scope(""),
            call: "node-1/1/0".to_owned(),
            node_id: None,
            max_payload_bytes: 1,
        },
        Operation::CreateSnapshot {
            name: "x".to_owned(),
            window: window(),
            nodes: Vec::new(),
        },
        Operation::StartDissection {
            snapshot: snapshot(),
            name: "x".to_owned(),
        },
        Operation::ExportPcap {
            snapshot: snapshot(),
            nodes: Vec::new(),
            bpf: None,
            window: None,
        },
    ] {
        assert_eq!(refused(&case, call.clone()), None, "{call:?}");
    }
    let (case, id) = with_evidence();
    assert_eq!(
        refused_move(&case, Phase::Conclude, &concluded(finding(&[id]))),
        None
    );
}

#[test]
fn each_guard_refuses() {
    let mut seen = BTreeSet::new();
    let mut expect = |guard: &str, by: Option<String>| {
        assert_eq!(by.as_deref(), Some(guard));
        seen.insert(guard.to_owned());
    };

    let mut case = good();
    case.healthy = false;
    expect("health-first", refused(&case, Operation::DataBoundaries));
    assert_eq!(
        refused(&case, Operation::CheckStatus),
        None,
        "the health check itself is allowed"
    );

    expect(
        "allowed-tools",
        refused(&good(), Operation::UploadSnapshot { snapshot: snapshot() }),
    );
    let mut approved = good();
    approved.settings.yes = true;
    assert_eq!(
        refused(&approved, Operation::UploadSnapshot { snapshot: snapshot() }),
        None,
        "--yes allows it"
    );

    let mut case = good();
    case.supported.remove("list_calls");
    expect("known-tools", refused(&case, list("http")));

    let outside = Window {
        start: utc("2026-11-23T01:00:00Z"),
        ..window()
    };
    let create = |window| Operation::CreateSnapshot {
        name: "x".to_owned(),
        window,
        nodes: Vec::new(),
    };
    expect("boundaries-before-snapshot", refused(&good(), create(outside)));
    let mut case = good();
    case.coverage.captured = None;
    expect("boundaries-before-snapshot", refused(&case, create(window())));

    let mut case = good();
    case.snapshot.as_mut().unwrap().completed = false;
    expect(
        "snapshot-completed",
        refused(
            &case,
            Operation::StartDissection {
                snapshot: snapshot(),
                name: "x".to_owned(),
            },
        ),
    );
    let mut case = good();
    case.snapshot = None;
    expect("snapshot-completed", refused(&case, list("http")));

    let mut case = good();
    case.dissected = None;
    expect("dissected-before-queries", refused(&case, list("http")));
    let live = |window| Operation::CountCalls {
        scope: Scope {
            snapshot: None,
            window,
            ..scope("http")
        },
    };
    // Live traffic is asked only where the server said that it is dissected, and not beyond that.
    expect("dissected-before-queries", refused(&good(), live(Some(window()))));
    let mut dissecting = good();
    dissecting.live = Some(window());
    assert_eq!(refused(&dissecting, live(Some(window()))), None);

    let wide = Scope {
        window: Some(outside),
        ..scope("http")
    };
    expect(
        "window-inside-snapshot",
        refused(&good(), Operation::CountCalls { scope: wide }),
    );
    for window in [Some(outside), None] {
        expect("window-inside-snapshot", refused(&dissecting, live(window)));
    }

    let mut case = good();
    case.surveyed = false;
    expect("statistics-first", refused(&case, list("http")));
    let unlisted = Operation::CallDetail {
        scope: scope(""),
        call: "node-9/9/9".to_owned(),
        node_id: None,
        max_payload_bytes: 1,
    };
    expect("statistics-first", refused(&good(), unlisted));

    for wrong in [
        "http && response.status == 500",
        "status_code == \"500\"",
        "http and dns",
        "dst.ns == \"shop\"",
    ] {
        expect("checked-filter", refused(&good(), list(wrong)));
    }

    let export = |bpf: &str| Operation::ExportPcap {
        snapshot: snapshot(),
        nodes: Vec::new(),
        bpf: Some(bpf.to_owned()),
        window: None,
    };
    expect("checked-packet-filter", refused(&good(), export("host payments")));
    assert_eq!(refused(&good(), export("host 10.1.2.3 and tcp port 80")), None);

    let mut case = good();
    case.settings.playbook.budget.calls = 0;
    expect("budget", refused(&case, list("http")));
    let mut case = good();
    case.spent.bytes = case.settings.playbook.budget.bytes;
    expect("budget", refused(&case, list("http")));
    let mut case = good();
    case.spent.millis = case.settings.playbook.budget.seconds * 1000;
    expect("budget", refused(&case, list("http")));

    let mut case = good();
    case.snapshot.as_mut().unwrap().window.start = utc("2026-11-23T01:34:30Z");
    expect(
        "window-covered",
        refused_move(&case, Phase::Secure, &State::Index(Index::new(&case))),
    );

    let (case, id) = with_evidence();
    let conclude = |finding| refused_move(&case, Phase::Conclude, &concluded(finding));
    expect("cited-evidence", conclude(finding(&[])));
    expect(
        "cited-evidence",
        conclude(finding(&[EvidenceId("E99".to_owned())])),
    );
    let mut nameless = finding(std::slice::from_ref(&id));
    nameless.causes.clear();
    expect("cited-evidence", conclude(nameless));

    let mut late = finding(std::slice::from_ref(&id));
    late.causes[0].onset = Some(utc("2026-11-23T01:34:20Z"));
    expect("cause-before-effect", conclude(late));

    let mut calm = finding(&[id]);
    calm.verdict = Verdict::NoAnomaly;
    expect("positive-control", conclude(calm));

    // What a model asks for is held to less than the phases before it may ask.
    let probe = |call| refused_in(&good(), Phase::Probe, &act(call));
    assert_eq!(probe(list("http")), None);
    expect("model-tools", probe(Operation::ListSnapshots));
    let workloads = |snapshot| Operation::ListWorkloads {
        snapshot,
        namespaces: Vec::new(),
        name: None,
        name_regex: None,
        kind: None,
        labels: Vec::new(),
    };
    assert_eq!(probe(workloads(Some(snapshot()))), None);
    expect("model-tools", probe(workloads(None)));

    let ask = |case: &Case| refused_in(case, Phase::Hypothesise, &question());
    expect("model-budget", ask(&good()));
    let mut case = with_model(good());
    assert_eq!(ask(&case), None);
    case.settings.model.as_mut().unwrap().budget.calls = 0;
    expect("model-budget", ask(&case));
    let mut case = with_model(good());
    case.settings.model.as_mut().unwrap().budget.tokens = 10;
    expect("model-budget", ask(&case));

    let (case, id) = with_evidence();
    let mut case = with_model(case);
    let conclude = |case: &Case| {
        refused_move(
            case,
            Phase::Conclude,
            &concluded(finding(std::slice::from_ref(&id))),
        )
    };
    let sentence = |evidence| Grounded {
        about: About::Cause,
        text: "the database refused connections".to_owned(),
        evidence,
    };
    case.opinion.prose = vec![sentence(vec![id.clone()])];
    assert_eq!(conclude(&case), None);
    for evidence in [vec![], vec![EvidenceId("E99".to_owned())]] {
        case.opinion.prose = vec![sentence(evidence)];
        expect("grounded", conclude(&case));
    }

    for (guard, call) in added() {
        expect(guard, refused(&tightened(guard), call.clone()));
        assert_eq!(
            refused(&good(), call),
            None,
            "`{guard}` is consulted only where a playbook asks for it"
        );
    }
    let mut case = good();
    case.settings.playbook.phases = vec![rules(Phase::Secure), rules(Phase::Survey)];
    expect(
        "playbook-phases",
        refused_move(&case, Phase::Secure, &State::Index(Index::new(&case))),
    );

    // The machine takes note of what was asked when it settles: see below.
    seen.extend(["fresh-query", "no-changes"].map(str::to_owned));
    let all: BTreeSet<String> = GUARDS.iter().map(|guard| guard.name.to_owned()).collect();
    assert_eq!(seen, all, "every guard has its case here");
}

fn with_model(mut case: Case) -> Case {
    case.settings.model = Some(ModelSettings {
        name: "test".to_owned(),
        url: None,
        temperature: None,
        effort: None,
        digest_tokens: 1000,
        budget: ModelBudget {
            calls: 5,
            tokens: 50_000,
            money: None,
        },
        prices: None,
    });
    case
}

/// Something to ask a model.
fn question() -> Action {
    Action::Consult {
        consultation: Box::new(Consultation {
            role: Role::Hypothesise,
            facts: json!({}),
            task: json!({}),
            rejected: Vec::new(),
            fence: "fence".to_owned(),
            canary: "canary".to_owned(),
        }),
    }
}

fn rules(phase: Phase) -> PhaseRules {
    PhaseRules {
        phase,
        guards: Vec::new(),
        tools: None,
    }
}

/// A good case whose playbook asks for this guard, or allows nothing but statistics.
fn tightened(guard: &str) -> Case {
    let mut case = good();
    case.settings.yes = true;
    case.settings.namespace = Some("shop".to_owned());
    let mut survey = rules(Phase::Survey);
    if guard == "playbook-tools" {
        survey.tools = Some(vec!["api_stats".to_owned()]);
    } else {
        survey.guards.push(guard.to_owned());
    }
    case.settings.playbook.phases = vec![survey];
    case
}

/// What each guard that a playbook can add refuses, and nobody else.
fn added() -> Vec<(&'static str, Operation)> {
    let full = Operation::ListCalls {
        scope: scope("http"),
        limit: 10,
        form: CallForm::Full,
    };
    let dissect = Operation::StartDissection {
        snapshot: snapshot(),
        name: "x".to_owned(),
    };
    vec![
        ("playbook-tools", list("http")),
        ("read-only", dissect),
        ("no-payloads", full),
        ("one-namespace", list("http")),
    ]
}

#[test]
fn a_playbook_can_forbid_what_yes_allows() {
    let upload = Operation::UploadSnapshot { snapshot: snapshot() };
    let mut case = good();
    case.settings.yes = true;
    assert_eq!(refused(&case, upload.clone()), None);
    assert_eq!(
        refused(&tightened("no-changes"), upload),
        Some("no-changes".to_owned())
    );
    let limited = list("http && dst.namespace == \"shop\"");
    assert_eq!(refused(&tightened("one-namespace"), limited), None);
}

#[test]
fn the_same_query_is_not_asked_twice() {
    let mut machine = rca_agent::investigation::Machine::new(CASE, settings());
    let call = list("http");
    let action = act(call.clone());
    // Any phase will do: what is charged is remembered.
    let observation = rca_agent::investigation::Observation::Answers { answers: Vec::new() };
    machine
        .settle(
            Some(&action),
            rca_agent::investigation::Seen::Observed(observation),
        )
        .unwrap();
    assert!(!good().has_asked(&call));
    let mut case = machine.case().clone();
    assert!(case.has_asked(&call));
    let ready = good();
    case.healthy = true;
    case.supported = ready.supported;
    case.snapshot = ready.snapshot;
    case.dissected = ready.dissected;
    case.surveyed = true;
    assert_eq!(refused(&case, call), Some("fresh-query".to_owned()));
}
