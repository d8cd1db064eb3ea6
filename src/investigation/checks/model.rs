//! What the guards check of a language model: what it asks for, what it costs, and what is said in its words.

use super::{Check, concluded, each_call};
use crate::{
    investigation::{
        action::Action,
        case::Case,
        consult::{self, answers::About},
        guard::Proposal,
        machine::Phase,
    },
    wire::{Operation, SnapshotRef},
};

pub(in crate::investigation) fn model_tools(case: &Case, proposal: &Proposal<'_>) -> Check {
    if !matches!(
        proposal,
        Proposal::Act {
            phase: Phase::Probe,
            ..
        }
    ) {
        return Ok(());
    }
    let own = |snapshot: Option<&SnapshotRef>| {
        snapshot.is_some() && snapshot == case.snapshot.as_ref().map(|secured| &secured.reference)
    };
    each_call(proposal, |call| {
        let allowed = match call {
            Operation::CountCalls { scope }
            | Operation::ListCalls { scope, .. }
            | Operation::CallDetail { scope, .. } => own(scope.snapshot.as_ref()),
            Operation::ListWorkloads { snapshot, .. } => own(snapshot.as_ref()),
            _ => false,
        };
        if allowed {
            Ok(())
        } else {
            Err(format!("`{}` is nothing that a model may ask for", call.name()))
        }
    })
}

pub(in crate::investigation) fn model_budget(case: &Case, proposal: &Proposal<'_>) -> Check {
    let Proposal::Act {
        action: Action::Consult { consultation },
        ..
    } = proposal
    else {
        return Ok(());
    };
    let Some(model) = &case.settings.model else {
        return Err("there is no model".to_owned());
    };
    if let Some(why) = case.consulted.away() {
        return Err(format!("the model is away: {why}"));
    }
    if consultation.rejected.len() > consult::REPAIRS {
        return Err("an answer that was not accepted is asked for again once".to_owned());
    }
    let (budget, spent) = (&model.budget, case.consulted.total());
    if spent.calls >= budget.calls {
        return Err(format!(
            "{} of {} calls to the model are spent",
            spent.calls, budget.calls
        ));
    }
    // What the prompt will take, about: its facts, and as much again as templates and schema are long.
    let facts = serde_json::to_string(consultation).map_or(0, |text| text.len());
    let next = (facts / consult::CHARS_A_TOKEN) as u64 + PROMPT_TOKENS;
    let tokens = spent.tokens_in.saturating_add(spent.tokens_out);
    if tokens.saturating_add(next) > budget.tokens {
        return Err(format!(
            "{tokens} of {} tokens are spent, and the next question takes about {next}",
            budget.tokens
        ));
    }
    match budget.money {
        Some(money) if case.consulted.money >= money => Err(format!(
            "{:.4} of {money} are spent on the model",
            case.consulted.money
        )),
        _ => Ok(()),
    }
}

/// Tokens of a prompt's fixed part with its schema, about.
const PROMPT_TOKENS: u64 = 1_200;

pub(in crate::investigation) fn grounded(case: &Case, proposal: &Proposal<'_>) -> Check {
    if concluded(proposal).is_none() {
        return Ok(());
    }
    let opinion = &case.opinion;
    for sentence in &opinion.prose {
        if sentence.about != About::Advice && sentence.evidence.is_empty() {
            return Err("a sentence of the prose cites no evidence".to_owned());
        }
        if sentence.text.contains("{{") {
            return Err("a sentence of the prose has a slot that nobody filled".to_owned());
        }
    }
    let cited = opinion
        .prose
        .iter()
        .flat_map(|sentence| &sentence.evidence)
        .chain(opinion.readings.iter().map(|reading| &reading.evidence))
        .chain(
            opinion
                .hypotheses
                .iter()
                .flat_map(|hypothesis| &hypothesis.evidence),
        )
        .chain(
            opinion
                .objections
                .iter()
                .flat_map(|objection| &objection.evidence),
        )
        .chain(
            opinion
                .conclusion
                .iter()
                .flat_map(|conclusion| &conclusion.evidence),
        );
    match cited.into_iter().find(|id| case.evidence.get(id).is_none()) {
        Some(id) => Err(format!(
            "a word of the model cites {id}, which is not in the evidence"
        )),
        None => Ok(()),
    }
}
