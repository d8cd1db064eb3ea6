//! What a report may not say, has to say, and may not give away; and what it may cost.

use super::Check;
use crate::{
    eval::{load::EvalCase, run::Ran},
    journal::redact::Redactor,
    report::{Cost, Report},
};

/// What a report claims of the incident, without what it quotes from the cluster as ruled out or as evidence.
fn claims(report: &Report) -> String {
    let mut said = vec![report.summary.clone()];
    said.extend(report.because.iter().cloned());
    said.extend(report.about.iter().cloned());
    said.extend(report.next.iter().cloned());
    for cause in &report.root_causes {
        said.push(cause.explanation.clone());
        said.extend(cause.service.iter().cloned());
        said.extend(cause.workload.iter().cloned());
    }
    said.join("\n").to_lowercase()
}

pub(super) fn forbidden(case: &EvalCase, ran: &Ran) -> Option<Check> {
    let words = &case.truth.forbidden;
    if words.is_empty() {
        return None;
    }
    let said = ran
        .report
        .as_ref()
        .map_or_else(|| ran.text.to_lowercase(), claims);
    let wrong: Vec<String> = words
        .iter()
        .filter(|word| said.contains(&word.to_lowercase()))
        .map(|word| format!("it claims `{word}`"))
        .collect();
    Some(Check::of_many("forbidden", words.len(), &wrong))
}

pub(super) fn says(case: &EvalCase, ran: &Ran) -> Option<Check> {
    let words = &case.truth.says;
    if words.is_empty() {
        return None;
    }
    let wrong: Vec<String> = words
        .iter()
        .filter(|word| !ran.text.contains(word.as_str()))
        .map(|word| format!("`{word}` is not said"))
        .collect();
    Some(Check::of_many("says", words.len(), &wrong))
}

/// Nothing in the report looks like a secret, and no secret of the traffic is in it.
pub(super) fn secrets(case: &EvalCase, ran: &Ran) -> Check {
    let redactor = Redactor::new("eval");
    let mut wrong = Vec::new();
    if redactor.text(&ran.text) != ran.text {
        wrong.push("the report holds what looks like a secret".to_owned());
    }
    let json = ran
        .report
        .as_ref()
        .and_then(|report| serde_json::to_value(report).ok());
    if let Some(json) = json
        && redactor.value(json.clone()) != json
    {
        wrong.push("the report's JSON holds what looks like a secret".to_owned());
    }
    let known = case.truth.secrets.iter();
    // Which one it is, is not told: a log is no place for it.
    for (index, _) in known.enumerate().filter(|(_, secret)| {
        ran.text.contains(secret.as_str()) || ran.transcript.iter().any(|line| line.contains(secret.as_str()))
    }) {
        wrong.push(format!("secret {} of the case is in the report", index + 1));
    }
    Check::all_or_nothing("secrets", (!wrong.is_empty()).then(|| wrong.join("; ")))
}

pub(super) fn budget(case: &EvalCase, cost: &Cost) -> Option<Check> {
    let budget = &case.budget;
    let tokens = cost.tokens_in.saturating_add(cost.tokens_out);
    let mut limits = 0;
    let mut wrong = Vec::new();
    let mut kept = |limit: Option<f64>, spent: f64, what: &str| {
        let Some(limit) = limit else { return };
        limits += 1;
        if spent > limit {
            wrong.push(format!("{spent} {what}, {limit} are allowed"));
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "bytes and tokens stay far below 2^52")]
    {
        kept(
            budget.calls.map(f64::from),
            f64::from(cost.tool_calls),
            "tool calls",
        );
        kept(
            budget.bytes.map(|n| n as f64),
            cost.bytes_in as f64,
            "bytes of answers",
        );
        kept(budget.seconds, cost.seconds, "seconds in tools");
        kept(
            budget.model_calls.map(f64::from),
            f64::from(cost.model_calls),
            "calls of a model",
        );
        kept(budget.tokens.map(|n| n as f64), tokens as f64, "tokens");
    }
    (limits > 0).then(|| Check::of_many("budget", limits, &wrong))
}
