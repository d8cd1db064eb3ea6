//! Scores a run against what is true, without a model to judge.
//!
//! Every check is a comparison that can be repeated by hand. A run passes where every check does; its score is the
//! weighted mean of the checks, so that half a path is worth half of one.

mod answer;
mod evidence;
mod text;
mod times;

use serde::{Deserialize, Serialize};

use super::{
    case::Ending,
    load::EvalCase,
    run::{Ran, Recorded},
};

/// One comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    /// How much of it is right, 0 to 1; only 1 passes.
    pub share: f64,
    /// What is wrong, in words; empty where nothing is.
    pub wrong: String,
    /// What today's code is known to fall short of here, where the case says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
}

impl Check {
    /// A check that is right where nothing is wrong.
    fn all_or_nothing(name: &str, wrong: Option<String>) -> Self {
        Self {
            name: name.to_owned(),
            share: if wrong.is_none() { 1.0 } else { 0.0 },
            wrong: wrong.unwrap_or_default(),
            known: None,
        }
    }

    /// A check of several things, each of which may be wrong; the share is that of the right ones.
    #[expect(clippy::cast_precision_loss, reason = "numbers of things to check")]
    fn of_many(name: &str, things: usize, wrong: &[String]) -> Self {
        Self {
            name: name.to_owned(),
            share: 1.0 - wrong.len().min(things.max(1)) as f64 / things.max(1) as f64,
            wrong: wrong.join("; "),
            known: None,
        }
    }

    /// Right, or known not to be.
    pub fn passed(&self) -> bool {
        self.wrong.is_empty() || self.known.is_some()
    }
}

/// The names of all checks.
pub fn names() -> impl Iterator<Item = &'static str> {
    WEIGHTS.iter().map(|(name, _)| *name)
}

/// What a check is worth beside the others. Wrong answers and invented ones cost most.
const WEIGHTS: &[(&str, f64)] = &[
    ("verdict", 3.0),
    ("cause", 3.0),
    ("first-three", 1.0),
    ("kind", 1.0),
    ("endpoint", 1.0),
    ("extra-causes", 2.0),
    ("onset", 1.0),
    ("path", 2.0),
    ("ruled-out", 1.0),
    ("window", 2.0),
    ("times", 2.0),
    ("evidence", 2.0),
    ("forbidden", 2.0),
    ("says", 1.0),
    ("budget", 1.0),
    ("secrets", 2.0),
];

fn weight(check: &Check) -> f64 {
    WEIGHTS
        .iter()
        .find(|(name, _)| *name == check.name)
        .map_or(1.0, |(_, weight)| *weight)
}

/// All checks of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    pub checks: Vec<Check>,
    /// Weighted mean of the checks, 0 to 1.
    pub score: f64,
    /// Whether a finding that claims something was right; none where nothing was claimed.
    pub right: Option<bool>,
    /// A root cause was reported, and the first one is none.
    pub wrong_cause: bool,
}

impl Score {
    pub fn passed(&self) -> bool {
        self.checks.iter().all(Check::passed)
    }

    /// Checks that are right, though the case says that they are known not to be.
    pub fn better(&self) -> Vec<&str> {
        let better = self
            .checks
            .iter()
            .filter(|check| check.known.is_some() && check.wrong.is_empty());
        better.map(|check| check.name.as_str()).collect()
    }

    /// What is wrong, a line each: `onset: …`.
    pub fn wrong(&self) -> Vec<String> {
        let wrong = self.checks.iter().filter(|check| !check.passed());
        wrong
            .map(|check| format!("{}: {}", check.name, check.wrong))
            .collect()
    }
}

/// Scores a run. Checks that the truth says nothing about are left out.
pub fn score(case: &EvalCase, ran: &Ran, results: &Recorded) -> Score {
    let mut checks = vec![answer::verdict(case, ran)];
    let mut wrong_cause = false;
    if let Some(report) = &ran.report {
        checks.extend(answer::causes(case, report));
        checks.extend(answer::onset(case, report));
        checks.extend(answer::path(case, report));
        checks.extend(answer::ruled_out(case, report));
        checks.extend(times::window(case, report));
        checks.push(times::times(case, ran, report));
        checks.push(evidence::evidence(report, results));
        checks.extend(text::budget(case, &report.cost));
        wrong_cause = answer::wrong_cause(case, report);
    }
    checks.extend(text::forbidden(case, ran));
    checks.extend(text::says(case, ran));
    checks.push(text::secrets(case, ran));
    if let Some(shortfalls) = &case.truth.shortfalls {
        for check in &mut checks {
            check.known = shortfalls.value.get(&check.name).cloned();
        }
    }
    let whole: f64 = checks.iter().map(weight).sum();
    let got: f64 = checks.iter().map(|check| weight(check) * check.share).sum();
    let claims = matches!(ran.ending, Ending::RootCause | Ending::NoAnomaly);
    Score {
        right: claims.then(|| case.endings().contains(&ran.ending) && !wrong_cause),
        checks,
        score: got / whole.max(f64::MIN_POSITIVE),
        wrong_cause,
    }
}
