//! An hour of far more calls than can be listed: a sample and counts have to do.

use std::{fmt::Write as _, fs};

use crate::runner::Rca;

/// 2026-03-14T16:00:00Z
const START_US: i64 = 1_773_504_000_000_000;
const REQUESTS: i64 = 25_000;
const HOUR_US: i64 = 3_600_000_000;

/// Requests spread over an hour, two to four calls each; of the last twenty minutes half of what the ledger is
/// asked fails, and what depends on it with it. `factor` times as many requests.
fn hour(factor: i64) -> String {
    let mut text = String::new();
    let requests = REQUESTS * factor;
    for request in 0..requests {
        let start = START_US + request * (HOUR_US / requests);
        let failing = request * 3 > requests * 2 && (request * 7_919) % 2 == 0;
        let mut put = |after: i64, src: &str, dst: &str, path: &str, status: i64, took: i64| {
            let jitter = (request * 104_729 + after) % 900;
            let _ = writeln!(
                text,
                r#"{{"ts_us":{},"src":"{src}","dst":"{dst}","namespace":"shop","protocol":"http","method":"GET","path":"{path}","status":{status},"latency_us":{}}}"#,
                start + after,
                took + jitter
            );
        };
        let status = |bad: i64| if failing { bad } else { 200 };
        match request % 4 {
            0 => {
                put(0, "external", "gateway", "/checkout", status(502), 40_000);
                put(2_000, "gateway", "checkout", "/orders", status(502), 36_000);
                put(4_000, "checkout", "payments", "/charge", status(503), 20_000);
                put(6_000, "payments", "ledger", "/entries", status(500), 9_000);
            }
            1 => {
                put(0, "external", "gateway", "/cart", 200, 14_000);
                put(2_000, "gateway", "cart", "/items", 200, 6_000);
            }
            _ => {
                put(0, "external", "gateway", "/products", 200, 12_000);
                put(2_000, "gateway", "catalogue", "/products", 200, 7_000);
                put(3_000, "catalogue", "stock", "/levels", 200, 2_000);
            }
        }
    }
    text
}

#[test]
fn a_sample_and_counts_find_the_cause_within_the_limits() {
    let rca = Rca::new();
    fs::write(rca.dir().join("calls.jsonl"), hour(6)).unwrap();
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
