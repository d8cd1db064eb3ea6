//! Results as a document, for a terminal and for the page of a CI job, and as `JUnit` XML.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::{
    compare::Change,
    suite::{CaseResult, RunResult, Status, Suite, Summary},
};
use crate::report::document::{Block, Document};

/// Every case's numbers, what is wrong, what it adds up to, and what changed since the base.
pub fn document(suite: &Suite, changes: Option<&[Change]>) -> Document {
    let mut doc = Document {
        title: title(suite),
        card: None,
        blocks: Vec::new(),
    };
    doc.blocks.push(cases(suite));
    for case in &suite.cases {
        wrong(&mut doc.blocks, case);
    }
    doc.blocks.push(Block::Heading("What it adds up to".to_owned()));
    doc.blocks.push(Block::List(sums(&suite.summary)));
    if let Some(changes) = changes {
        doc.blocks.push(Block::Heading("Against the base".to_owned()));
        doc.blocks.push(changed(changes));
    }
    doc
}

fn title(suite: &Suite) -> String {
    let sum = &suite.summary;
    format!(
        "{} of {} runs passed ({} tier, {} cases)",
        sum.passed,
        sum.runs,
        suite.tier.word(),
        sum.cases
    )
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"))
}

#[expect(clippy::cast_precision_loss, reason = "bytes shown in MB")]
fn cases(suite: &Suite) -> Block {
    let head = [
        "case", "result", "score", "ended", "rank", "sure", "checks", "calls", "MB", "tokens", "ms",
    ];
    let rows = suite.cases.iter().map(|case| {
        let run = case.telling();
        let cost = run.and_then(|run| run.cost.as_ref());
        let score = run.and_then(|run| run.score.as_ref());
        let checks = score.map(|score| {
            let right = score.checks.iter().filter(|check| check.passed()).count();
            format!("{right}/{}", score.checks.len())
        });
        let none = || "–".to_owned();
        vec![
            case.name.clone(),
            result(case),
            number(case.score()),
            run.and_then(|run| run.ending)
                .map_or_else(none, |ending| ending.word().to_owned()),
            match run.and_then(|run| run.rank) {
                Some(Some(rank)) => rank.to_string(),
                Some(None) => "none".to_owned(),
                None => none(),
            },
            number(run.and_then(|run| run.probability)),
            checks.unwrap_or_else(none),
            cost.map_or_else(none, |cost| cost.tool_calls.to_string()),
            cost.map_or_else(none, |cost| format!("{:.1}", cost.bytes_in as f64 / 1e6)),
            cost.map_or_else(none, |cost| {
                cost.tokens_in.saturating_add(cost.tokens_out).to_string()
            }),
            run.map_or_else(none, |run| run.took_ms.to_string()),
        ]
    });
    Block::Table {
        head: head.map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}

/// "passed", or "7 of 10 (40–89 %)" of several runs.
fn result(case: &CaseResult) -> String {
    let (passed, runs) = case.passed();
    if case.runs.len() > 1 && runs > 0 {
        let (low, high) = crate::analysis::wilson(passed, runs);
        return format!("{passed} of {runs} ({:.0}–{:.0} %)", low * 100.0, high * 100.0);
    }
    case.telling()
        .map_or_else(String::new, |run| run.status.word().to_owned())
}

fn wrong(blocks: &mut Vec<Block>, case: &CaseResult) {
    let Some(run) = case
        .runs
        .iter()
        .find(|run| !matches!(run.status, Status::Passed | Status::Skipped))
    else {
        return;
    };
    let about = if case.about.is_empty() {
        String::new()
    } else {
        format!(": {}", case.about)
    };
    blocks.push(Block::Heading(format!(
        "{} {}{about}",
        case.name,
        run.status.word()
    )));
    if !run.why.is_empty() {
        blocks.push(Block::List(run.why.clone()));
    }
    if let Some(divergence) = &run.divergence {
        blocks.push(Block::Paragraph(
            "What today's code asks, against what the recorded session asked:".to_owned(),
        ));
        blocks.push(Block::Code(shortened(divergence)));
    }
}

/// The beginning of a long diff: a session that parts early differs in every line after.
fn shortened(diff: &str) -> String {
    const LINES: usize = 40;
    const CHARS: usize = 200;
    let lines: Vec<String> = diff
        .lines()
        .take(LINES)
        .map(|line| match line.char_indices().nth(CHARS) {
            Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
            None => line.to_owned(),
        })
        .collect();
    let more = diff.lines().count().saturating_sub(LINES);
    if more == 0 {
        lines.join("\n")
    } else {
        format!("{}\n… {more} more lines", lines.join("\n"))
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[expect(clippy::cast_precision_loss, reason = "ms and bytes shown in s and MB")]
fn sums(sum: &Summary) -> Vec<String> {
    let mut lines = vec![
        format!(
            "passed: {} of {}, {} (95 %: {} to {})",
            sum.passed,
            sum.runs,
            percent(sum.rate),
            percent(sum.low),
            percent(sum.high)
        ),
        format!("mean score: {:.3}", sum.score),
        format!(
            "of {} runs with a cause it was first in {}, among the first three in {}; mean reciprocal rank {:.3}",
            sum.caused, sum.top_1, sum.top_3, sum.mrr
        ),
        format!("runs that blame somebody wrong: {}", sum.wrong_causes),
    ];
    lines.extend(sum.calibration.brier.map(|brier| {
        let bins: Vec<String> = sum
            .calibration
            .bins
            .iter()
            .map(|bin| {
                format!(
                    "{:?} said {:.2}, right {:.2} of {}",
                    bin.confidence, bin.said, bin.right, bin.findings
                )
                .to_lowercase()
            })
            .collect();
        format!("confidence: Brier score {brier:.4}; {}", bins.join("; "))
    }));
    lines.push(format!(
        "cost: {} tool calls, {:.1} MB of answers, {} calls of a model, {} tokens",
        sum.tool_calls,
        sum.bytes as f64 / 1e6,
        sum.model_calls,
        sum.tokens
    ));
    lines.push(format!("took {:.1} s", sum.took_ms as f64 / 1e3));
    lines
}

fn changed(changes: &[Change]) -> Block {
    if changes.is_empty() {
        return Block::Paragraph("Nothing changed.".to_owned());
    }
    let share = |runs: Option<(u64, u64)>| {
        runs.map_or_else(|| "–".to_owned(), |(passed, runs)| format!("{passed}/{runs}"))
    };
    let calls = |calls: Option<u32>| calls.map_or_else(|| "–".to_owned(), |calls| calls.to_string());
    let rows = changes.iter().map(|change| {
        let verdict = if change.is_worse() {
            "worse"
        } else if change.is_better() {
            "better"
        } else if change.before.is_none() {
            "new"
        } else if change.now.is_none() {
            "not run"
        } else {
            "other numbers"
        };
        vec![
            change.name.clone(),
            verdict.to_owned(),
            format!("{} → {}", share(change.before), share(change.now)),
            format!("{} → {}", number(change.scores.0), number(change.scores.1)),
            format!("{} → {}", calls(change.calls.0), calls(change.calls.1)),
            change.why.first().cloned().unwrap_or_default(),
        ]
    });
    Block::Table {
        head: ["case", "", "passed", "score", "calls", "why"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
    }
}

/// Results as `JUnit` XML: a test suite for the tier, a test case for each run.
pub fn junit(suite: &Suite) -> Result<String, SerializeError> {
    let mut report = Report::new("rca-agent eval");
    report.set_time(Duration::from_millis(suite.summary.took_ms));
    let mut tests = TestSuite::new(format!("eval.{}", suite.tier.word()));
    tests.set_time(Duration::from_millis(suite.summary.took_ms));
    for case in &suite.cases {
        for (number, run) in case.runs.iter().enumerate() {
            let name = if case.runs.len() > 1 {
                format!("{} run {}", case.name, number + 1)
            } else {
                case.name.clone()
            };
            let mut test = TestCase::new(name, status(run));
            test.set_classname(format!("eval.{}", suite.tier.word()));
            test.set_time(Duration::from_millis(run.took_ms));
            if let Some(score) = &run.score {
                test.add_property(("score", format!("{:.4}", score.score).as_str()));
            }
            tests.add_test_case(test);
        }
    }
    report.add_test_suite(tests);
    report.to_string()
}

fn status(run: &RunResult) -> TestCaseStatus {
    let kind = match run.status {
        Status::Passed => return TestCaseStatus::success(),
        Status::Skipped | Status::Unscored => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(run.why.join("; "));
            return skipped;
        }
        Status::Failed | Status::Diverged => NonSuccessKind::Failure,
        Status::Broken => NonSuccessKind::Error,
    };
    let mut failed = TestCaseStatus::non_success(kind);
    let mut said = run.why.clone();
    if run.divergence.is_some() {
        said.insert(0, "it asks something else than the recorded session".to_owned());
    }
    failed
        .set_type(run.status.word())
        .set_message(said.join("; "))
        .set_description(format!(
            "{}\n{}",
            said.join("\n"),
            run.divergence.as_deref().unwrap_or_default()
        ));
    failed
}
