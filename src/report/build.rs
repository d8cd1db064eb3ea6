//! Makes the report of a finding. Times become local here; numbers come from the finding and the evidence.

use super::{
    graph::graph,
    model::{
        Attachment, Cost, Coverage, Evidence, Hop, Impact, Moment, Refusal, Report, RootCause, RuledOut,
        SCHEMA, Stretch, Suspect, Window,
    },
    picture::CommonFactor,
    repeat::{dashboard, repeat},
    series::{nodes, series},
};
use crate::{
    analysis::{Factor, Layer, Naming, Party},
    investigation::{
        Case, EvidenceId, Finding, Verdict,
        finding::{Cause, CauseKind},
        steps::window::retention,
    },
    time::{self, Clock, Utc},
};

/// The report of a concluded case. `created` is when the case was opened.
#[expect(clippy::too_many_lines, reason = "one line a field")]
pub fn report(case: &Case, finding: &Finding, created: Utc) -> Report {
    let clock = case.settings.clock();
    let window = case.asked_window.unwrap_or(case.when.window);
    Report {
        schema: SCHEMA.to_owned(),
        case: case.id.clone(),
        question: case.settings.question.clone(),
        created: clock.rfc3339(created),
        window: Window {
            start: clock.rfc3339(window.start),
            end: clock.rfc3339(window.end),
            zone: clock.zone.name().to_owned(),
            assumptions: case.assumptions.clone(),
        },
        verdict: finding.verdict,
        confidence: finding.confidence,
        probability: (finding.probability * 100.0).round() / 100.0,
        because: finding.because.clone(),
        about: finding.about.clone(),
        summary: summary(case, finding, &clock),
        root_causes: finding
            .causes
            .iter()
            .map(|cause| root_cause(cause, &clock))
            .collect(),
        suspects: finding
            .suspects
            .iter()
            .map(|named| Suspect {
                service: service(&named.party),
                namespace: named.party.namespace.clone(),
                workload: named.workload.clone(),
                kind: named.kind,
                score: (named.score * 1000.0).round() / 1000.0,
                why: named.why.clone(),
            })
            .collect(),
        path: finding
            .path
            .iter()
            .map(|hop| Hop {
                from: hop.from.name.clone(),
                to: hop.to.name.clone(),
                first_abnormal: clock.rfc3339(hop.first_abnormal),
                what: hop.what.clone(),
                evidence: ids(&hop.evidence),
            })
            .collect(),
        graph: graph(case, finding, &clock),
        over_time: series(case, finding, &clock),
        impact: finding
            .impact
            .iter()
            .map(|impact| Impact {
                service: impact.party.name.clone(),
                namespace: impact.party.namespace.clone(),
                what: impact.what.clone(),
                evidence: ids(&impact.evidence),
            })
            .collect(),
        ruled_out: finding
            .ruled_out
            .iter()
            .map(|out| RuledOut {
                service: out.party.name.clone(),
                namespace: out.party.namespace.clone(),
                reason: out.reason.clone(),
                evidence: ids(&out.evidence),
            })
            .collect(),
        timeline: timeline(case, &clock),
        evidence: case
            .evidence
            .all()
            .iter()
            .map(|evidence| Evidence {
                id: evidence.id.0.clone(),
                tool: evidence.tool.clone(),
                arguments: evidence.arguments.clone(),
                result_sha256: evidence.result_sha256.clone(),
                facts: evidence.facts.clone(),
                excerpt: evidence.excerpt.clone(),
            })
            .collect(),
        coverage: coverage(case, &clock),
        model: super::opinion::model(case),
        refusals: case
            .refusals
            .iter()
            .map(|note| Refusal {
                guard: note.guard.clone(),
                why: note.why.clone(),
                times: note.times,
            })
            .collect(),
        attachments: case
            .attachments
            .iter()
            .map(|a| Attachment {
                file: a.file.clone(),
                what: a.what.clone(),
                sha256: a.sha256.clone(),
            })
            .collect(),
        next: finding.next.clone(),
        cost: cost(case),
        repeat: repeat(case),
        dashboard: dashboard(case),
    }
}

pub(super) fn ids(ids: &[EvidenceId]) -> Vec<String> {
    ids.iter().map(|id| id.0.clone()).collect()
}

/// A fault of a node is of no service.
fn service(party: &Party) -> Option<String> {
    (party.naming != Naming::Node).then(|| party.name.clone())
}

fn root_cause(cause: &Cause, clock: &Clock) -> RootCause {
    RootCause {
        service: service(&cause.party),
        namespace: cause.party.namespace.clone(),
        workload: cause.workload.clone(),
        kind: cause.kind,
        endpoint: cause.endpoint.clone(),
        onset: cause.onset.map(|onset| clock.rfc3339(onset)),
        ended: cause.ended.map(|ended| clock.rfc3339(ended)),
        explanation: cause.explanation.clone(),
        factors: cause.factors.iter().take(FACTORS).map(factor).collect(),
        evidence: ids(&cause.evidence),
    }
}

/// Factors of a cause that are told; what follows says the same in other words.
const FACTORS: usize = 6;

fn factor(factor: &Factor) -> CommonFactor {
    CommonFactor {
        dimension: factor.dimension.to_string(),
        value: factor.value.clone(),
        failing: factor.failing.0,
        failing_of: factor.failing.1,
        good: factor.good.0,
        good_of: factor.good.1,
        lift: (factor.lift() * 100.0).round() / 100.0,
    }
}

/// A layer as the report names it.
pub(super) fn protocol(layer: Layer) -> String {
    serde_json::to_value(layer)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn timeline(case: &Case, clock: &Clock) -> Vec<Moment> {
    let mut events: Vec<_> = case.events.iter().collect();
    events.sort_by_key(|event| event.at);
    events
        .into_iter()
        .map(|event| Moment {
            at: clock.rfc3339(event.at),
            local: clock.at(event.at),
            what: event.what.clone(),
            evidence: ids(&event.evidence),
        })
        .collect()
}

pub(super) fn stretch(window: &time::Window, clock: &Clock) -> Stretch {
    Stretch {
        start: clock.rfc3339(window.start),
        end: clock.rfc3339(window.end),
    }
}

fn coverage(case: &Case, clock: &Clock) -> Coverage {
    let dissected = case.coverage.secured.filter(|_| case.dissected.is_some());
    let (nodes, minutes_from) = nodes(case, clock);
    Coverage {
        asked: stretch(&case.when.window, clock),
        captured: case.coverage.captured.map(|window| stretch(&window, clock)),
        dissected: dissected.map(|window| stretch(&window, clock)),
        entries: case.coverage.entries,
        retention: retention(case),
        nodes,
        minutes_from,
        not_seen: case.coverage.not_seen.clone(),
        truncated: case.coverage.gaps(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a run lasts less than 2^52 ms")]
fn cost(case: &Case) -> Cost {
    let model = case.consulted.total();
    Cost {
        tool_calls: case.spent.calls,
        bytes_in: case.spent.bytes,
        model_calls: model.calls,
        tokens_in: model.tokens_in,
        tokens_out: model.tokens_out,
        seconds: case.spent.millis as f64 / 1e3,
        roles: super::opinion::roles(case),
        money: case
            .settings
            .model
            .as_ref()
            .and_then(|model| model.prices)
            .map(|_| (case.consulted.money * 1e6).round() / 1e6),
    }
}

/// Who is at fault, and what it does or, where that is over, did: ("shop/postgres", "refused connections").
pub(super) fn said(
    service: Option<&str>,
    workload: Option<&str>,
    kind: CauseKind,
    over: bool,
) -> (String, String) {
    match (service, kind) {
        (None, _) => (
            format!("the node {}", workload.unwrap_or("of it")),
            if over { "failed" } else { "fails" }.to_owned(),
        ),
        (Some(service), _) if over => (service.to_owned(), did(kind)),
        (Some(service), _) => (service.to_owned(), does(kind).to_owned()),
    }
}

/// The same of what is over.
fn did(kind: CauseKind) -> String {
    match kind {
        CauseKind::BadReplica => return "had one replica that failed".to_owned(),
        CauseKind::NodeFault => return "was on a node that failed".to_owned(),
        _ => {}
    }
    let now = does(kind);
    let (verb, rest) = now.split_once(' ').unwrap_or((now, ""));
    let past = match verb {
        "does" => "did",
        "is" => "was",
        "has" => "had",
        "denies" => "denied",
        "loses" => "lost",
        "behaves" => "behaved",
        "refuses" => "refused",
        "makes" => "made",
        other => return format!("{}ed {rest}", other.strip_suffix('s').unwrap_or(other)),
    };
    format!("{past} {rest}")
}

/// What a kind of cause does, after the name of the service.
fn does(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::AppError => "answers with errors",
        CauseKind::Slow => "answers slowly or not at all",
        CauseKind::Saturation => "is saturated",
        CauseKind::Refused => "refuses connections",
        CauseKind::Reset => "resets connections",
        CauseKind::Blackholed => "does not answer connection attempts",
        CauseKind::PacketLoss => "loses packets",
        CauseKind::Dns => "does not resolve names",
        CauseKind::Auth => "denies access to its callers",
        CauseKind::RateLimit => "limits the rate of its callers",
        CauseKind::BadRequest => "rejects its callers' requests",
        CauseKind::RetryStorm => "repeats calls that fail",
        CauseKind::TrafficSurge => "asks many times as often as before",
        CauseKind::MissingTraffic => "makes calls no longer that it used to make",
        CauseKind::Misroute => "is called in the wrong place",
        CauseKind::BadReplica => "has one replica that fails",
        CauseKind::NodeFault => "is on a node that fails",
        CauseKind::Config => "is misconfigured",
        CauseKind::Unknown => "behaves otherwise than before",
    }
}

fn summary(case: &Case, finding: &Finding, clock: &Clock) -> String {
    let window = case.asked_window.unwrap_or(case.when.window);
    let because = || {
        finding
            .because
            .first()
            .cloned()
            .unwrap_or_else(|| "the evidence is not enough".to_owned())
    };
    match (finding.verdict, finding.causes.first()) {
        (Verdict::RootCause, Some(cause)) => {
            let place = cause
                .party
                .namespace
                .as_ref()
                .map(|ns| format!(" in {ns}"))
                .unwrap_or_default();
            let (from, to) = match (cause.onset, cause.ended) {
                (Some(onset), Some(end)) => (
                    format!("From {}", clock.at(onset)),
                    format!(" until {}", clock.at(end)),
                ),
                (Some(onset), None) => (format!("Since {}", clock.at(onset)), String::new()),
                (None, _) => (
                    "Since before the recorded traffic begins".to_owned(),
                    String::new(),
                ),
            };
            let during = if case.compared_apart {
                "since then"
            } else {
                "in the window"
            };
            let felt = match (
                finding.path.first(),
                finding
                    .impact
                    .iter()
                    .find(|i| Some(&i.party) == finding.path.first().map(|hop| &hop.to)),
            ) {
                (Some(hop), Some(impact)) if hop.to != cause.party => {
                    format!("It was noticed at {}, where {} ({during}).", hop.to, impact.what)
                }
                _ => finding
                    .impact
                    .first()
                    .map(|impact| format!("{} ({during}).", impact.what))
                    .unwrap_or_default(),
            };
            let (who, what) = said(
                service(&cause.party).as_deref(),
                cause.workload.as_deref(),
                cause.kind,
                cause.ended.is_some(),
            );
            format!("{from}{to}, {who}{place} {what}. {felt}")
                .trim_end()
                .to_owned()
        }
        (Verdict::NoAnomaly, _) => {
            let calls: u64 = case
                .picture
                .edges
                .iter()
                .filter(|(key, _)| key.layer.is_request())
                .map(|(_, edge)| edge.during.calls)
                .sum();
            let compared = if case.picture.has_baseline {
                "the time before"
            } else {
                "what is usual"
            };
            format!(
                "In the window {} nothing behaved otherwise than {compared}. {} HTTP calls were looked at.",
                clock.window(&window),
                crate::investigation::words::number(calls)
            )
        }
        (Verdict::NoData, _) => format!("Nothing can be said: {}.", because()),
        (Verdict::Inconclusive | Verdict::RootCause, _) => {
            format!(
                "What happened in {} could not be decided: {}.",
                clock.window(&window),
                because()
            )
        }
    }
}
