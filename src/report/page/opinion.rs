//! What a language model contributed: its words with the evidence that they stand on, and where it disagrees.

use maud::{Markup, html};

use super::{Page, ROWS, Text, cited};
use crate::{
    investigation::words,
    report::{
        document::plain,
        layout::{label, named},
        model::{Conclusion, Objection},
    },
};

/// The account in a model's words.
pub(super) fn account(page: &Page<'_>) -> Option<Markup> {
    let model = page
        .report
        .model
        .as_ref()
        .filter(|model| !model.prose.is_empty())?;
    Some(html! {
        @for (at, sentence) in model.prose.iter().take(ROWS).enumerate() {
            p id=(format!("sentence-{}", at + 1)) { (Text(&sentence.text)) " " (cited(page, &sentence.evidence)) }
        }
        p class="note" {
            "Written by " (plain(&model.name)) "; every name, number and time in it was filled in from the evidence."
            @if !model.dropped.is_empty() {
                " " (words::number(u64::try_from(model.dropped.len()).unwrap_or(0)))
                " of its sentences did not stand and were left out."
            }
        }
    })
}

/// What the model reads, holds to be the cause, thought of and objects.
pub(super) fn second(page: &Page<'_>) -> Option<Markup> {
    let model = page.report.model.as_ref()?;
    let nothing = model.away.is_none()
        && model.readings.is_empty()
        && model.hypotheses.is_empty()
        && model.objections.is_empty();
    if nothing && model.conclusion.is_none() {
        return None;
    }
    let name = |service: &Option<String>, namespace: &Option<String>| {
        plain(&named(
            service.as_deref().unwrap_or("a node"),
            namespace.as_deref(),
        ))
    };
    Some(html! {
        @if let Some(away) = &model.away {
            p { "The model was away, and the investigation went on without it: " (Text(away)) }
        }
        @if let Some(conclusion) = &model.conclusion {
            div class=(if conclusion.agrees { "agrees" } else { "disagrees" }) {
                p {
                    b { (stands(conclusion)) } " It holds " b { (name(&conclusion.service, &conclusion.namespace)) }
                    " to be the cause (" (label(conclusion.kind)) "): " (Text(&conclusion.why)) " "
                    (cited(page, &conclusion.evidence))
                }
                @for said in conclusion.decides.iter().take(ROWS) {
                    p { b { "What decides: " } (Text(&said.what)) " " (cited(page, &said.evidence)) }
                }
            }
        }
        ul {
            @for reading in model.readings.iter().take(ROWS) {
                li { code { (plain(&reading.quote)) } " means: " (Text(&reading.meaning)) " " (cited(page, &reading.evidence)) }
            }
            @for thought in model.hypotheses.iter().take(ROWS) {
                li {
                    "It thought of " b { (name(&thought.service, &thought.namespace)) } " (" (label(thought.kind)) "): "
                    (Text(&thought.because)) " What would refute it: " (Text(&thought.refuted_by)) " "
                    (cited(page, &thought.evidence))
                }
            }
            @for objection in model.objections.iter().take(ROWS) {
                li { "It objects (" (borne_out(objection)) "): " (Text(&objection.text)) " " (cited(page, &objection.evidence)) }
            }
        }
    })
}

fn stands(conclusion: &Conclusion) -> &'static str {
    match (conclusion.agrees, conclusion.holds) {
        (true, _) => "The model agrees with the analysis.",
        (false, true) => "The model disagrees with the analysis; where it looks something is abnormal too.",
        (false, false) => {
            "The model disagrees with the analysis; where it looks no recorded call is abnormal."
        }
    }
}

fn borne_out(objection: &Objection) -> &'static str {
    match objection.holds {
        Some(true) => "the recorded calls bear it out",
        Some(false) => "the recorded calls do not bear it out",
        None => "no recorded call decides it",
    }
}
