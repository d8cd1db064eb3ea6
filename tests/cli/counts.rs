//! `kfl count`: plans that are shown, and exact numbers however the server counts.

use insta::assert_snapshot;
use serde_json::Value;

use crate::runner::{Output, Rca, filters, program, short};

const NOW: &[&str] = &["--now", "2026-11-23T02:30:00Z", "--no-input"];

fn count(args: &[&str]) -> Output {
    let mut all = vec!["kfl", "count"];
    all.extend(args);
    all.extend(NOW);
    Rca::new().run(&all)
}

/// The number of tool calls so far in a line of progress, and sizes, differ with the machine's speed.
fn bound(shown: &str, name: &str) {
    let mut settings = filters();
    settings.add_filter(r"\d+ tool calls, [\d.]+ MB", "n tool calls, N MB");
    settings.add_filter(r"count-\d+", "[count]");
    settings.bind(|| assert_snapshot!(name, shown));
}

const FAILING: &str = "http && status_code >= 500";

#[test]
fn a_plan_is_shown_and_nothing_of_it_is_asked() {
    let capture = short();
    let output = count(&[
        FAILING,
        "--capture",
        &capture,
        "--by",
        "time,service",
        "--explain",
    ]);
    assert_eq!(output.status, 0, "{output}");
    // Nothing is recorded either: the snapshot is part of what would be done.
    assert!(!output.stderr.contains("secure"), "{output}");
    bound(&output.to_string(), "count explained");
    let json = count(&[FAILING, "--capture", &capture, "--explain", "--json", "-q"]).json();
    assert_eq!(json["budget"]["calls"], 60);
    assert!(
        json["plan"].as_array().is_some_and(|lines| lines.len() > 3),
        "{json}"
    );
}

#[test]
fn counts_are_told_in_local_time_with_utc_beside() {
    let capture = short();
    let args = [
        FAILING,
        "--capture",
        &capture,
        "--by",
        "service",
        "--every",
        "20s",
    ];
    let output = count(&args);
    assert_eq!(output.status, 0, "{output}");
    bound(&output.to_string(), "count");
    assert!(!Rca::new().dir().join("cases").exists(), "a count is no case");
}

fn json(source: &[&str], by: &str) -> Value {
    let mut args = vec![FAILING, "--by", by, "--json", "-q"];
    args.extend(source);
    let output = count(&args);
    assert_eq!(output.status, 0, "{output}");
    let mut value = output.json();
    for key in ["counted_by", "cost"] {
        value
            .as_object_mut()
            .and_then(|value| value.remove(key))
            .expect(key);
    }
    value
}

#[test]
fn a_server_whose_totals_count_nothing_gives_the_same_numbers() {
    let capture = short();
    let direct = json(&["--capture", &capture], "time,service,status");
    assert_eq!(direct["exact"], true);
    let cells = direct["cells"].as_array().unwrap();
    let sum: u64 = cells.iter().map(|cell| cell["calls"].as_u64().unwrap()).sum();
    assert!(cells.len() > 5 && direct["total"] == sum, "{direct}");
    let window = &direct["window"];
    let (start, end) = (window["start"].as_str().unwrap(), window["end"].as_str().unwrap());
    for fault in ["total-is-returned-length", "older-dialect"] {
        let command = format!("{} hub {} --fault {fault}", program(), short());
        let source = ["--mcp-command", &command, "--since", start, "--until", end];
        assert_eq!(json(&source, "time,service,status"), direct, "{fault}");
    }
}

#[test]
fn what_the_budget_leaves_unknown_is_named() {
    let capture = short();
    let output = count(&[
        "http",
        "--capture",
        &capture,
        "--by",
        "time,service,status",
        "--every",
        "1s",
        "--budget-calls",
        "9",
        "--budget-bytes",
        "60000",
        "-q",
    ]);
    assert_eq!(output.status, 3, "{output}");
    assert!(output.stdout.contains("What is missing"), "{output}");
    assert!(output.stdout.contains("the budget is spent"), "{output}");
}

#[test]
fn nothing_found_says_what_there_was() {
    let capture = short();
    let output = count(&[
        "http && dst.service.name == \"inventory\" && status_code == 418",
        "--capture",
        &capture,
        "-q",
    ]);
    assert_eq!(output.status, 0, "{output}");
    bound(&output.to_string(), "count of nothing");
}

#[test]
fn a_wrong_filter_and_a_missing_time_are_told_before_anything_is_started() {
    let mut shown = String::new();
    for args in [
        &[
            "http && response.status >= 500",
            "--mcp-command",
            "no-such-command",
        ][..],
        &[FAILING, "--mcp-command", "no-such-command"],
        &[FAILING, "--capture", "nowhere.pcap"],
        &[FAILING, "--capture", "nowhere.pcap", "--every", "5 minutes"],
        &[
            FAILING,
            "--mcp-command",
            "no-such-command",
            "--since",
            "2026-11-23T01:34:05Z",
        ],
    ] {
        shown.push_str(&format!(
            "$ rca-agent kfl count {}\n{}\n\n",
            args.join(" "),
            count(args)
        ));
    }
    bound(&shown, "count refused");
}
