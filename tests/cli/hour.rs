//! A generated hour of a shop, as large as wanted: for a test, and for the benchmark of a million calls.

use std::fmt::Write as _;

/// 2026-03-14T16:00:00Z
const START_US: i64 = 1_773_504_000_000_000;
const HOUR_US: i64 = 3_600_000_000;

/// Requests spread over an hour, two to four calls each; of the last twenty minutes half of what the ledger is
/// asked fails, and what depends on it with it. As JSON lines.
pub(crate) fn hour(requests: i64) -> String {
    let mut text = String::new();
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
