//! Every number in a report comes from a recorded result: change one result, and the report changes or fails.

use std::collections::BTreeSet;

use rca_agent::{
    driver::{self, Unwatched},
    investigation::{Machine, Observation, State},
    journal::{self, CaseJournal, Entry, Recording},
    report,
    wire::decode,
};
use serde_json::Value;

use crate::support::{CASE, Recorded, investigate, opening, settings};

/// A report as it is shown, or that there is none.
async fn told(entries: &[Entry]) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let mut world = Recorded::of(entries);
    world.forgiving = true;
    let mut journal = CaseJournal::open(dir.path(), Recording::nothing()).unwrap();
    let mut machine = Machine::new(CASE, settings());
    driver::drive(&mut machine, opening(), &mut world, &mut journal, &mut Unwatched)
        .await
        .ok()?;
    let State::Concluded(finding) = machine.state() else {
        return None;
    };
    let mut report = report::report(machine.case(), finding, settings().now);
    // Hashes, excerpts and costs follow from the bytes alone: they would hide a number that does not follow.
    for evidence in &mut report.evidence {
        evidence.result_sha256.clear();
        evidence.excerpt.clear();
    }
    report.cost.bytes_in = 0;
    Some(serde_json::to_string(&report).unwrap())
}

/// The first good call of a list fails instead, or the first failing one is gone.
fn corrupted(body: &Value) -> Option<Value> {
    let list = decode::calls(body).ok().filter(|list| !list.calls.is_empty())?;
    let mut changed = body.clone();
    let calls = changed.get_mut("calls")?.as_array_mut()?;
    calls.remove(0);
    if let Some(total) = changed.get_mut("total") {
        *total = Value::from(list.total.unwrap_or(1).saturating_sub(1));
    }
    Some(changed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_result_changes_the_report() {
    let dir = tempfile::tempdir().unwrap();
    investigate(dir.path()).await;
    let entries = journal::read(dir.path()).unwrap().entries;
    let honest = told(&entries).await.unwrap();
    let mut tried = BTreeSet::new();
    for (at, entry) in entries.iter().enumerate() {
        let Entry::Observed {
            observation: Observation::Answers { answers },
        } = entry
        else {
            continue;
        };
        for (number, answer) in answers.iter().enumerate() {
            let Some(changed) = answer.value().ok().and_then(corrupted) else {
                continue;
            };
            let mut altered = entries.clone();
            if let Some(Entry::Observed {
                observation: Observation::Answers { answers },
            }) = altered.get_mut(at)
                && let Some(answer) = answers.get_mut(number)
                && let Ok(body) = &mut answer.result
            {
                body.value = changed;
            }
            tried.insert((at, number));
            assert_ne!(
                told(&altered).await.as_deref(),
                Some(honest.as_str()),
                "`{}` {} was changed and nobody saw it",
                answer.tool,
                answer.arguments
            );
        }
    }
    assert!(tried.len() >= 8, "{tried:?}");
}
