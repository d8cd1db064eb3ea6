//! What a language model contributed: into the report, and from there into a document.

use super::{
    document::{Block, Document},
    layout::{cited, label, named},
    model::{Conclusion, Hypothesis, Model, Objection, Reading, Report, RoleCost, Said, Sentence},
};
use crate::{
    analysis::{Naming, Party},
    investigation::{Case, EvidenceId, words},
};

/// The model's part of a report; `None` where none was to be asked.
pub(super) fn model(case: &Case) -> Option<Model> {
    let settings = case.settings.model.as_ref()?;
    let opinion = &case.opinion;
    let party = |party: &Party| (party.naming != Naming::Node).then(|| party.name.clone());
    let ids = |ids: &[EvidenceId]| ids.iter().map(|id| id.0.clone()).collect::<Vec<_>>();
    Some(Model {
        name: settings.name.clone(),
        away: case.consulted.away(),
        prose: opinion
            .prose
            .iter()
            .map(|sentence| Sentence {
                about: sentence.about,
                text: sentence.text.clone(),
                evidence: ids(&sentence.evidence),
            })
            .collect(),
        dropped: opinion.dropped.clone(),
        readings: opinion
            .readings
            .iter()
            .map(|reading| Reading {
                quote: reading.quote.clone(),
                meaning: reading.meaning.clone(),
                evidence: vec![reading.evidence.0.clone()],
            })
            .collect(),
        hypotheses: opinion
            .hypotheses
            .iter()
            .map(|hypothesis| Hypothesis {
                service: party(&hypothesis.party),
                namespace: hypothesis.party.namespace.clone(),
                kind: hypothesis.kind,
                because: hypothesis.because.clone(),
                refuted_by: hypothesis.refuted_by.clone(),
                evidence: ids(&hypothesis.evidence),
            })
            .collect(),
        conclusion: opinion.conclusion.as_ref().map(|conclusion| {
            let agreement = conclusion.agreement.as_ref();
            Conclusion {
                service: party(&conclusion.party),
                namespace: conclusion.party.namespace.clone(),
                kind: conclusion.kind,
                why: conclusion.why.clone(),
                evidence: ids(&conclusion.evidence),
                agrees: agreement.is_some_and(|agreement| agreement.agrees),
                holds: agreement.is_some_and(|agreement| agreement.holds),
                decides: agreement
                    .iter()
                    .flat_map(|agreement| &agreement.decides)
                    .map(|(what, evidence)| Said {
                        what: what.clone(),
                        evidence: ids(evidence),
                    })
                    .collect(),
            }
        }),
        objections: opinion
            .objections
            .iter()
            .map(|objection| Objection {
                claim: objection.claim,
                service: objection.party.as_ref().and_then(party),
                text: objection.text.clone(),
                holds: objection.holds,
                evidence: ids(&objection.evidence),
            })
            .collect(),
    })
}

/// What the model cost, by role.
pub(super) fn roles(case: &Case) -> Vec<RoleCost> {
    case.consulted
        .spent
        .iter()
        .map(|(role, spent)| RoleCost {
            role: *role,
            calls: spent.calls,
            failed: spent.failed,
            rejected: spent.rejected,
            requests: spent.requests,
            tokens_in: spent.tokens_in,
            tokens_out: spent.tokens_out,
            estimated: spent.estimated,
        })
        .collect()
}

/// Right after the summary: the account in a model's words.
pub(super) fn account(doc: &mut Document, report: &Report) {
    let Some(model) = report.model.as_ref().filter(|model| !model.prose.is_empty()) else {
        return;
    };
    let sentences: Vec<String> = model
        .prose
        .iter()
        .map(|sentence| match sentence.evidence.as_slice() {
            [] => sentence.text.clone(),
            ids => format!("{} [{}]", sentence.text, cited(ids)),
        })
        .collect();
    doc.heading("In a model's words");
    doc.paragraph(sentences.join(" "));
    let dropped = match model.dropped.len() as u64 {
        0 => String::new(),
        count => format!(
            " {} of its sentences did not stand and {} left out.",
            words::number(count),
            if count == 1 { "is" } else { "are" }
        ),
    };
    doc.paragraph(format!(
        "Written by {}; every name, number and time in it was filled in from the evidence.{dropped}",
        model.name
    ));
}

/// After the path: what the model reads, thinks and objects.
pub(super) fn second_opinion(doc: &mut Document, report: &Report) {
    let Some(model) = &report.model else { return };
    let mut lines = Vec::new();
    if let Some(away) = &model.away {
        lines.push(format!(
            "The model was away, and the investigation went on without it: {away}"
        ));
    }
    lines.extend(model.readings.iter().map(|reading| {
        format!(
            "`{}` means: {} [{}]",
            reading.quote,
            reading.meaning,
            cited(&reading.evidence)
        )
    }));
    if let Some(conclusion) = &model.conclusion {
        let name = named(
            conclusion.service.as_deref().unwrap_or("a node"),
            conclusion.namespace.as_deref(),
        );
        let stands = match (conclusion.agrees, conclusion.holds) {
            (true, _) => "as the analysis does",
            (false, true) => "where something is abnormal too",
            (false, false) => "where nothing in the recorded calls is abnormal",
        };
        lines.push(format!(
            "It holds {name} to be the cause ({}), {stands}: {} [{}]",
            label(conclusion.kind),
            conclusion.why,
            cited(&conclusion.evidence)
        ));
        lines.extend(
            conclusion
                .decides
                .iter()
                .map(|said| format!("What decides: {} [{}]", said.what, cited(&said.evidence))),
        );
    }
    lines.extend(model.hypotheses.iter().map(|hypothesis| {
        let name = named(
            hypothesis.service.as_deref().unwrap_or("a node"),
            hypothesis.namespace.as_deref(),
        );
        format!(
            "It thought of {name} ({}): {} What would refute it: {} [{}]",
            label(hypothesis.kind),
            hypothesis.because,
            hypothesis.refuted_by,
            cited(&hypothesis.evidence)
        )
    }));
    lines.extend(model.objections.iter().map(|objection| {
        let stands = match objection.holds {
            Some(true) => "the recorded calls bear it out",
            Some(false) => "the recorded calls do not bear it out",
            None => "no recorded call decides it",
        };
        format!(
            "It objects ({stands}): {} [{}]",
            objection.text,
            cited(&objection.evidence)
        )
    }));
    if lines.is_empty() {
        return;
    }
    doc.heading("A second opinion, by a model");
    doc.blocks.push(Block::List(lines));
}

/// What the model cost, a row each role.
pub(super) fn cost(doc: &mut Document, report: &Report) {
    let roles = &report.cost.roles;
    if roles.is_empty() {
        return;
    }
    let rows = roles.iter().map(|role| {
        let about = if role.estimated { "about " } else { "" };
        vec![
            role.role.to_string(),
            words::number(u64::from(role.calls)),
            words::number(u64::from(role.failed)),
            words::number(u64::from(role.rejected)),
            format!("{about}{}", words::number(role.tokens_in)),
            format!("{about}{}", words::number(role.tokens_out)),
        ]
    });
    doc.table(
        &["Model", "Calls", "Failed", "Refused", "Tokens in", "Tokens out"],
        rows.collect(),
    );
}

/// "a model asked 7 times, 12,400 tokens in, 900 out" for the line of the cost.
pub(super) fn in_short(report: &Report) -> String {
    if report.model.is_none() {
        return "no model".to_owned();
    }
    let cost = &report.cost;
    let about = if cost.roles.iter().any(|role| role.estimated) {
        "about "
    } else {
        ""
    };
    let money = cost
        .money
        .map(|money| format!(", {money:.4} spent"))
        .unwrap_or_default();
    format!(
        "{} model {}, {about}{} tokens in, {about}{} out{money}",
        words::number(u64::from(cost.model_calls)),
        words::plural(u64::from(cost.model_calls), "call"),
        words::number(cost.tokens_in),
        words::number(cost.tokens_out)
    )
}
