//! The evidence that claims cite.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Detail;
use crate::{
    investigation::words,
    report::{
        document::{Block, Document},
        model::{Evidence, Report},
    },
};

/// Evidence ids in the order of their numbers, those that follow each other together.
pub(in crate::report) fn in_rows(ids: &[String]) -> Vec<Vec<String>> {
    let mut numbers: Vec<u64> = ids
        .iter()
        .filter_map(|id| id.strip_prefix('E')?.parse().ok())
        .collect();
    if numbers.len() != ids.len() {
        return ids.iter().map(|id| vec![id.clone()]).collect();
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
        .chunk_by(|a, b| a + 1 == *b)
        .map(|row| row.iter().map(|number| format!("E{number}")).collect())
        .collect()
}

/// The same as text, three and more in a row as a range: "E3 E6–E9".
pub(in crate::report) fn cited(ids: &[String]) -> String {
    let rows = in_rows(ids);
    let shown = rows.iter().map(|row| match row.as_slice() {
        [first, _, .., last] => format!("{first}–{last}"),
        few => few.join(" "),
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// Evidence that a claim cites; the rest is in report.json.
pub(super) fn evidence(doc: &mut Document, report: &Report, detail: Detail) {
    let mut lists: Vec<&Vec<String>> = report
        .root_causes
        .iter()
        .map(|cause| &cause.evidence)
        .chain(report.path.iter().map(|hop| &hop.evidence))
        .collect();
    if detail == Detail::Full {
        lists.extend(report.impact.iter().map(|impact| &impact.evidence));
        lists.extend(report.ruled_out.iter().map(|out| &out.evidence));
        lists.extend(report.timeline.iter().map(|moment| &moment.evidence));
    }
    let cited: BTreeSet<&str> = lists.into_iter().flatten().map(String::as_str).collect();
    let shown: Vec<&Evidence> = report
        .evidence
        .iter()
        .filter(|evidence| cited.contains(evidence.id.as_str()))
        .collect();
    if shown.is_empty() {
        return;
    }
    doc.heading("Evidence");
    let rows = shown.iter().map(|evidence| {
        let hash: String = evidence.result_sha256.chars().take(12).collect();
        vec![evidence.id.clone(), evidence.tool.clone(), facts(evidence), hash]
    });
    doc.table(&["Id", "Tool", "Facts", "SHA-256"], rows.collect());
    let others = report.evidence.len().saturating_sub(shown.len());
    if others > 0 {
        let which = match detail {
            Detail::Brief => "more results",
            Detail::Full => "more results that no claim rests on",
        };
        doc.paragraph(format!("{others} {which} are in report.json and in the journal."));
    }
    doc.heading("Queries to run again");
    let queries: Vec<String> = shown
        .iter()
        .map(|evidence| format!("{:<5}{}", evidence.id, query(evidence)))
        .collect();
    doc.blocks.push(Block::Code(queries.join("\n")));
}

/// The tool and its arguments but for the snapshot, which is the same for all.
fn query(evidence: &Evidence) -> String {
    let arguments: Vec<String> = evidence
        .arguments
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| {
            !matches!(name.as_str(), "snapshot_id" | "snapshot" | "db") && !value.is_null()
        })
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{} {}", evidence.tool, arguments.join(" "))
}

fn facts(evidence: &Evidence) -> String {
    let shown = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        Value::Number(number) => Some(number.as_u64().map_or_else(|| number.to_string(), words::number)),
        other => Some(other.to_string()),
    };
    let facts: Vec<String> = evidence
        .facts
        .iter()
        // Times are told in the timeline, in local time.
        .filter(|(name, _)| {
            !matches!(
                name.as_str(),
                "onset" | "first" | "at" | "start" | "end" | "oldest" | "newest"
            )
        })
        .filter_map(|(name, value)| Some(format!("{} {}", name.replace('_', " "), shown(value)?)))
        .collect();
    facts.join(", ")
}
