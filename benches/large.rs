//! What an investigation of a snapshot of a million calls takes: tool calls, bytes of answers, and time outside the
//! tools. Run with `cargo bench --bench large`; it fails beyond 60 calls, 5 MB and 2 s.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a benchmark prints, and one that cannot run has failed"
)]

#[path = "../tests/cli/hour.rs"]
mod hour;

use std::{fs, process::Command, time::Instant};

/// Make about a million calls.
const REQUESTS: i64 = 350_000;

fn main() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("calls.jsonl"), hour::hour(REQUESTS)).unwrap();
    let run = |arguments: &[&str]| {
        let started = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_rca-agent"))
            .args(arguments)
            .current_dir(dir.path())
            .output()
            .unwrap();
        (output, started.elapsed().as_secs_f64())
    };
    let (output, _) = run(&[
        "investigate",
        "--since",
        "2026-03-14T16:20:00Z",
        "--until",
        "2026-03-14T16:59:00Z",
        "--capture",
        "calls.jsonl",
        "--format",
        "json",
        "-q",
    ]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let case = report["case"].as_str().unwrap().to_owned();
    // A replay does everything again but the tools.
    let (replayed, own) = run(&["replay", &case, "--format", "json"]);
    assert!(replayed.status.success(), "{replayed:?}");
    let cost = &report["cost"];
    println!(
        "{} calls in the snapshot: {} {}; {} tool calls, {} bytes of answers, {own:.2} s outside the tools",
        report["coverage"]["entries"],
        report["verdict"],
        report["root_causes"][0]["service"],
        cost["tool_calls"],
        cost["bytes_in"],
    );
    assert_eq!(report["root_causes"][0]["service"], "ledger");
    assert!(cost["tool_calls"].as_u64().unwrap() <= 60);
    assert!(cost["bytes_in"].as_u64().unwrap() <= 5_000_000);
    assert!(own < 2.0);
}
