//! A case after its fix: its path again, beside before and during. The minutes before an incident stand for those after
//! a fix.

use crate::runner::{Output, Rca, WINDOW, filters, short};

const NOW: &[&str] = &["--now", "2026-11-23T02:30:00Z"];

fn shown(name: &str, output: &Output) {
    filters().bind(|| insta::assert_snapshot!(name, output.to_string()));
}

#[test]
fn a_case_is_confirmed_or_not() {
    let rca = Rca::new();
    let capture = short();
    let mut args = vec!["investigate", "--capture", &capture, "-q"];
    args.extend(WINDOW);
    assert_eq!(rca.run(&args).status, 0);
    let id = rca.case_id();
    // Nothing was mended while the incident went on; the minute before it looks like a mended one.
    let confirm = |since: &str, until: &str, flags: &[&str]| {
        let mut args = vec![
            "confirm",
            &id,
            "-q",
            "--no-input",
            "--since",
            since,
            "--until",
            until,
        ];
        args.extend(NOW);
        args.extend(flags);
        rca.run(&args)
    };
    let still = confirm("2026-11-23T01:34:20Z", "2026-11-23T01:34:39Z", &[]);
    assert_eq!(still.status, 4, "{still}");
    shown("confirm not mended", &still);
    let mended = confirm(
        "2026-11-23T01:33:41Z",
        "2026-11-23T01:34:11Z",
        &["--tz", "America/New_York"],
    );
    assert_eq!(mended.status, 0, "{mended}");
    shown("confirm mended", &mended);
    let nothing = confirm("2026-11-23T01:50:00Z", "2026-11-23T01:51:00Z", &[]);
    assert_eq!(nothing.status, 3, "{nothing}");
}

/// Captures whose incident begins a little more than a minute after `since`, by what the last hop is made of.
const INCIDENTS: [(&str, &str); 4] = [
    ("dns-a", "2026-11-25T23:22:00Z"),
    ("refused-a", "2026-11-25T23:22:00Z"),
    ("surge-a", "2026-11-25T23:35:00Z"),
    ("missing-traffic-b", "2026-11-25T23:35:00Z"),
];

#[test]
fn lookups_connections_and_volumes_are_confirmed_too() {
    for (capture, since) in INCIDENTS {
        let rca = Rca::new();
        let path = format!("{}/evals/captures/{capture}", env!("CARGO_MANIFEST_DIR"));
        let since: chrono::DateTime<chrono::Utc> = since.parse().unwrap();
        let at = |seconds: i64| {
            let at = since + chrono::TimeDelta::seconds(seconds);
            at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        };
        let run = |args: &[&str], from: i64, to: i64| {
            let (from, to, now) = (at(from), at(to), at(7_200));
            let mut all = args.to_vec();
            all.extend([
                "-q",
                "--no-input",
                "--since",
                &from,
                "--until",
                &to,
                "--now",
                &now,
            ]);
            rca.run(&all)
        };
        let found = run(&["investigate", "--capture", &path], 0, 180);
        assert_eq!(found.status, 0, "{found}");
        let id = rca.case_id();
        let mended = run(&["confirm", &id], -60, 40);
        shown(&format!("confirm {capture} mended"), &mended);
        assert_eq!(mended.status, 0, "{capture}: {mended}");
        let still = run(&["confirm", &id, "--json"], 90, 130);
        assert_eq!(still.status, 4, "{capture}: {still}");
        let told = still.json();
        let hops = told["hops"].as_array().unwrap();
        assert_eq!(hops.last().unwrap()["abnormal"], true, "{told}");
    }
}
