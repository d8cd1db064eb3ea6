//! Questions to live traffic: where the server has dissected it as it came, and where it has not.

use serde_json::Value;

use crate::{
    routes::HttpHub,
    runner::{Output, Rca, filters, program, short},
};

const WINDOW: &[&str] = &[
    "--since",
    "2026-11-23T01:34:00Z",
    "--until",
    "2026-11-23T01:34:35Z",
    "--now",
    "2026-11-23T02:30:00Z",
    "--no-input",
    "-q",
];

fn ask(source: [&str; 2], flags: &[&str]) -> Output {
    let mut args = vec!["ask", "errors in checkout"];
    args.extend(source);
    args.extend(WINDOW);
    args.extend(flags);
    Rca::new().run(&args)
}

fn command(faults: &str) -> String {
    format!("{} hub {} {faults}", program(), short())
}

fn shown(name: &str, output: &Output) {
    let mut settings = filters();
    settings.add_filter(r"rca-ask-\d+", "rca-ask-[time]");
    settings.bind(|| insta::assert_snapshot!(name, output.to_string()));
}

/// What must not depend on where the calls were found.
fn found(output: &Output) -> [Value; 3] {
    let told = output.json();
    ["total", "exact", "over_time"].map(|field| told[field].clone())
}

#[test]
fn live_traffic_is_asked_where_it_covers_the_window() {
    let covering = command("--fault live-dissection:3600");
    let output = ask(
        ["--mcp-command", &covering],
        &["--rows", "3", "--tz", "Asia/Kolkata"],
    );
    assert_eq!(output.status, 0, "{output}");
    shown("live", &output);
    let live = ask(["--mcp-command", &covering], &["--json", "--live"]);
    assert!(live.json()["asked_of"]["live"]["start"].is_string(), "{live}");
    // Of a snapshot, and over HTTP, the numbers are the same.
    let kept = ask(["--mcp-command", &covering], &["--json", "--no-live"]);
    assert!(kept.json()["asked_of"]["snapshot"].is_string(), "{kept}");
    assert_eq!(found(&live), found(&kept));
    let rca = Rca::new();
    let hub = HttpHub::of(&rca, &short(), &["--fault", "live-dissection:3600"], None);
    assert_eq!(found(&ask(["--mcp-url", &hub.url], &["--json"])), found(&kept));
    // Where nothing matches, the control is asked of live traffic too.
    let nothing = ask(
        ["--mcp-command", &covering],
        &["--json", "--kfl", "http && status_code == 418"],
    );
    assert_eq!(nothing.status, 0, "{nothing}");
    assert!(
        nothing.json()["control"]["calls"].as_u64().unwrap() > 0,
        "{nothing}"
    );
}

#[test]
fn what_live_traffic_does_not_cover_is_asked_of_a_snapshot() {
    let late = command("--fault live-dissection:20");
    let told = ask(["--mcp-command", &late], &["--json"]);
    assert!(told.json()["asked_of"]["snapshot"].is_string(), "{told}");
    shown(
        "live only, covered in part",
        &ask(["--mcp-command", &late], &["--live"]),
    );
}

#[test]
fn live_dissection_is_switched_on_only_with_an_approval() {
    let off = command("");
    shown(
        "live only, off",
        &ask(["--mcp-command", &off], &["--live", "--tz", "America/New_York"]),
    );
    let switched = ask(
        ["--mcp-command", &off],
        &["--live", "--yes", "--rows", "2", "--tz", "America/New_York"],
    );
    assert_eq!(switched.status, 0, "{switched}");
    shown("live only, switched on", &switched);
    // --yes alone asks for nothing of the kind.
    let rca = Rca::new();
    let hub = HttpHub::of(&rca, &short(), &[], None);
    let untouched = ask(["--mcp-url", &hub.url], &["--yes", "--json"]).json();
    assert_eq!(untouched["changed"], serde_json::json!([]));
    let again = ask(["--mcp-url", &hub.url], &["--live"]);
    assert!(again.stderr.contains("live dissection is off"), "{again}");
    let viewer = command("--fault viewer-role");
    let refused = ask(["--mcp-command", &viewer], &["--live", "--yes"]);
    shown("live only, not permitted", &refused);
    let older = command("--fault older-dialect");
    let untold = ask(["--mcp-command", &older], &["--live", "--yes"]);
    assert_eq!(untold.status, 1);
    assert!(
        untold.stderr.contains("does not say what it has dissected"),
        "{untold}"
    );
}
