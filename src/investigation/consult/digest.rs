//! What the model sees: ranked facts within a budget, never a dump.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    analysis::{EdgeKey, Naming, Party, Tally, compare},
    investigation::{EvidenceId, case::Case, words},
    time::Utc,
};

/// Characters that make about one token.
pub(in crate::investigation) const CHARS_A_TOKEN: usize = 4;

/// Characters of a name; longer ones are no names.
const NAME: usize = 63;

/// The facts of the survey, made once and sent at the head of every prompt, and the parties they number.
pub(in crate::investigation) fn digest(case: &mut Case) -> Value {
    if let Some(facts) = &case.opinion.facts {
        return facts.clone();
    }
    let budget = case
        .settings
        .model
        .as_ref()
        .map_or(0, |model| model.digest_tokens as usize)
        * CHARS_A_TOKEN;
    let clock = case.settings.clock();
    let ranked = ranked(case);
    let mut parties: Vec<Party> = Vec::new();
    for party in case.diagnosis.suspects.iter().map(|suspect| &suspect.party) {
        number(&mut parties, party);
    }
    let mut lines = Vec::new();
    let mut used = 0;
    let mut left_out = 0;
    let mut as_before: Vec<String> = Vec::new();
    for key in &ranked {
        let known = parties.len();
        let (from, to) = (number(&mut parties, &key.from), number(&mut parties, &key.to));
        let line = match calm(case, key) {
            Some(words) => {
                as_before.push(format!("P{from} > P{to} {} {words}", key.layer));
                String::new()
            }
            None => edge(case, key, from, to),
        };
        let line_length = line.len().max(CALM);
        used += line_length + (parties.len() - known) * 30;
        if used > budget && !lines.is_empty() {
            if line.is_empty() {
                as_before.pop();
            }
            parties.truncate(known);
            left_out += 1;
            continue;
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    if !as_before.is_empty() {
        lines.push(format!("As before: {}", as_before.join("; ")));
    }
    let suspects: Vec<String> = case
        .diagnosis
        .suspects
        .iter()
        .take(4)
        .map(|suspect| {
            format!(
                "P{}: {} ({} % of what is abnormal)",
                number(&mut parties, &suspect.party),
                crate::investigation::account::why(case, suspect),
                (suspect.share * 100.0).round()
            )
        })
        .collect();
    let named: Vec<String> = parties
        .iter()
        .enumerate()
        .map(|(index, party)| format!("P{} {}", index + 1, name(party)))
        .collect();
    let window = case.window.unwrap_or(case.when.window);
    let facts = json!({
        "question": line(&case.settings.question, 300),
        "window": clock.window(&window),
        "compared": case.picture.has_baseline,
        "parties": named,
        "edges": lines,
        "left_out": left_out,
        "suspects": suspects,
        "not_seen": case.coverage.gaps().iter().take(3).map(|gap| line(gap, 160)).collect::<Vec<_>>(),
    });
    case.opinion.parties = parties;
    case.opinion.facts = Some(facts.clone());
    facts
}

/// Edges, the telling ones first: those of suspects, then those that changed, then the busiest.
fn ranked(case: &Case) -> Vec<EdgeKey> {
    let mut keys: Vec<EdgeKey> = Vec::new();
    let mut seen = BTreeSet::new();
    let suspects = case
        .diagnosis
        .suspects
        .iter()
        .take(3)
        .flat_map(|suspect| suspect.path.iter().chain(&suspect.edges));
    for key in suspects {
        if seen.insert(key.clone()) {
            keys.push(key.clone());
        }
    }
    let rules = &case.settings.playbook.survey.abnormal;
    let mut rest: Vec<(&EdgeKey, bool, u64, u64)> = case
        .picture
        .edges
        .iter()
        .filter(|(key, edge)| !seen.contains(*key) && edge.before.calls + edge.during.calls > 0)
        .map(|(key, edge)| {
            let abnormal = compare(&edge.before, &edge.during, rules).is_abnormal();
            (key, abnormal, edge.during.failing, edge.during.calls)
        })
        .collect();
    rest.sort_by_key(|(_, abnormal, failing, calls)| std::cmp::Reverse((*abnormal, *failing, *calls)));
    keys.extend(rest.into_iter().map(|(key, ..)| key.clone()));
    keys
}

/// The number of a party, from 1; a new one goes to the end.
fn number(parties: &mut Vec<Party>, party: &Party) -> usize {
    if let Some(index) = parties.iter().position(|known| known == party) {
        return index + 1;
    }
    parties.push(party.clone());
    parties.len()
}

fn name(party: &Party) -> String {
    let name = line(&party.name, NAME);
    match (&party.namespace, party.naming) {
        (_, Naming::Outside) => "callers outside the cluster".to_owned(),
        (_, Naming::Node) => format!("node {name}"),
        (Some(namespace), _) => format!("{}/{name}", line(namespace, NAME)),
        (None, _) => name,
    }
}

/// One edge: "P1 > P2 http: 88 of 90 failed, half within 3.00 s; before 0 of 240 failed, half within 12 ms; from 14:05:22 [E3 E7]".
fn edge(case: &Case, key: &EdgeKey, from: usize, to: usize) -> String {
    let Some(edge) = case.picture.edges.get(key) else {
        return String::new();
    };
    let began = edge
        .onset
        .as_ref()
        .map(|onset| format!("; first abnormal {}", time(case, onset.at)))
        .unwrap_or_default();
    let cited: Vec<String> = telling(case, key).iter().map(ToString::to_string).collect();
    format!(
        "P{from} > P{to} {}: {}; before {}{began} [{}]",
        key.layer,
        tally(&edge.during),
        tally(&edge.before),
        cited.join(" ")
    )
}

/// What an edge that is as before did; `None` where it is not, or is suspected.
fn calm(case: &Case, key: &EdgeKey) -> Option<String> {
    let edge = case.picture.edges.get(key)?;
    let rules = &case.settings.playbook.survey.abnormal;
    let suspected = case
        .diagnosis
        .suspects
        .iter()
        .any(|suspect| suspect.edges.contains(key) || suspect.path.contains(key));
    let compared = edge.during.calls > 0 && edge.before.calls > 0;
    let calm = compared && !suspected && !compare(&edge.before, &edge.during, rules).is_abnormal();
    calm.then(|| format!("{} failed", words::failing_of(&edge.during)))
}

/// Characters of an edge that is as before.
const CALM: usize = 40;

/// The evidence of an edge that says most about it: what supports few edges besides.
fn telling(case: &Case, key: &EdgeKey) -> Vec<EvidenceId> {
    let mut ids = case.supporting(key);
    ids.sort_by_cached_key(|id| {
        case.picture
            .edges
            .keys()
            .filter(|other| case.supporting(other).contains(id))
            .count()
    });
    ids.truncate(2);
    ids
}

fn tally(tally: &Tally) -> String {
    if tally.calls == 0 {
        return "no calls".to_owned();
    }
    let median = tally
        .latencies_us
        .get(tally.latencies_us.len() / 2)
        .map(|us| format!(", half within {}", words::latency(*us)))
        .unwrap_or_default();
    format!("{} failed{median}", words::failing_of(tally))
}

/// A time as the model sees it; it never writes one.
fn time(case: &Case, at: Utc) -> String {
    case.settings.clock().bare(at)
}

/// What the narrowing found after the facts were made: when each edge began, and how.
pub(in crate::investigation) fn found_since(case: &Case) -> Vec<String> {
    let parties = &case.opinion.parties;
    let position = |party: &Party| parties.iter().position(|known| known == party);
    let mut lines: Vec<(Utc, String)> = case
        .picture
        .edges
        .iter()
        .filter_map(|(key, edge)| {
            let onset = edge.onset.as_ref()?;
            let (from, to) = (position(&key.from)? + 1, position(&key.to)? + 1);
            let said = case
                .readings
                .get(key)
                .map(|reading| format!(", {}", line(&reading.outcome, 60)))
                .unwrap_or_default();
            let cited: Vec<String> = case
                .supporting(key)
                .iter()
                .rev()
                .take(2)
                .map(ToString::to_string)
                .collect();
            Some((
                onset.at,
                format!(
                    "P{from} > P{to} {} first abnormal {}{said} [{}]",
                    key.layer,
                    case.settings.clock().bare(onset.at),
                    cited.join(" ")
                ),
            ))
        })
        .collect();
    lines.sort();
    lines.into_iter().take(LISTED).map(|(_, line)| line).collect()
}

/// Lines of what was found since.
const LISTED: usize = 10;

/// Text from the cluster on one line, cut.
pub(super) fn line(text: &str, length: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean: String = line.chars().filter(|c| !c.is_control()).collect();
    if clean.chars().count() <= length {
        return clean;
    }
    let cut: String = clean.chars().take(length).collect();
    format!("{cut}…")
}
