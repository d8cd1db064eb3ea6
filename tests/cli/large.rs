//! An hour of far more calls than can be listed: a sample and counts have to do.

use std::fs;

use crate::{hour::hour, runner::Rca};

#[test]
fn a_sample_and_counts_find_the_cause_within_the_limits() {
    let rca = Rca::new();
    fs::write(rca.dir().join("calls.jsonl"), hour(150_000)).unwrap();
    let output = rca.run(&[
        "investigate",
        "--since",
        "2026-03-14T16:35:00Z",
        "--until",
        "2026-03-14T16:58:00Z",
        "--capture",
        "calls.jsonl",
        "--format",
        "json",
        "-q",
    ]);
    assert_eq!(output.status, 0, "{output}");
    let report = output.json();
    assert_eq!(report["root_causes"][0]["service"], "ledger", "{output}");
    assert!(report["coverage"]["entries"].as_u64().unwrap() > 250_000);
    let (calls, bytes) = (&report["cost"]["tool_calls"], &report["cost"]["bytes_in"]);
    assert!(calls.as_u64().unwrap() <= 60, "{calls}");
    assert!(bytes.as_u64().unwrap() <= 5_000_000, "{bytes}");
}
