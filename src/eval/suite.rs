//! Many runs: who runs them, and what they add up to.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{
    case::Ending,
    load::{BrokenCase, EvalCase},
    run::{self, EvalError, Ran, Recorded},
    score::{Score, score},
    transcript::Match,
};
use crate::{analysis::wilson, benchmark, investigation::Confidence, kubeshark::Endpoint, report::Cost};

/// The `schema` of results.
pub const RESULTS: &str = "rca-agent/eval-results/1";

/// Where the answers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// From the recorded session.
    Replay,
    /// From the embedded hub over the capture.
    Hub,
    /// From a server that somebody names.
    Live,
}

impl Tier {
    pub fn word(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Hub => "hub",
            Self::Live => "live",
        }
    }
}

/// How a run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Passed,
    /// A check did not pass.
    Failed,
    /// Today's code asks something else than the recorded session.
    Diverged,
    /// It did not come to an end, or the case is not in order.
    Broken,
    /// The truth is not filled in yet.
    Unscored,
    /// The case has nothing that this tier needs.
    Skipped,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Diverged => "diverged",
            Self::Broken => "broken",
            Self::Unscored => "unscored",
            Self::Skipped => "skipped",
        }
    }

    /// Whether it counts at all.
    pub fn counts(self) -> bool {
        matches!(self, Self::Passed | Self::Failed | Self::Diverged | Self::Broken)
    }
}

/// One run of one case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunResult {
    pub status: Status,
    /// Why it did not pass, a line each.
    pub why: Vec<String>,
    /// Requests that differ from the recorded ones, as a unified diff.
    pub divergence: Option<String>,
    pub ending: Option<Ending>,
    pub confidence: Option<Confidence>,
    /// What the report says of itself, 0 to 1.
    pub probability: Option<f64>,
    pub score: Option<Score>,
    /// Of a case with a cause: the place of the first right answer among the suspects, from 1.
    pub rank: Option<Option<usize>>,
    pub cost: Option<Cost>,
    /// Wall time of the run, ms.
    pub took_ms: u64,
}

impl RunResult {
    fn without_answer(status: Status, why: String, divergence: Option<String>) -> Self {
        Self {
            status,
            why: if why.is_empty() { Vec::new() } else { vec![why] },
            divergence,
            ending: None,
            confidence: None,
            probability: None,
            score: None,
            rank: None,
            cost: None,
            took_ms: 0,
        }
    }
}

/// All runs of one case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseResult {
    pub name: String,
    pub about: String,
    pub tags: Vec<String>,
    pub runs: Vec<RunResult>,
}

impl CaseResult {
    /// Runs that count, and those of them that passed.
    pub fn passed(&self) -> (u64, u64) {
        let count = |pick: fn(&RunResult) -> bool| self.runs.iter().filter(|run| pick(run)).count() as u64;
        (
            count(|run| run.status == Status::Passed),
            count(|run| run.status.counts()),
        )
    }

    /// The run that says most: the first one that did not pass, else the first.
    pub fn telling(&self) -> Option<&RunResult> {
        let bad = self.runs.iter().find(|run| run.status != Status::Passed);
        bad.or_else(|| self.runs.first())
    }

    /// Mean score of the runs that have one.
    pub fn score(&self) -> Option<f64> {
        mean(self.runs.iter().filter_map(|run| Some(run.score.as_ref()?.score)))
    }
}

/// What confidence was worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Mean of (said − right)², 0 to 1, less is better (Brier 1950); none where nothing was claimed.
    pub brier: Option<f64>,
    pub bins: Vec<Bin>,
}

/// Findings of one confidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    pub confidence: Confidence,
    pub findings: u64,
    /// How often they said they would be right, and how often they were, 0 to 1.
    pub said: f64,
    pub right: f64,
}

/// What the runs add up to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub cases: usize,
    /// Runs that count.
    pub runs: u64,
    pub passed: u64,
    /// Share that passed, and its interval of 95 % (Wilson 1927).
    pub rate: f64,
    pub low: f64,
    pub high: f64,
    /// Mean score, 0 to 1.
    pub score: f64,
    /// Runs that name a wrong root cause first.
    pub wrong_causes: u64,
    /// Of the cases with a cause: it was first, among the first three; mean of 1/rank.
    pub caused: usize,
    pub top_1: usize,
    pub top_3: usize,
    pub mrr: f64,
    pub calibration: Calibration,
    pub tool_calls: u64,
    pub bytes: u64,
    pub model_calls: u64,
    pub tokens: u64,
    /// Wall time of all of it, ms.
    pub took_ms: u64,
}

/// Everything that a run of the suite found out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Suite {
    pub schema: String,
    /// Version of rca-agent.
    pub agent: String,
    pub tier: Tier,
    pub cases: Vec<CaseResult>,
    pub summary: Summary,
}

/// Where a live run finds its server.
pub type Server = Box<dyn Fn(&EvalCase) -> Result<Endpoint, String> + Send + Sync>;

/// Makes the model of a live run.
pub type Teller = Box<dyn Fn() -> Result<run::Asked, String> + Send + Sync>;

/// What is to be run, and how.
pub struct Order {
    pub tier: Tier,
    pub how: Match,
    pub runs: usize,
    pub jobs: usize,
    /// For live runs.
    pub server: Option<Server>,
    /// The model of live runs, where it is another than that of the case.
    pub model: Option<Teller>,
    /// Where journals of new runs are kept; nowhere by default.
    pub keep: Option<PathBuf>,
}

/// Runs all cases, several at once, and tells of each as it ends. The results are in the order of the cases.
pub fn run_all(
    cases: &[Result<EvalCase, BrokenCase>],
    order: &Order,
    ended: impl Fn(&CaseResult) + Sync,
) -> Vec<CaseResult> {
    // The longest first: whoever is free takes the next one.
    let size_of = |index: &usize| {
        cases
            .get(*index)
            .and_then(|case| case.as_ref().ok())
            .map_or(0, size)
    };
    let mut queue: Vec<usize> = (0..cases.len()).collect();
    queue.sort_by_key(|index| std::cmp::Reverse(size_of(index)));
    let queue = Mutex::new(VecDeque::from(queue));
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..order.jobs.clamp(1, cases.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((index, case)) = next.and_then(|index| Some((index, cases.get(index)?))) else {
                        return;
                    };
                    let result = all_runs(case, order);
                    ended(&result);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

fn size(case: &EvalCase) -> u64 {
    let path = case.dir.join(crate::journal::PACKED);
    std::fs::metadata(path).map_or(0, |file| file.len())
}

fn all_runs(case: &Result<EvalCase, BrokenCase>, order: &Order) -> CaseResult {
    match case {
        Ok(case) => CaseResult {
            name: case.name.clone(),
            about: case.about.clone(),
            tags: case.tags.iter().cloned().collect(),
            runs: (0..order.runs.max(1))
                .map(|number| one_run(case, order, number))
                .collect(),
        },
        Err(broken) => CaseResult {
            name: broken.name.clone(),
            about: String::new(),
            tags: Vec::new(),
            runs: vec![RunResult::without_answer(
                Status::Broken,
                broken.to_string(),
                None,
            )],
        },
    }
}

fn one_run(case: &EvalCase, order: &Order, number: usize) -> RunResult {
    if case.endings().is_empty() {
        let why = format!(
            "the truth is not filled in: `truth.verdict` of {}",
            case.dir.join(super::CASE).display()
        );
        return RunResult::without_answer(Status::Unscored, why, None);
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return RunResult::without_answer(Status::Broken, error.to_string(), None),
    };
    match order.tier {
        Tier::Replay => match runtime.block_on(run::replay(case, order.how)) {
            Ok(replayed) => match replayed.ran {
                Some(ran) => scored(case, &ran, &replayed.results, replayed.divergence),
                None => RunResult::without_answer(
                    Status::Diverged,
                    replayed.broke_off.unwrap_or_default(),
                    replayed.divergence,
                ),
            },
            Err(error) => RunResult::without_answer(Status::Broken, because(&error), None),
        },
        Tier::Hub if !case.has_capture() => {
            RunResult::without_answer(Status::Skipped, EvalError::NoCapture.to_string(), None)
        }
        Tier::Hub => {
            let endpoint = run::hub_of(case).map_err(|error| because(&error));
            anew(case, endpoint, order, number, &runtime)
        }
        Tier::Live => {
            let endpoint = match &order.server {
                Some(server) => server(case),
                None => run::hub_of(case).map_err(|error| because(&error)),
            };
            anew(case, endpoint, order, number, &runtime)
        }
    }
}

fn anew(
    case: &EvalCase,
    endpoint: Result<Endpoint, String>,
    order: &Order,
    number: usize,
    runtime: &tokio::runtime::Runtime,
) -> RunResult {
    let broken = |why: String| RunResult::without_answer(Status::Broken, why, None);
    let endpoint = match endpoint {
        Ok(endpoint) => endpoint,
        Err(why) => return broken(why),
    };
    let scratch = match tempfile::tempdir() {
        Ok(scratch) => scratch,
        Err(error) => return broken(error.to_string()),
    };
    let dir = match &order.keep {
        Some(keep) => keep.join(&case.name).join(format!("run-{}", number + 1)),
        None => scratch.path().to_owned(),
    };
    let model = match &order.model {
        Some(model) => match model() {
            Ok(model) => Some(model),
            Err(why) => return broken(why),
        },
        None => run::model_of(case),
    };
    match runtime.block_on(run::fresh(case, endpoint, model, &dir)) {
        Ok((ran, results)) => scored(case, &ran, &results, None),
        Err(error) => broken(because(&error)),
    }
}

/// An error with everything that caused it.
fn because(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

fn scored(case: &EvalCase, ran: &Ran, results: &Recorded, divergence: Option<String>) -> RunResult {
    let score = score(case, ran, results);
    let report = ran.report.as_ref();
    let status = match (&divergence, score.passed()) {
        (Some(_), _) => Status::Diverged,
        (None, true) => Status::Passed,
        (None, false) => Status::Failed,
    };
    let wanted: Vec<_> = case
        .truth
        .causes
        .iter()
        .map(super::case::CauseFile::party)
        .collect();
    // Where another verdict is honest too, nobody has to be named.
    let named = !wanted.is_empty() && case.endings() == [Ending::RootCause];
    let rank = report.filter(|_| named).map(|report| {
        let ranking = report.suspects.iter();
        let ranking = ranking.map(|suspect| (suspect.service.as_deref(), suspect.workload.as_deref()));
        benchmark::rank(&wanted, ranking)
    });
    RunResult {
        status,
        why: score.wrong(),
        divergence,
        ending: Some(ran.ending),
        confidence: report.map(|report| report.confidence),
        probability: report.map(|report| report.probability),
        rank,
        cost: report.map(|report| report.cost.clone()),
        took_ms: u64::try_from(ran.took.as_millis()).unwrap_or(u64::MAX),
        score: Some(score),
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    (count > 0.0).then(|| sum / count)
}

impl Suite {
    /// The results of a run of the suite that took so long, ms.
    pub fn new(tier: Tier, cases: Vec<CaseResult>, took_ms: u64) -> Self {
        Self {
            schema: RESULTS.to_owned(),
            agent: env!("CARGO_PKG_VERSION").to_owned(),
            tier,
            summary: summary(&cases, took_ms),
            cases,
        }
    }

    /// All runs that count.
    pub fn runs(&self) -> impl Iterator<Item = &RunResult> {
        counted(&self.cases)
    }
}

fn counted(cases: &[CaseResult]) -> impl Iterator<Item = &RunResult> {
    cases
        .iter()
        .flat_map(|case| &case.runs)
        .filter(|run| run.status.counts())
}

#[expect(clippy::cast_precision_loss, reason = "numbers of runs, and ranks")]
fn summary(cases: &[CaseResult], took_ms: u64) -> Summary {
    let runs: Vec<&RunResult> = counted(cases).collect();
    let passed = runs.iter().filter(|run| run.status == Status::Passed).count() as u64;
    let whole = runs.len() as u64;
    let (low, high) = wilson(passed, whole);
    let ranks: Vec<Option<usize>> = runs.iter().filter_map(|run| run.rank).collect();
    let within = |most: usize| {
        ranks
            .iter()
            .filter(|rank| rank.is_some_and(|rank| rank <= most))
            .count()
    };
    let costs = || runs.iter().filter_map(|run| run.cost.as_ref());
    Summary {
        cases: cases.len(),
        runs: whole,
        passed,
        rate: passed as f64 / whole.max(1) as f64,
        low,
        high,
        // A run that broke off is worth nothing.
        score: mean(
            runs.iter()
                .map(|run| run.score.as_ref().map_or(0.0, |score| score.score)),
        )
        .unwrap_or(0.0),
        wrong_causes: runs
            .iter()
            .filter(|run| run.score.as_ref().is_some_and(|score| score.wrong_cause))
            .count() as u64,
        caused: ranks.len(),
        top_1: within(1),
        top_3: within(3),
        mrr: mean(
            ranks
                .iter()
                .map(|rank| rank.map_or(0.0, |rank| 1.0 / rank as f64)),
        )
        .unwrap_or(0.0),
        calibration: calibration(&runs),
        tool_calls: costs().map(|cost| u64::from(cost.tool_calls)).sum(),
        bytes: costs().map(|cost| cost.bytes_in).sum(),
        model_calls: costs().map(|cost| u64::from(cost.model_calls)).sum(),
        tokens: costs()
            .map(|cost| cost.tokens_in.saturating_add(cost.tokens_out))
            .sum(),
        took_ms,
    }
}

/// What was said of each finding that claims something, and whether it was right.
fn calibration(runs: &[&RunResult]) -> Calibration {
    let claims: Vec<(Confidence, f64, f64)> = runs
        .iter()
        .filter_map(|run| {
            let right = run.score.as_ref()?.right?;
            Some((run.confidence?, run.probability?, if right { 1.0 } else { 0.0 }))
        })
        .collect();
    let bins = [Confidence::High, Confidence::Medium, Confidence::Low]
        .into_iter()
        .filter_map(|confidence| {
            let those = || claims.iter().filter(move |claim| claim.0 == confidence);
            Some(Bin {
                confidence,
                findings: those().count() as u64,
                said: mean(those().map(|claim| claim.1))?,
                right: mean(those().map(|claim| claim.2))?,
            })
        })
        .collect();
    Calibration {
        brier: mean(claims.iter().map(|(_, said, right)| (said - right).powi(2))),
        bins,
    }
}
