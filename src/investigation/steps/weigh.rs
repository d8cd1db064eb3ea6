//! Tries to refute: is the traffic asked about there at all, does a cause precede its effects, does
//! anything else explain as much? What survives is the finding; where nothing does, it says so.

use serde_json::json;

use super::{answers, conclude::Conclude, handoff::Handoff, read};
use crate::{
    analysis::{Layer, Naming, Party, Suspect, suspects},
    investigation::{
        account,
        action::Action,
        case::Case,
        evidence::EvidenceId,
        filters,
        finding::{Confidence, Finding, Verdict},
        machine::{Plan, Seen, State, Step},
        words,
    },
    wire::{Operation, Scope, decode},
};

/// Makes the control query for the workload asked about, then weighs.
#[derive(Clone, Debug, Default)]
pub struct Weigh {
    controlled: bool,
}

impl Weigh {
    pub fn new() -> Self {
        Self::default()
    }

    /// Was the workload the user named captured at all? A count without the condition tells.
    fn control(case: &Case) -> Option<Vec<Operation>> {
        let service = case.settings.service.as_ref()?;
        let party = Party {
            namespace: service.namespace.clone(),
            name: service.name.clone(),
            naming: Naming::Word,
        };
        let scope = |filter: String| Scope {
            snapshot: case.snapshot.as_ref().map(|secured| secured.reference.clone()),
            dissection: case.dissected.clone().flatten(),
            filter,
            window: case.window,
        };
        let calls: Vec<Operation> = [Layer::Http, Layer::Tcp]
            .into_iter()
            .map(|layer| Operation::CountCalls {
                scope: scope(filters::to(layer, &party).to_string()),
            })
            .filter(|call| case.supports(call) && !case.has_asked(call))
            .collect();
        (!calls.is_empty() && case.snapshot.is_some()).then_some(calls)
    }
}

impl Step for Weigh {
    fn plan(&self, case: &Case) -> Plan {
        match Self::control(case) {
            Some(calls) if !self.controlled => Plan::Act(Action::Query {
                why: "was the workload asked about captured at all?".to_owned(),
                calls,
            }),
            _ => Plan::Decide,
        }
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let Seen::Observed(_) = seen else {
            return weigh(case, None);
        };
        let Ok(answers) = answers(seen) else {
            return weigh(case, None);
        };
        let mut calls = 0;
        let mut evidence = Vec::new();
        for answer in &answers {
            match read(answer, decode::calls) {
                Ok(list) => {
                    let total = list.total.unwrap_or(list.calls.len() as u64);
                    calls += total;
                    evidence.extend(case.file(answer, json!({ "matching": total, "window": "during" })));
                }
                Err(failure) => case.coverage.unanswered("the control query", &failure),
            }
        }
        weigh(case, Some(&(calls, evidence)))
    }

    fn refused(&self, case: &mut Case, why: &str) -> State {
        case.coverage
            .not_seen
            .push(format!("the control query was not made: {why}"));
        weigh(case, None)
    }
}

fn weigh(case: &mut Case, control: Option<&(u64, Vec<EvidenceId>)>) -> State {
    let rules = case.settings.playbook.survey.abnormal.clone();
    let seen: u64 = case.picture.edges.values().map(|edge| edge.during.calls).sum();
    let gaps = case.coverage.gaps();
    if seen == 0 && gaps.is_empty() {
        let because = "the dissected snapshot holds no call and no connection in the window".to_owned();
        let next = vec![
            "check which workloads Kubeshark captures (its targeting rules and namespace scope), and the time asked about".to_owned(),
        ];
        return State::Conclude(Conclude::no_data(because, next));
    }
    if let (Some(service), Some((0, evidence))) = (case.settings.service.clone(), control) {
        let cited = evidence
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let because =
            format!("no traffic to {service} was captured in the window, while other traffic was ({cited})");
        case.coverage
            .not_seen
            .push(format!("{service}: no calls and no connections"));
        let next = vec![format!(
            "check the name, and whether Kubeshark captures {service} (targeting rules, namespace scope)"
        )];
        return State::Conclude(Conclude::no_data(because, next));
    }
    let ranked = suspects(&case.picture, &rules);
    let Some(leading) = ranked.first() else {
        return State::Conclude(Conclude::new(nothing(case, &gaps)));
    };
    let finding = found(case, leading, ranked.get(1), &gaps);
    if case.settings.pcap && finding.verdict == Verdict::RootCause {
        return State::Handoff(Handoff::new(finding));
    }
    State::Conclude(Conclude::new(finding))
}

/// Nothing behaves otherwise than before, or not enough was seen to say so.
fn nothing(case: &Case, gaps: &[String]) -> Finding {
    let compared = case.picture.has_baseline;
    let mut because = Vec::new();
    because.extend(gaps.iter().take(2).map(|gap| not_looked_at(gap)));
    if !compared {
        because.push(NO_BASELINE.to_owned());
    }
    because.extend(missing(case));
    let (verdict, confidence) = match (gaps.is_empty(), because.len()) {
        (true, 0) => (Verdict::NoAnomaly, Confidence::High),
        (true, 1) if case.coverage.missing < MUCH => (Verdict::NoAnomaly, Confidence::Medium),
        _ => (Verdict::Inconclusive, Confidence::Low),
    };
    let next = if gaps.is_empty() {
        "if something is broken all the same, it may not show in this traffic: name the service (--service NAMESPACE/NAME) or a wider window (--since, --until)"
    } else {
        "mend what kept queries from being answered (`rca-agent doctor` checks each part), or raise the budget, and ask again"
    };
    Finding {
        verdict,
        confidence,
        because,
        causes: Vec::new(),
        path: Vec::new(),
        impact: Vec::new(),
        ruled_out: account::unchanged(case, None),
        next: vec![next.to_owned()],
    }
}

/// A doubt, where more of the time asked about is missing from the data than its very ends.
fn missing(case: &Case) -> Option<String> {
    const LITTLE: f64 = 0.02;
    let percent = (case.coverage.missing * 100.0).round();
    (case.coverage.missing > LITTLE)
        .then(|| format!("{percent} % of the time asked about is not in the recorded data"))
}

/// From this share on, what is missing may hold all that matters.
const MUCH: f64 = 0.25;

const NO_BASELINE: &str = "nothing was recorded before the window to compare with";

/// From this many doubts on, or this many queries without an answer, a suspect is no cause.
const TOO_MANY: usize = 3;

fn not_looked_at(gap: &str) -> String {
    format!("part of the window was not looked at: {gap}")
}

/// The finding around the leading suspect, with what speaks against it.
fn found(case: &Case, leading: &Suspect, rival: Option<&Suspect>, gaps: &[String]) -> Finding {
    let named = account::cause(case, leading);
    let path = account::path(case, leading);
    let mut doubts = Vec::new();
    if !case.picture.has_baseline {
        doubts.push(NO_BASELINE.to_owned());
    }
    doubts.extend(gaps.first().map(|gap| not_looked_at(gap)));
    doubts.extend(missing(case));
    match named.onset {
        None => doubts.push("no first abnormal call could be found".to_owned()),
        Some(onset) => {
            let earlier = path
                .iter()
                .filter(|hop| hop.ended < onset)
                .min_by_key(|hop| hop.first_abnormal);
            if let Some(hop) = earlier {
                doubts.push(format!(
                    "the call from {} to {} failed before the cause did",
                    hop.from, hop.to
                ));
            }
        }
    }
    if let Some(rival) = rival.filter(|rival| {
        rival.weight.saturating_mul(2) >= leading.weight && rival.explains != leading.explains
    }) {
        let disjoint = rival.explains.is_disjoint(&leading.explains);
        if disjoint || rival.strength >= leading.strength {
            doubts.push(format!(
                "{} changed as well and explains {} abnormal {} to {} of the leading suspect",
                rival.party,
                words::number(rival.weight),
                words::plural(rival.weight, "call"),
                words::number(leading.weight)
            ));
        }
    }
    let unanswered: usize = case
        .coverage
        .unanswered
        .values()
        .map(|failed| failed.count as usize)
        .sum();
    if doubts.len() >= TOO_MANY || unanswered >= TOO_MANY {
        return undecided(case, leading, rival, doubts);
    }
    let confidence = match doubts.len() {
        0 => Confidence::High,
        1 => Confidence::Medium,
        _ => Confidence::Low,
    };
    Finding {
        verdict: Verdict::RootCause,
        confidence,
        because: doubts,
        impact: account::impact(case, leading),
        ruled_out: account::ruled_out(case, leading),
        next: account::next(case, &named, leading),
        causes: vec![named],
        path,
    }
}

/// Too much speaks against every suspect: the best two are named as what they are, with what would decide.
fn undecided(case: &Case, leading: &Suspect, rival: Option<&Suspect>, doubts: Vec<String>) -> Finding {
    let mut because = doubts;
    let mut next = Vec::new();
    for suspect in [Some(leading), rival].into_iter().flatten() {
        let explains = words::number(suspect.weight);
        because.push(format!(
            "a suspect, not a cause: {} (abnormal calls it would explain: {explains})",
            suspect.party
        ));
        if let Some(key) = suspect.edges.first() {
            let filter = filters::failing(filters::along(key), key.layer).to_string();
            next.push(format!(
                "would decide: the calls from {} to {}, `{filter}`, before and during the window",
                key.from, key.to
            ));
        }
    }
    Finding {
        verdict: Verdict::Inconclusive,
        confidence: Confidence::Low,
        because,
        causes: Vec::new(),
        path: Vec::new(),
        impact: account::impact(case, leading),
        ruled_out: Vec::new(),
        next,
    }
}
