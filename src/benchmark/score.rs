//! Ranks, and what they add up to.

use std::{collections::BTreeMap, fs, path::Path};

use super::Wanted;
use crate::investigation::Verdict;

/// A suspect as far as scoring needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    pub service: Option<String>,
    pub workload: Option<String>,
}

/// What came of one incident.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub name: String,
    pub kind: String,
    pub wanted: Vec<Wanted>,
    pub verdict: Verdict,
    pub ranking: Vec<Ranked>,
    /// 0 to 1.
    pub probability: f64,
    /// Kind of the first root cause, as the report has it.
    pub said_kind: Option<String>,
    /// Ranks of the simple rules, in their order.
    pub rules: Vec<Option<usize>>,
    pub calls: u32,
    pub bytes: u64,
    /// Spent outside the tools, ms.
    pub own_ms: u64,
}

impl Outcome {
    /// The place of the first right answer, from 1; of an incident without a cause 1 where none was reported.
    pub fn rank(&self) -> Option<usize> {
        if self.wanted.is_empty() {
            return (self.verdict != Verdict::RootCause).then_some(1);
        }
        let ranking = self.ranking.iter();
        rank(
            &self.wanted,
            ranking.map(|suspect| (suspect.service.as_deref(), suspect.workload.as_deref())),
        )
    }

    /// A root cause was reported, and it is a wrong one.
    pub fn wrong(&self) -> bool {
        self.verdict == Verdict::RootCause && self.rank() != Some(1)
    }

    /// The verdict is what a right report says.
    pub fn right(&self) -> bool {
        if self.wanted.is_empty() {
            self.verdict == Verdict::NoAnomaly
        } else {
            self.verdict == Verdict::RootCause && self.rank() == Some(1)
        }
    }
}

/// The place of the first right answer in a ranking of (service, workload), from 1.
pub fn rank<'a>(
    wanted: &[Wanted],
    ranking: impl IntoIterator<Item = (Option<&'a str>, Option<&'a str>)>,
) -> Option<usize> {
    ranking
        .into_iter()
        .position(|(service, workload)| wanted.iter().any(|wanted| wanted.is(service, workload)))
        .map(|at| at + 1)
}

/// One line of the summary.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub kind: String,
    pub cases: usize,
    /// Cases whose cause was first, among the first three.
    pub top_1: usize,
    pub top_3: usize,
    /// Mean of 1/rank; 0 where it was not ranked.
    pub mrr: f64,
    /// A wrong root cause was reported.
    pub wrong: usize,
    /// None was reported where there was one.
    pub inconclusive: usize,
}

/// Top-1, top-3 and mean reciprocal rank by kind, and of all.
#[expect(clippy::cast_precision_loss, reason = "ranks and numbers of cases")]
pub fn summary(outcomes: &[Outcome]) -> Vec<Line> {
    let mut kinds: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        kinds.entry(&outcome.kind).or_default().push(outcome);
    }
    let all: Vec<&Outcome> = outcomes.iter().collect();
    let lines = kinds
        .iter()
        .map(|(kind, list)| (*kind, list))
        .chain([("all", &all)]);
    lines
        .map(|(kind, list)| {
            let within = |most: usize| {
                list.iter()
                    .filter(|outcome| outcome.rank().is_some_and(|rank| rank <= most))
                    .count()
            };
            Line {
                kind: kind.to_owned(),
                cases: list.len(),
                top_1: within(1),
                top_3: within(3),
                mrr: list
                    .iter()
                    .filter_map(|outcome| outcome.rank())
                    .map(|rank| 1.0 / rank as f64)
                    .sum::<f64>()
                    / list.len().max(1) as f64,
                wrong: list.iter().filter(|outcome| outcome.wrong()).count(),
                inconclusive: list
                    .iter()
                    .filter(|outcome| !outcome.wanted.is_empty() && outcome.verdict != Verdict::RootCause)
                    .count(),
            }
        })
        .collect()
}

/// The table of published figures in the README beside the incidents or above them, as its lines; empty where there is
/// none. It is found by its column "top-1".
pub fn published(root: &Path) -> Vec<String> {
    let texts = [root.join("README.md"), root.join("../README.md")];
    let text = texts.iter().find_map(|path| {
        let text = fs::read_to_string(path).ok()?;
        text.contains("top-1 |").then_some(text)
    });
    text.unwrap_or_default()
        .lines()
        .skip_while(|line| !(line.starts_with('|') && line.contains("top-1")))
        .take_while(|line| line.starts_with('|'))
        .map(str::to_owned)
        .collect()
}
