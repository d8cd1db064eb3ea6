//! A model that does its best: it reads the prompt and answers as the task asks, for any incident.

use serde_json::{Value, json};

use crate::server::Asked;

/// The parties of the facts: (handle, name without namespace).
pub(crate) fn parties(prompt: &str) -> Vec<(String, String)> {
    section(prompt, "Parties:")
        .iter()
        .filter_map(|line| {
            let (handle, name) = line.split_once(' ')?;
            let name = name.rsplit_once('/').map_or(name, |(_, name)| name);
            Some((handle.to_owned(), name.to_owned()))
        })
        .collect()
}

/// The lines after a heading, up to the next one.
fn section(prompt: &str, heading: &str) -> Vec<String> {
    prompt
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.ends_with(':') && !line.ends_with(" ends"))
        .map(str::to_owned)
        .collect()
}

/// The handle of the leading suspect.
pub(crate) fn suspect(prompt: &str) -> String {
    prompt
        .lines()
        .skip_while(|line| !line.starts_with("Suspects of the analysis"))
        .nth(1)
        .and_then(|line| line.split(':').next())
        .unwrap_or("P1")
        .to_owned()
}

/// The evidence of the first edge into a party.
pub(crate) fn evidence(prompt: &str, party: &str) -> Vec<String> {
    section(prompt, "Calls during the incident, and before:")
        .iter()
        .find(|line| line.contains(&format!("> {party} ")))
        .and_then(|line| {
            let ids = line.rsplit_once('[')?.1.trim_end_matches(']');
            Some(ids.split(' ').map(str::to_owned).collect())
        })
        .unwrap_or_default()
}

/// The ids that a kind of sentence may cite.
pub(crate) fn citable(prompt: &str, about: &str) -> Vec<String> {
    prompt
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(&format!("{about}: ")))
        .map(|ids| {
            ids.split(' ')
                .filter(|id| !id.is_empty())
                .map(str::to_owned)
                .collect()
        })
        .unwrap_or_default()
}

pub(crate) fn has_slot(prompt: &str, slot: &str) -> bool {
    prompt.lines().any(|line| line.starts_with(&format!("{slot} = ")))
}

pub(crate) fn answer(asked: &Asked) -> Value {
    let prompt = &asked.prompt;
    let party = suspect(prompt);
    let name = parties(prompt)
        .into_iter()
        .find(|(handle, _)| handle == &party)
        .map(|(_, name)| name)
        .unwrap_or_default();
    let cited = evidence(prompt, &party);
    match asked.role.as_str() {
        "intake" => json!({"since": "3pm", "until": null}),
        "hypothesise" => json!({"hypotheses": [{
            "party": party, "kind": "unknown", "evidence": cited,
            "because": format!("Failing calls lead to {party}, and nothing that it calls fails."),
            "refuted_by": format!("Calls to {party} that succeed while its callers fail."),
            "next": {"action": "compare", "filter": format!("dst.service.name == \"{name}\""), "window": null, "call": null, "party": null},
        }]}),
        "read" => {
            let (id, text) = first_text(prompt);
            let quote: String = text.chars().filter(|c| !"{}\"".contains(*c)).take(24).collect();
            let quote = text
                .split('"')
                .filter(|part| part.len() > 3)
                .max_by_key(|part| part.len())
                .map_or(quote, str::to_owned);
            json!({"readings": [{"evidence": id, "quote": quote, "meaning": "The callee says that it could not do its work."}]})
        }
        "narrow" if asked.before == 0 && !name.is_empty() => json!({
            "action": "count", "filter": format!("http && dst.service.name == \"{name}\" && status_code >= 500"), "window": "during",
            "why": "It tells whether it answers with errors itself.", "evidence": [],
        }),
        "narrow" => json!({
            "action": "conclude", "party": party, "kind": "unknown", "evidence": cited,
            "why": format!("What fails leads to {party}, and nothing leads on from there."),
        }),
        "weigh" => json!({"objections": [{
            "claim": "failed_before", "party": null, "evidence": cited, "text": "It may have failed before as well.",
        }]}),
        "write" => {
            let mut sentences = vec![json!({
                "about": "cause", "evidence": citable(prompt, "cause"),
                "text": if has_slot(prompt, "cause.onset") {
                    "The incident began at {{cause.onset}}, when {{cause.service}} stopped serving its callers."
                } else {
                    "The trouble sits at {{cause.service}}."
                },
            })];
            if has_slot(prompt, "hop1.from") {
                sentences.push(json!({
                    "about": "spread", "evidence": citable(prompt, "spread"),
                    "text": "People noticed it between {{hop1.from}} and {{hop1.to}}.",
                }));
            }
            if has_slot(prompt, "impact1.service") {
                sentences.push(json!({
                    "about": "impact", "evidence": citable(prompt, "impact"),
                    "text": "At {{impact1.service}}, {{impact1.what}}.",
                }));
            }
            sentences.push(json!({
                "about": "advice", "evidence": [], "text": "Look at {{cause.service}} first, and at what was changed there.",
            }));
            json!({"sentences": sentences})
        }
        _ => json!({}),
    }
}

/// The first text to read: its evidence and its words.
pub(crate) fn first_text(prompt: &str) -> (String, String) {
    prompt
        .lines()
        .skip_while(|line| !line.contains("say what each text means"))
        .find_map(|line| {
            let id = line.split(' ').next().filter(|word| word.starts_with('E'))?;
            Some((id.to_owned(), line.split_once("): ")?.1.to_owned()))
        })
        .unwrap_or_default()
}
