//! Two runs of the suite against each other.

use super::suite::{CaseResult, Suite};

/// A case that is another than before.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub name: String,
    /// Runs that passed and runs that count, before and now; none where the case was not run.
    pub before: Option<(u64, u64)>,
    pub now: Option<(u64, u64)>,
    /// Mean scores.
    pub scores: (Option<f64>, Option<f64>),
    /// Tool calls, of the first run.
    pub calls: (Option<u32>, Option<u32>),
    /// Why it does not pass now.
    pub why: Vec<String>,
}

impl Change {
    /// A smaller share passes than before.
    pub fn is_worse(&self) -> bool {
        match (self.before, self.now) {
            // Shares as products: no rounding.
            (Some((passed, runs)), Some((passes, count))) => passes * runs < passed * count,
            _ => false,
        }
    }

    pub fn is_better(&self) -> bool {
        match (self.before, self.now) {
            (Some((passed, runs)), Some((passes, count))) => passes * runs > passed * count,
            _ => false,
        }
    }
}

/// The cases that differ, the worse ones first.
pub fn changes(base: &Suite, now: &Suite) -> Vec<Change> {
    let mut names: Vec<&str> = base
        .cases
        .iter()
        .chain(&now.cases)
        .map(|case| case.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut changes: Vec<Change> = names
        .into_iter()
        .map(|name| change(name, of(base, name), of(now, name)))
        .filter(|change| {
            let moved = match change.scores {
                (Some(was), Some(is)) => (was - is).abs() > 1e-9,
                (was, is) => was.is_some() != is.is_some(),
            };
            change.is_worse() || change.is_better() || moved || change.calls.0 != change.calls.1
        })
        .collect();
    changes.sort_by_key(|change| (!change.is_worse(), !change.is_better()));
    changes
}

fn of<'a>(suite: &'a Suite, name: &str) -> Option<&'a CaseResult> {
    suite.cases.iter().find(|case| case.name == name)
}

fn change(name: &str, before: Option<&CaseResult>, now: Option<&CaseResult>) -> Change {
    let calls = |case: Option<&CaseResult>| Some(case?.runs.first()?.cost.as_ref()?.tool_calls);
    Change {
        name: name.to_owned(),
        before: before.map(CaseResult::passed),
        now: now.map(CaseResult::passed),
        scores: (
            before.and_then(CaseResult::score),
            now.and_then(CaseResult::score),
        ),
        calls: (calls(before), calls(now)),
        why: now
            .and_then(CaseResult::telling)
            .map(|run| run.why.clone())
            .unwrap_or_default(),
    }
}
