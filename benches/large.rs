//! What an investigation of a snapshot of a million calls takes: tool calls, bytes of answers, and time outside the
//! tools. Run with `cargo bench --bench large`; it fails beyond 60 calls, 5 MB and 2 s.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a benchmark prints, and one that cannot run has failed"
)]

use std::{fmt::Write as _, fs, process::Command, time::Instant};

/// 2026-03-14T16:00:00Z
const START_US: i64 = 1_773_504_000_000_000;
const HOUR_US: i64 = 3_600_000_000;
const REQUESTS: i64 = 350_000;

/// An hour of a million calls; of the last twenty minutes half of what the ledger is asked fails.
fn hour() -> String {
    let mut text = String::with_capacity(200 << 20);
    for request in 0..REQUESTS {
        let start = START_US + request * (HOUR_US / REQUESTS);
        let failing = request * 3 > REQUESTS * 2 && (request * 7_919) % 2 == 0;
        let status = |bad: i64| if failing { bad } else { 200 };
        let chain: &[(i64, &str, &str, &str, i64, i64)] = match request % 4 {
            0 => &[
                (0, "external", "gateway", "/checkout", status(502), 40_000),
                (2_000, "gateway", "checkout", "/orders", status(502), 36_000),
                (4_000, "checkout", "payments", "/charge", status(503), 20_000),
                (6_000, "payments", "ledger", "/entries", status(500), 9_000),
            ],
            1 => &[
                (0, "external", "gateway", "/cart", 200, 14_000),
                (2_000, "gateway", "cart", "/items", 200, 6_000),
            ],
            _ => &[
                (0, "external", "gateway", "/products", 200, 12_000),
                (2_000, "gateway", "catalogue", "/products", 200, 7_000),
                (3_000, "catalogue", "stock", "/levels", 200, 2_000),
            ],
        };
        for (after, src, dst, path, status, took) in chain {
            let took = took + (request * 104_729 + after) % 900;
            let at = start + after;
            writeln!(
                text,
                r#"{{"ts_us":{at},"src":"{src}","dst":"{dst}","namespace":"shop","protocol":"http","method":"GET","path":"{path}","status":{status},"latency_us":{took}}}"#
            )
            .unwrap();
        }
    }
    text
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("calls.jsonl"), hour()).unwrap();
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
