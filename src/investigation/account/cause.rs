//! The cause that a suspect stands for, in sentences.

use std::collections::BTreeSet;

use super::{change, counted, evidence};
use crate::{
    analysis::{
        Change, Dimension, Factor, Layer, Lossy, Mechanism, Naming, Outcome, Place, Suspect, common_endpoint,
        common_factors, endpoint, kind_of,
    },
    investigation::{
        case::Case,
        finding::{Cause, CauseKind},
        words,
    },
    time::Utc,
    wire::decode::Call,
};

/// The cause that a suspect stands for.
pub(in crate::investigation) fn cause(case: &Case, suspect: &Suspect) -> Cause {
    let failing: Vec<&Call> = failing(case, suspect);
    let factors = factors(case, suspect, &failing);
    let lossy = case.lossy.as_ref().filter(|lossy| match &lossy.place {
        Place::Pod { party, .. } => party == &suspect.party,
        Place::Node(node) => suspect.party.naming == Naming::Node && node == &suspect.party.name,
    });
    let replica = factors
        .iter()
        .find(|factor| factor.dimension == Dimension::CalleePod)
        .map(|factor| factor.value.clone());
    let mut kind = kind(case, suspect);
    let mut workload = None;
    if matches!(
        suspect.mechanism,
        Mechanism::Failing(_, _) | Mechanism::Slow | Mechanism::Starved
    ) && let Some(pod) = replica
    {
        if matches!(
            kind,
            CauseKind::AppError | CauseKind::Slow | CauseKind::BadRequest | CauseKind::Auth
        ) {
            kind = CauseKind::BadReplica;
        }
        workload = Some(pod);
    }
    if let Some(lossy) = lossy {
        (kind, workload) = match &lossy.place {
            Place::Pod { pod, .. } if silent(case, suspect, lossy) => {
                (CauseKind::Blackholed, Some(pod.clone()))
            }
            Place::Pod { pod, .. } => (CauseKind::PacketLoss, Some(pod.clone())),
            Place::Node(node) => (CauseKind::NodeFault, Some(node.clone())),
        };
    }
    let mut evidence = evidence(case, &suspect.edges);
    if lossy.is_some() {
        evidence.extend(case.connections.evidence.iter().cloned());
    }
    let by_failing = suspect.slowness.is_none() || !suspect.calls.is_empty();
    Cause {
        party: suspect.party.clone(),
        workload,
        kind,
        endpoint: if by_failing {
            common_endpoint(failing.iter().copied())
        } else {
            slow_endpoint(suspect)
        },
        onset: onset(case, suspect),
        ended: ended(case, suspect),
        explanation: explanation(case, suspect, &failing, &factors),
        factors,
        evidence,
    }
}

/// The abnormal calls on the suspect's edges that were listed.
fn failing<'a>(case: &'a Case, suspect: &Suspect) -> Vec<&'a Call> {
    suspect
        .edges
        .iter()
        .filter_map(|key| case.picture.edges.get(key))
        .flat_map(|edge| &edge.failing)
        .collect()
}

/// What the abnormal calls have in common that good ones have not.
fn factors(case: &Case, suspect: &Suspect, failing: &[&Call]) -> Vec<Factor> {
    let slow: BTreeSet<&str> = failing.iter().map(|call| call.id.as_str()).collect();
    let in_full = failing.iter().any(|call| !call.request_headers.is_empty());
    // Like is compared with like: what another endpoint's calls look like sets nothing apart.
    let endpoints: BTreeSet<Option<String>> = failing.iter().map(|call| endpoint(call)).collect();
    let good: Vec<&Call> = suspect
        .edges
        .iter()
        .filter_map(|key| case.picture.edges.get(key))
        .flat_map(|edge| &edge.good)
        .filter(|call| !slow.contains(call.id.as_str()))
        // A row without headers says nothing about what it had in them.
        .filter(|call| !in_full || !call.request_headers.is_empty())
        .collect();
    let alike: Vec<&Call> = good
        .iter()
        .copied()
        .filter(|call| endpoints.contains(&endpoint(call)))
        .collect();
    let mut factors = common_factors(failing, if alike.len() >= ALIKE { &alike } else { &good });
    factors.retain(|factor| {
        // What was hidden may differ, and what every call of an endpoint has in common is the endpoint.
        let same_endpoint = alike.len() >= ALIKE
            || !matches!(
                factor.dimension,
                Dimension::Body(_) | Dimension::Query(_) | Dimension::Header(_)
            );
        same_endpoint && !factor.value.contains(HIDDEN)
    });
    factors
}

/// Good calls of the same endpoints from which on they are enough to compare with.
const ALIKE: usize = 8;

/// How a hidden value begins.
const HIDDEN: &str = "‹hidden-";

/// The endpoint whose own time grew most.
fn slow_endpoint(suspect: &Suspect) -> Option<String> {
    suspect.slowness.as_ref()?.endpoint.clone()
}

fn kind(case: &Case, suspect: &Suspect) -> CauseKind {
    match &suspect.mechanism {
        Mechanism::Failing(_, outcome) => {
            let said = kind_of(&suspect.edges, &case.picture).map_or(*outcome, |(_, outcome)| outcome);
            let reset = suspect.edges.iter().any(|key| {
                let tcp = crate::analysis::EdgeKey {
                    layer: Layer::Tcp,
                    ..key.clone()
                };
                kind_of(&[tcp], &case.picture).is_some_and(|(_, outcome)| outcome == Outcome::Reset)
            });
            let said = if *outcome == Outcome::ErrorBody {
                *outcome
            } else {
                said
            };
            match of_outcome(said) {
                CauseKind::Slow if reset => CauseKind::Reset,
                kind => kind,
            }
        }
        Mechanism::Starved => CauseKind::Saturation,
        Mechanism::Network if suspect.party.naming == Naming::Node => CauseKind::NodeFault,
        Mechanism::Network
            if case
                .lossy
                .as_ref()
                .is_some_and(|lossy| silent(case, suspect, lossy)) =>
        {
            CauseKind::Blackholed
        }
        Mechanism::Network if case.lossy.is_some() => CauseKind::PacketLoss,
        Mechanism::Slow | Mechanism::Network => CauseKind::Slow,
        Mechanism::GivesUp { .. } => CauseKind::Config,
        Mechanism::AsksWrongly(Outcome::Denied) => CauseKind::Auth,
        Mechanism::AsksWrongly(_) => CauseKind::BadRequest,
        Mechanism::Retries { .. } => CauseKind::RetryStorm,
        Mechanism::Surge { .. } => CauseKind::TrafficSurge,
        Mechanism::Stopped { .. } => CauseKind::MissingTraffic,
        Mechanism::Misrouted { .. } => CauseKind::Misroute,
    }
}

/// Whether nothing at all comes through, rather than some of it: most attempts or nearly all calls without an answer.
fn silent(case: &Case, suspect: &Suspect, lossy: &Lossy) -> bool {
    let attempts = lossy.unanswered * 2 > lossy.during.1;
    let calls = suspect
        .edges
        .iter()
        .filter_map(|key| case.picture.edges.get(key))
        .any(|edge| edge.during.calls >= 5 && edge.during.share() > 0.8);
    attempts || calls
}

fn of_outcome(outcome: Outcome) -> CauseKind {
    match outcome {
        Outcome::ServerError | Outcome::ErrorBody => CauseKind::AppError,
        Outcome::ClientError => CauseKind::BadRequest,
        Outcome::Denied => CauseKind::Auth,
        Outcome::RateLimited => CauseKind::RateLimit,
        Outcome::NoAnswer => CauseKind::Slow,
        Outcome::DnsFailure => CauseKind::Dns,
        Outcome::Refused => CauseKind::Refused,
        Outcome::Unanswered => CauseKind::Blackholed,
        Outcome::Reset | Outcome::Cut => CauseKind::Reset,
        Outcome::Good => CauseKind::Unknown,
    }
}

#[expect(clippy::too_many_lines, reason = "a sentence for each mechanism")]
fn explanation(case: &Case, suspect: &Suspect, failing: &[&Call], factors: &[Factor]) -> String {
    let name = &suspect.party;
    let mut said: Vec<String> = Vec::new();
    for key in suspect
        .edges
        .iter()
        .filter(|key| change(case, key) != Change::None)
        .take(EDGES)
    {
        said.push(format!(
            "From {} to {}: {}.",
            key.from,
            key.to,
            counted(case, key)
        ));
        if let Some(reading) = case.readings.get(key) {
            let words = reading
                .said
                .as_ref()
                .map(|said| format!(" and said `{said}`"))
                .unwrap_or_default();
            said.push(format!("The first abnormal one {}{words}.", reading.outcome));
        }
    }
    match &suspect.mechanism {
        Mechanism::Failing(_, _) | Mechanism::Slow => {
            said.push(format!("Nothing that {name} calls explains it in what was recorded."));
        }
        Mechanism::Starved => said.push(format!(
            "{name} takes longer whatever it is asked, and nobody that it calls explains it: it is short of processor time, or its own link is slow."
        )),
        Mechanism::Network => match &case.lossy {
            Some(lossy) => said.push(format!(
                "Connections that touch {} had to send packets again: {} over {} connections, {} over {} before; elsewhere {} over {}.",
                place(&lossy.place),
                words::number(lossy.during.0),
                words::number(lossy.during.1),
                words::number(lossy.before.0),
                words::number(lossy.before.1),
                words::number(lossy.elsewhere.0),
                words::number(lossy.elsewhere.1),
            )),
            None => said.push(format!(
                "The time is lost on the way to and from {name}: it answers as fast as before itself."
            )),
        },
        Mechanism::GivesUp { after_us, usual_us } => said.push(format!(
            "{name} gave up after {}, while an answer usually takes {}: nobody could have answered in time.",
            words::latency(*after_us),
            words::latency(*usual_us)
        )),
        Mechanism::AsksWrongly(outcome) => {
            let what = if *outcome == Outcome::Denied { "denied" } else { "rejected" };
            said.push(format!(
                "Only what {name} asks is {what}: its request or its credential is the first thing to look at, not the callee."
            ));
        }
        Mechanism::Retries { before, during } => said.push(format!(
            "{name} made {during:.1} calls for each one it answered, {before:.1} before, though no larger share of what it answers met a failure: it repeats what fails."
        )),
        Mechanism::Surge { before, during } => said.push(format!(
            "{name} made {during:.0} calls a minute, {before:.0} before."
        )),
        Mechanism::Stopped { expected, seen } => said.push(format!(
            "{name} made {} of about {expected:.0} calls that as much work took before.",
            words::number(*seen)
        )),
        Mechanism::Misrouted { to, calls } => said.push(format!(
            "{} {} meant for {name} went to {to}, which never had such calls before.",
            words::number(*calls),
            words::plural(*calls, "call")
        )),
    }
    if let Some(slow) = &suspect.slowness
        && let Some((step, _)) = slow.own
        && suspect.calls.is_empty()
        && step.log_ratio > 0.0
    {
        let endpoint = slow
            .endpoint
            .as_ref()
            .map(|endpoint| format!(" ({endpoint})"))
            .unwrap_or_default();
        said.push(format!(
            "Its own time{endpoint} went from {} to {}, its callees' taken out.",
            words::latency(step.before_us),
            words::latency(step.during_us)
        ));
    }
    for factor in factors.iter().take(FACTORS) {
        said.push(format!(
            "{} abnormal calls went {} {}, {} good ones did.",
            words::of(factor.failing.0, factor.failing.1),
            factor.dimension,
            factor.value,
            words::of(factor.good.0, factor.good.1)
        ));
    }
    if matches!(suspect.mechanism, Mechanism::Failing(Layer::Dns, _)) {
        let names: BTreeSet<&str> = failing
            .iter()
            .flat_map(|call| &call.questions)
            .map(String::as_str)
            .collect();
        if !names.is_empty() {
            let names: Vec<&str> = names.into_iter().take(5).collect();
            said.push(format!("Names asked for: {}.", names.join(", ")));
        }
    }
    if let (Some(onset), Some(window)) = (suspect.onset, case.asked_window)
        && onset < window.start
    {
        said.push("It began before the window asked about.".to_owned());
    }
    said.join(" ")
}

/// Edges and factors that an explanation goes through.
const EDGES: usize = 3;
const FACTORS: usize = 2;

fn place(place: &Place) -> String {
    match place {
        Place::Pod { pod, .. } => format!("the pod {pod}"),
        Place::Node(node) => format!("the node {node}"),
    }
}

/// What speaks for a suspect, in a few words.
pub(in crate::investigation) fn why(case: &Case, suspect: &Suspect) -> String {
    let mut said = Vec::new();
    if !suspect.calls.is_empty() {
        said.push(format!(
            "{} new failing {} lead to it",
            words::number(suspect.weight),
            words::plural(suspect.weight, "call")
        ));
    }
    if let Some(slow) = &suspect.slowness {
        let step = slow
            .own
            .map(|(step, _)| step)
            .filter(|step| step.log_ratio > 0.0)
            .or(slow.gap);
        if let Some(step) = step {
            said.push(format!(
                "its own time went from {} to {}",
                words::latency(step.before_us),
                words::latency(step.during_us)
            ));
        }
    }
    if said.is_empty() {
        said.push(match &suspect.mechanism {
            Mechanism::Surge { before, during } => format!("{during:.0} calls a minute, {before:.0} before"),
            Mechanism::Stopped { expected, seen } => format!("{seen} of about {expected:.0} calls were made"),
            _ => suspect
                .edges
                .first()
                .map(|key| counted(case, key))
                .unwrap_or_default(),
        });
    }
    said.join("; ")
}

/// When it began. Of what is only slow single calls do not tell, and connections that were open already hide the first
/// seconds of what is wrong with new ones: then the incident as a whole tells.
fn onset(case: &Case, suspect: &Suspect) -> Option<Utc> {
    let whole = case
        .window
        .filter(|_| case.compared_apart)
        .map(|window| window.start)
        .or_else(|| {
            // Among slow calls the order of the first ones is chance: the earliest on the way tells as much.
            let edges = suspect.path.iter().chain(&suspect.edges);
            edges
                .filter_map(|key| Some(case.picture.edges.get(key)?.onset.as_ref()?.at))
                .min()
        });
    let by_connections = suspect.edges.iter().all(|key| key.layer == Layer::Tcp);
    let slow = matches!(
        suspect.mechanism,
        Mechanism::Slow
            | Mechanism::Starved
            | Mechanism::Network
            | Mechanism::Surge { .. }
            | Mechanism::Stopped { .. }
    );
    match suspect.onset {
        Some(own) if by_connections || slow => Some(whole.map_or(own, |whole| whole.min(own))),
        Some(own) => Some(own),
        None => whole,
    }
}

/// When the last abnormal call into the suspect was, if it was quiet for long enough afterwards that more
/// would have come: ten times the usual pause between two, and a tenth of the time since the onset.
fn ended(case: &Case, suspect: &Suspect) -> Option<Utc> {
    if case.ended.is_some() {
        return case.ended;
    }
    let (onset, window) = (suspect.onset?, case.window?);
    let edges = || suspect.edges.iter().filter_map(|key| case.picture.edges.get(key));
    if edges().any(|edge| edge.cut || edge.onset.as_ref().is_some_and(|onset| !onset.exact)) {
        return None;
    }
    let times: Vec<Utc> = edges()
        .flat_map(|edge| &edge.failing)
        .map(|call| call.ts)
        .collect();
    let last = times.iter().max().copied()?;
    let pause = (last - onset) / i32::try_from(times.len()).unwrap_or(i32::MAX).max(1);
    let quiet = window.end - last;
    (times.len() > 1 && quiet > pause * 10 && quiet > (last - onset) / 10).then_some(last)
}
