//! Whether the evidence exists, and supports what it is cited for.
//!
//! What is cited has to be a result that the session recorded. For a hop, one of the cited results has to name both
//! ends, and hold the moment of the first abnormal call; for a cause, one has to name the party.

use std::collections::HashMap;

use chrono::DateTime;

use super::Check;
use crate::{
    eval::run::Recorded,
    report::{Evidence, Report},
};

/// Names that stand for whoever has none.
const NAMELESS: &str = "outside";

struct Held<'a> {
    known: HashMap<&'a str, &'a Evidence>,
    results: &'a Recorded,
    texts: HashMap<&'a str, Option<String>>,
    wrong: Vec<String>,
    claims: usize,
}

pub(super) fn evidence(report: &Report, results: &Recorded) -> Check {
    let mut held = Held {
        known: report.evidence.iter().map(|one| (one.id.as_str(), one)).collect(),
        results,
        texts: HashMap::new(),
        wrong: Vec::new(),
        claims: 0,
    };
    for cause in &report.root_causes {
        let name = cause
            .service
            .as_deref()
            .or(cause.workload.as_deref())
            .unwrap_or_default();
        let what = format!("the cause {name}");
        held.claim(&what, &cause.evidence, &names(&[name]));
    }
    for hop in &report.path {
        let what = format!("the hop from {} to {}", hop.from, hop.to);
        let mut marks = names(&[&hop.from, &hop.to]);
        // Unix ms, as every answer has its times.
        marks.extend(
            DateTime::parse_from_rfc3339(&hop.first_abnormal)
                .ok()
                .map(|at| at.timestamp_millis().to_string()),
        );
        held.claim(&what, &hop.evidence, &marks);
    }
    for impact in &report.impact {
        held.claim(
            &format!("the impact on {}", impact.service),
            &impact.evidence,
            &[],
        );
    }
    for out in &report.ruled_out {
        held.claim(&format!("ruling out {}", out.service), &out.evidence, &[]);
    }
    for moment in &report.timeline {
        held.claim(&format!("`{}`", moment.what), &moment.evidence, &[]);
    }
    Check::of_many("evidence", held.claims, &held.wrong)
}

fn names(all: &[&str]) -> Vec<String> {
    all.iter()
        .filter(|name| **name != NAMELESS && !name.is_empty())
        .map(|name| format!("\"{name}"))
        .collect()
}

impl<'a> Held<'a> {
    /// A claim cites evidence, all of it exists, and one of it holds every mark.
    fn claim(&mut self, what: &str, cited: &'a [String], marks: &[String]) {
        self.claims += 1;
        if cited.is_empty() {
            self.wrong.push(format!("{what} cites nothing"));
            return;
        }
        let missing: Vec<&str> = cited
            .iter()
            .map(String::as_str)
            .filter(|id| !self.known.contains_key(id))
            .collect();
        if !missing.is_empty() {
            self.wrong
                .push(format!("{what} cites {}, which do not exist", missing.join(", ")));
            return;
        }
        let mut supported = false;
        for id in cited {
            let Some(one) = self.known.get(id.as_str()).copied() else {
                continue;
            };
            let results = self.results;
            let text = self
                .texts
                .entry(one.result_sha256.as_str())
                .or_insert_with(|| results.text(&one.result_sha256));
            let Some(text) = text else {
                self.wrong
                    .push(format!("{what} cites {id}, whose result was not recorded"));
                return;
            };
            supported |= marks.iter().all(|mark| text.contains(mark.as_str()));
        }
        if !supported {
            let marks = marks.join(" and ");
            self.wrong
                .push(format!("no result that {what} cites holds {marks}"));
        }
    }
}
