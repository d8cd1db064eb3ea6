//! An incident that comes as calls in JSON lines.

use std::fs;

use serde_json::json;

use crate::runner::Rca;

/// 2026-03-14T16:00:00Z
const START_US: i64 = 1_773_504_000_000_000;

/// Ten minutes of a shop whose payments fail from the sixth minute on, and checkout with them.
fn incident() -> String {
    let mut lines = vec!["no call at all".to_owned()];
    for second in 0..600_i64 {
        let failing = second >= 360;
        let status = |failed: u16| if failing { failed } else { 200 };
        for (after_ms, src, dst, path, status, latency_us) in [
            (0, "external", "checkout", "/checkout", status(502), 30_000),
            (5, "checkout", "cart", "/cart", 200, 4_000),
            (10, "checkout", "payments", "/charge", status(503), 15_000),
        ] {
            let line = json!({"ts_us": START_US + second * 1_000_000 + after_ms * 1_000, "src": src, "dst": dst,
                "namespace": "shop", "protocol": "http", "method": "POST", "path": path, "status": status,
                "latency_us": latency_us, "trace_id": format!("t{second}")});
            lines.push(line.to_string());
        }
    }
    lines.join("\n")
}

#[test]
fn it_is_investigated_like_any_other() {
    let rca = Rca::new();
    fs::write(rca.dir().join("calls.jsonl"), incident()).unwrap();
    fs::write(rca.dir().join("case.json"), "{\"root_cause_service\": \"cart\"").unwrap();
    let asked = [
        "--since",
        "2026-03-14T16:05:00Z",
        "--until",
        "2026-03-14T16:10:00Z",
        "-q",
        "--pcap",
    ];
    let mut args = vec![
        "investigate",
        "why does checkout fail?",
        "--capture",
        "calls.jsonl",
        "--format",
        "json",
    ];
    args.extend(asked);
    let output = rca.run(&args);
    assert_eq!(output.status, 0, "{output}");
    let report = output.json();
    assert_eq!(report["verdict"], "root_cause", "{output}");
    assert_eq!(report["root_causes"][0]["service"], "payments", "{output}");
    assert_eq!(report["root_causes"][0]["namespace"], "shop", "{output}");
    let text = report.to_string();
    assert!(
        text.contains("no packets to export"),
        "the PCAP that was wanted is not there: {text}"
    );
}
