//! Stretches of time side by side: two of them, a series, and a case after its fix.

use crate::{
    routes::HttpHub,
    runner::{Output, Rca, filters, program, short},
};

const NOW: &[&str] = &["--now", "2026-11-23T02:30:00Z"];

fn demo() -> String {
    format!("{}/evals/captures/checkout-502", env!("CARGO_MANIFEST_DIR"))
}

fn compare(rca: &Rca, args: &[&str]) -> Output {
    let mut all = vec!["compare", "-q", "--no-input"];
    all.extend(NOW);
    all.extend(args);
    rca.run(&all)
}

fn shown(name: &str, output: &Output) {
    filters().bind(|| insta::assert_snapshot!(name, output.to_string()));
}

#[test]
fn an_incident_is_told_from_the_minutes_before_it() {
    let rca = Rca::new();
    let capture = short();
    let windows = [
        "--capture",
        &capture,
        "--baseline",
        "2026-11-23T01:33:41Z..2026-11-23T01:34:11Z",
        "--since",
        "2026-11-23T01:34:11Z",
        "--until",
        "2026-11-23T01:34:39Z",
    ];
    let output = compare(&rca, &windows);
    assert_eq!(output.status, 0, "{output}");
    shown("compare", &output);
    let mut args = windows.to_vec();
    args.push("--json");
    let told = compare(&rca, &args).json();
    let rows = told["rows"].as_array().unwrap();
    let worse: Vec<&str> = rows
        .iter()
        .filter(|row| row["worse"] == true && row["of"] == "edge")
        .map(|row| row["what"].as_str().unwrap())
        .collect();
    assert!(
        worse.iter().any(|what| what.ends_with("checkout → inventory")),
        "{worse:?}"
    );
    // Over a child process the numbers are the same.
    let hub = format!("{} hub {capture}", program());
    let mut args = vec!["--mcp-command", &hub];
    args.extend(&windows[2..]);
    args.push("--json");
    assert_eq!(compare(&rca, &args).json()["rows"], told["rows"]);
}

#[test]
fn the_same_traffic_does_not_drift() {
    let rca = Rca::new();
    let capture = format!("{}/evals/captures/healthy", env!("CARGO_MANIFEST_DIR"));
    let span = rca
        .run(&["snapshots", "take", "--capture", &capture, "--json", "-q"])
        .json();
    let start: chrono::DateTime<chrono::Utc> = span["window"]["start"].as_str().unwrap().parse().unwrap();
    let at = |seconds: i64| (start + chrono::TimeDelta::seconds(seconds)).to_rfc3339();
    let baseline = format!("{}..{}", at(10), at(100));
    let (since, until) = (at(100), at(190));
    let output = rca.run(&[
        "compare",
        "-q",
        "--no-input",
        "--json",
        "--capture",
        &capture,
        "--baseline",
        &baseline,
        "--since",
        &since,
        "--until",
        &until,
        "--now",
        &at(900),
    ]);
    let told = output.json();
    let worse: Vec<String> = told["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["worse"] == true)
        .map(ToString::to_string)
        .collect();
    assert!(worse.is_empty(), "{worse:#?}");
}

#[test]
fn a_series_shows_which_way_it_goes_and_names_what_is_missing() {
    let rca = Rca::new();
    let hub = HttpHub::of(&rca, &demo(), &[], None);
    let output = compare(
        &rca,
        &[
            "--mcp-url",
            &hub.url,
            "--since",
            "2026-11-23T01:37:00Z",
            "--until",
            "2026-11-23T01:37:40Z",
            "--every",
            "40s",
            "--last",
            "10m",
            "--json",
        ],
    );
    let told = output.json();
    let windows = told["windows"].as_array().unwrap().len();
    assert!(windows >= 5, "{output}");
    let series = told["series"].as_array().unwrap();
    assert!(series.iter().any(|row| row["trend"] == "rising"), "{output}");
    assert!(
        !told["not_seen"].as_array().unwrap().is_empty(),
        "the first stretches are not recorded: {output}"
    );
    let wrong = compare(
        &rca,
        &[
            "--mcp-url",
            &hub.url,
            "--since",
            "2026-11-23T01:37:00Z",
            "--every",
            "often",
            "--last",
            "7d",
        ],
    );
    shown("compare wrong series", &wrong);
    let nothing = compare(&rca, &["--mcp-url", &hub.url, "--since", "2026-11-23T01:37:00Z"]);
    shown("compare nothing", &nothing);
    let outside = compare(
        &rca,
        &[
            "--mcp-url",
            &hub.url,
            "--since",
            "2026-11-23T01:37:00Z",
            "--baseline",
            "2026-11-20T01:00:00Z..2026-11-20T01:10:00Z",
        ],
    );
    shown("compare outside", &outside);
    let unknown = compare(
        &rca,
        &[
            "--mcp-url",
            &hub.url,
            "--since",
            "2026-11-23T01:37:00Z",
            "--baseline-snapshot",
            "kept",
        ],
    );
    assert!(
        unknown.status == 1 && unknown.stderr.contains("no snapshot `kept`"),
        "{unknown}"
    );
}

#[test]
fn two_snapshots_are_compared_by_name() {
    let rca = Rca::new();
    let hub = HttpHub::start(&rca, None);
    for (name, since, until) in [
        ("good", "2026-11-23T01:33:41Z", "2026-11-23T01:34:11Z"),
        ("bad", "2026-11-23T01:34:11Z", "2026-11-23T01:34:39Z"),
    ] {
        let taken = rca.run(&[
            "snapshots",
            "take",
            "--mcp-url",
            &hub.url,
            "-q",
            "--name",
            name,
            "--buffer",
            "0",
            "--since",
            since,
            "--until",
            until,
        ]);
        assert_eq!(taken.status, 0, "{taken}");
    }
    let told = compare(
        &rca,
        &[
            "--mcp-url",
            &hub.url,
            "--baseline-snapshot",
            "good",
            "--snapshot",
            "bad",
            "--json",
        ],
    )
    .json();
    assert!(
        told["rows"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["worse"] == true),
        "{told}"
    );
}
