//! The same recorded incident asked about with other windows: the answer has to be as good as the window.

use serde_json::Value;

use crate::runner::{Rca, program};

fn capture(name: &str) -> String {
    format!("{}/evals/captures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn asked(source: &[&str], since: &str, until: &str, more: &[&str]) -> (i32, Value) {
    let (since, until) = (format!("2026-11-23T{since}Z"), format!("2026-11-23T{until}Z"));
    let mut args = vec![
        "investigate",
        "-q",
        "--no-input",
        "--format",
        "json",
        "--now",
        "2026-11-23T02:30:00Z",
    ];
    args.extend(["--since", &since, "--until", &until]);
    args.extend(source);
    args.extend(more);
    let output = Rca::new().run(&args);
    (output.status, output.json())
}

fn incident(since: &str, until: &str, more: &[&str]) -> (i32, Value) {
    asked(&["--capture", &capture("checkout-502")], since, until, more)
}

fn cause(report: &Value) -> (&str, &str) {
    let cause = &report["root_causes"][0];
    (
        cause["service"].as_str().unwrap_or_default(),
        cause["kind"].as_str().unwrap_or_default(),
    )
}

#[test]
fn a_window_inside_the_incident_is_compared_with_the_time_before_the_onset() {
    for (since, until) in [
        ("01:36:30", "01:37:30"),
        ("01:35:00", "01:35:01"),
        ("01:38:00", "01:39:00"),
    ] {
        let (status, report) = incident(since, until, &[]);
        assert_eq!(
            (status, cause(&report)),
            (0, ("postgres", "refused")),
            "{since} to {until}"
        );
        let onset = report["root_causes"][0]["onset"].as_str().unwrap();
        assert!(onset.starts_with("2026-11-23T03:34:12"), "{onset}");
        assert!(
            report["window"]["assumptions"]
                .to_string()
                .contains("began before it"),
            "{since} to {until}"
        );
    }
}

#[test]
fn a_window_over_everything_is_compared_with_its_own_beginning() {
    let (status, report) = incident("01:28:10", "01:39:05", &[]);
    assert_eq!((status, cause(&report)), (0, ("postgres", "refused")));
    assert_eq!(report["path"][0]["to"], "gateway");
    let ended = report["root_causes"][0]["ended"].as_str().unwrap();
    assert!(ended.starts_with("2026-11-23T03:38:09"), "it was over: {ended}");
}

#[test]
fn too_few_failures_are_inconclusive_and_none_is_no_anomaly() {
    let (status, report) = incident("01:33:00", "01:34:13", &[]);
    assert_eq!((status, &report["verdict"]), (3, &Value::from("inconclusive")));
    assert!(
        report["because"].to_string().contains("too few to tell"),
        "{}",
        report["because"]
    );
    let (status, report) = incident("01:29:00", "01:33:00", &[]);
    assert_eq!((status, &report["verdict"]), (0, &Value::from("no_anomaly")));
}

#[test]
fn healthy_windows_of_every_length_have_no_cause() {
    for (since, until) in [
        ("01:30:00", "01:34:00"),
        ("01:36:00", "01:37:00"),
        ("01:36:00", "01:36:20"),
        ("01:28:00", "01:38:50"),
    ] {
        let (_, report) = asked(&["--capture", &capture("healthy")], since, until, &[]);
        assert_eq!(report["root_causes"], serde_json::json!([]), "{since} to {until}");
        assert_eq!(
            report["verdict"], "no_anomaly",
            "{since} to {until}: {}",
            report["because"]
        );
    }
}

#[test]
fn a_server_whose_totals_count_nothing_misleads_nobody() {
    let command = format!(
        "{} hub {} --fault total-is-returned-length",
        program(),
        capture("checkout-502")
    );
    let (_, report) = asked(&["--mcp-command", &command], "01:33:00", "01:39:00", &[]);
    let named = cause(&report);
    assert!(
        named == ("postgres", "refused") || report["verdict"] == "inconclusive",
        "{named:?}"
    );
}

#[test]
fn a_named_workload_is_spoken_of() {
    let (_, report) = incident("01:33:00", "01:39:00", &["--service", "shop/ledger"]);
    let about = report["about"].as_str().unwrap();
    assert!(about.starts_with("shop/ledger: 0 of "), "{about}");
    let (_, report) = incident("01:33:00", "01:39:00", &["--service", "shop/redis"]);
    assert!(
        report["about"]
            .as_str()
            .unwrap()
            .contains("it is in the recorded traffic")
    );
    let (status, report) = incident("01:33:00", "01:39:00", &["--service", "shop/nope"]);
    assert_eq!((status, &report["verdict"]), (3, &Value::from("no_data")));
    assert!(
        report["next"].to_string().contains("gateway"),
        "known names are listed"
    );
}
