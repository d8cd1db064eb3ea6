//! Snapshots: listed, taken, found again, named, never more than one at a time, never deleted.

use crate::{
    routes::HttpHub,
    runner::{Output, Rca, WINDOW, filters, short},
};

const NOW: &[&str] = &["--now", "2026-11-23T02:30:00Z"];

fn shown(name: &str, output: &Output) {
    filters().bind(|| insta::assert_snapshot!(name, output.to_string()));
}

#[test]
fn a_snapshot_is_taken_found_again_and_worked_on() {
    let rca = Rca::new();
    let hub = HttpHub::start(&rca, None);
    let run = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend(["--mcp-url", &hub.url, "-q"]);
        all.extend(NOW);
        rca.run(&all)
    };
    shown("snapshots none", &run(&["snapshots"]));
    let (since, until) = ("2026-11-23T01:34:05Z", "2026-11-23T01:34:20Z");
    let window = ["--since", since, "--until", until, "--no-input"];
    let take = |name: &str, window: &[&str]| {
        let mut args = vec!["snapshots", "take", "--name", name];
        args.extend(window);
        run(&args)
    };
    shown("snapshot taken", &take("before-the-fix", &window));
    shown("snapshot found", &take("another", &window));
    shown("snapshots listed", &run(&["snapshots"]));
    shown(
        "snapshots listed in New York",
        &run(&["snapshots", "--tz", "America/New_York"]),
    );

    // A case finds it too, instead of taking its own.
    let mut args = vec!["investigate", "--mcp-url", &hub.url, "-q", "--format", "json"];
    args.extend(WINDOW);
    let output = rca.run(&args);
    assert_eq!(output.status, 0, "{output}");
    let snapshots = |output: &Output| output.json()["snapshots"].as_array().unwrap().len();
    assert_eq!(snapshots(&run(&["snapshots", "--json"])), 1);

    // All of it, by its name.
    let output = run(&[
        "investigate",
        "--snapshot",
        "before-the-fix",
        "--no-input",
        "--format",
        "json",
    ]);
    let report = output.json();
    assert_eq!(report["root_causes"][0]["service"], "postgres", "{output}");
    let counted = run(&["kfl", "count", "http", "--snapshot", "before-the-fix", "--json"]).json();
    assert!(counted["total"].as_u64().unwrap() > 100, "{counted}");
    shown(
        "snapshot unknown",
        &run(&["investigate", "--snapshot", "befor-the-fix", "--no-input"]),
    );
    let outside = [
        "--since",
        "2026-11-22T01:34:05Z",
        "--until",
        "2026-11-22T01:34:20Z",
    ];
    let mut args = vec!["investigate", "--snapshot", "before-the-fix", "--no-input"];
    args.extend(outside);
    shown("snapshot of another time", &run(&args));
}

#[test]
fn a_name_that_is_taken_is_told() {
    let rca = Rca::new();
    let capture = short();
    let hub = HttpHub::of(&rca, &capture, &[], None);
    let take = |name: &str, since: &str, until: &str| {
        let mut args = vec![
            "snapshots",
            "take",
            "--mcp-url",
            &hub.url,
            "-q",
            "--name",
            name,
            "--buffer",
            "0",
        ];
        args.extend(["--since", since, "--until", until, "--no-input"]);
        args.extend(NOW);
        rca.run(&args)
    };
    let narrow = take("incident", "2026-11-23T01:34:05Z", "2026-11-23T01:34:20Z");
    assert_eq!(narrow.status, 0, "{narrow}");
    shown(
        "snapshot name taken",
        &take("incident", "2026-11-23T01:34:05Z", "2026-11-23T01:34:30Z"),
    );
    shown(
        "snapshot window outside",
        &take("later", "2026-11-23T02:00:00Z", "2026-11-23T02:10:00Z"),
    );
}

#[test]
fn a_window_that_is_gone_is_found_in_a_snapshot_that_somebody_took_in_time() {
    // The recorded data end before the window: nothing is left of it, and no snapshot holds it.
    let rca = Rca::new();
    let hub = HttpHub::start(&rca, None);
    let mut args = vec!["investigate", "--mcp-url", &hub.url, "-q", "--format", "md"];
    args.extend([
        "--since",
        "2026-11-22T01:34:05Z",
        "--until",
        "2026-11-22T01:34:40Z",
        "--no-input",
    ]);
    args.extend(NOW);
    let output = rca.run(&args);
    assert_eq!(output.status, 3, "{output}");
    assert!(
        output
            .stdout
            .contains("no snapshot that is there covers the window"),
        "{output}"
    );
}

#[test]
fn nothing_here_can_delete_a_snapshot() {
    let deletes = rca_agent::wire::Operation::examples();
    assert!(
        deletes
            .iter()
            .all(|operation| !operation.name().contains("delete"))
    );
}
