//! What a newcomer sees first.

use insta::assert_snapshot;

use crate::runner::{Rca, WINDOW, filters, short};

#[test]
fn the_demo_finds_the_cause_and_says_where_everything_is() {
    let rca = Rca::new();
    let output = rca.run(&["demo", "--format", "md"]);
    filters().bind(|| assert_snapshot!("demo", output));
    for file in ["journal.jsonl", "report.json", "report.md", "report.txt"] {
        assert!(rca.case().join(file).is_file(), "{file}");
    }
}

#[test]
fn another_zone_tells_the_same_times() {
    let rca = Rca::new();
    let here = rca.run(&["demo", "--format", "json"]).json();
    let there = Rca::new()
        .run(&["demo", "--format", "json", "--tz", "Asia/Kolkata"])
        .json();
    let instant = |report: &serde_json::Value, pointer: &str| {
        let text = report
            .pointer(pointer)
            .and_then(|value| value.as_str())
            .unwrap()
            .to_owned();
        (chrono::DateTime::parse_from_rfc3339(&text).unwrap(), text)
    };
    for pointer in [
        "/window/start",
        "/window/end",
        "/root_causes/0/onset",
        "/path/0/first_abnormal",
        "/timeline/1/at",
    ] {
        let (a, in_jerusalem) = instant(&here, pointer);
        let (b, in_kolkata) = instant(&there, pointer);
        assert_eq!(a, b, "{pointer}");
        assert!(
            in_jerusalem.ends_with("+02:00") && in_kolkata.ends_with("+05:30"),
            "{in_jerusalem} {in_kolkata}"
        );
    }
    let local = there.pointer("/timeline/1/local").unwrap().as_str().unwrap();
    assert!(local.contains("IST (") && local.ends_with(" UTC)"), "{local}");
}

#[test]
fn a_healthy_day_has_no_anomaly() {
    let output = Rca::new().run(&["demo", "healthy", "--format", "json", "-q"]);
    assert_eq!(output.status, 0, "{output}");
    let report = output.json();
    assert_eq!(report["verdict"], "no_anomaly");
    assert_eq!(report["root_causes"], serde_json::json!([]));
    assert_eq!(output.stderr, "");
}

#[test]
fn wrong_usage_says_what_to_write() {
    let rca = Rca::new();
    let mut shown = String::new();
    for args in [
        &["investigate"][..],
        &["investigate", "--since", "threeish"],
        &[
            "investigate",
            "--since",
            "3pm",
            "--until",
            "2pm",
            "--now",
            "2026-03-14T18:00:00Z",
        ],
        &["investigate", "--since", "3pm", "--tz", "Asia/Jeruslem"],
        &["investigate", "--since", "3pm", "--service", "shop/"],
        &["investigate", "--since", "3pm", "--capture", "nowhere.pcap"],
        &["demo", "nothing"],
        &["cases", "show", "nothing"],
        &["hub", "tests", "--fault", "gremlins"],
    ] {
        shown.push_str(&format!("$ rca-agent {}\n{}\n\n", args.join(" "), rca.run(args)));
    }
    filters().bind(|| assert_snapshot!("wrong usage", shown));
}

#[test]
fn help_teaches() {
    let rca = Rca::new();
    let mut shown = String::new();
    for args in [
        &["--help"][..],
        &["demo", "--help"],
        &["investigate", "--help"],
        &["hub", "--help"],
        &["cases", "--help"],
        &["resume", "--help"],
        &["replay", "--help"],
        &["slack", "--help"],
        &["serve", "--help"],
        &["doctor", "--help"],
        &["kfl", "--help"],
        &["kfl", "check", "--help"],
        &["kfl", "count", "--help"],
        &["demo", "--list"],
        &["hub", "--list-faults"],
    ] {
        shown.push_str(&format!(
            "$ rca-agent {}\n{}\n\n",
            args.join(" "),
            rca.run(args).stdout
        ));
    }
    filters().bind(|| assert_snapshot!("help", shown));
}

#[test]
fn filters_are_checked_and_explained() {
    let rca = Rca::new();
    let mut shown = String::new();
    for args in [
        &["kfl", "check", "http && status_code >= 500"][..],
        &["kfl", "check", "http && response.status == 500"],
        &["kfl", "check", "http && status_code == \"500\"", "--json"],
        &[
            "kfl",
            "explain",
            "http && elapsed_time > 5000000 && dst.service.name == \"payments\"",
        ],
        &["kfl", "fields", "elapsed"],
        &["kfl", "fields", "nonsense"],
    ] {
        shown.push_str(&format!("$ rca-agent {}\n{}\n\n", args.join(" "), rca.run(args)));
    }
    filters().bind(|| assert_snapshot!("kfl", shown));
}

#[test]
fn the_schema_is_printed_and_reports_satisfy_it() {
    let rca = Rca::new();
    let schema = rca.run(&["investigate", "--print-schema"]).json();
    let mut args = vec!["investigate", "what broke?", "--format", "json", "--out", "out"];
    let capture = short();
    args.extend(["--capture", &capture]);
    args.extend(WINDOW);
    let output = rca.run(&args);
    let report = output.json();
    jsonschema::validate(&schema, &report).unwrap_or_else(|error| panic!("{error}"));
    for key in [
        "schema",
        "case",
        "question",
        "created",
        "window",
        "verdict",
        "confidence",
        "summary",
        "root_causes",
        "path",
        "impact",
        "ruled_out",
        "timeline",
        "evidence",
        "coverage",
        "refusals",
        "attachments",
        "next",
        "cost",
    ] {
        assert!(report.get(key).is_some(), "{key} is missing");
    }
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(rca.dir().join("out/report.json")).unwrap()).unwrap();
    assert_eq!(written, report, "--out holds the same");
    assert!(rca.dir().join("out/journal.jsonl").is_file());
}

#[test]
fn doctor_tells_each_part() {
    let rca = Rca::new();
    let capture = short();
    let mut shown = format!(
        "{}\n\n",
        rca.run(&["doctor", "--capture", &capture, "--now", "2026-11-23T02:30:00Z"])
    );
    shown.push_str(
        &rca.run(&[
            "doctor",
            "--mcp-command",
            "no-such-kubeshark mcp",
            "--now",
            "2026-11-23T02:30:00Z",
        ])
        .to_string(),
    );
    filters().bind(|| assert_snapshot!("doctor", shown));
}

#[test]
fn cases_are_listed_shown_and_exported() {
    let rca = Rca::new();
    let capture = short();
    let mut args = vec![
        "investigate",
        "what broke?",
        "--format",
        "md",
        "-q",
        "--capture",
        &capture,
    ];
    args.extend(WINDOW);
    let first = rca.run(&args);
    assert_eq!(first.status, 0, "{first}");
    let id = rca.case_id();
    let listed = rca.run(&["cases"]);
    assert!(
        listed.stdout.contains(&id) && listed.stdout.contains("what broke?"),
        "{listed}"
    );
    let shown = rca.run(&["cases", "show", &id, "--format", "md"]);
    assert_eq!(shown.stdout, first.stdout);
    let exported = rca.run(&["cases", "export", &id, "elsewhere"]);
    assert_eq!(exported.status, 0, "{exported}");
    let replayed = rca.run(&["replay", "elsewhere", "--format", "md"]);
    assert_eq!(replayed.stdout, first.stdout, "a case can be replayed anywhere");
}

#[test]
fn no_secret_of_the_capture_is_written() {
    let rca = Rca::new();
    let output = rca.run(&["demo", "--format", "json", "--pcap", "-q"]);
    assert_eq!(output.status, 0, "{output}");
    let mut looked_at = 0;
    let mut stack = vec![rca.case()];
    while let Some(path) = stack.pop() {
        if path.is_dir() {
            stack.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        // Packets as they were, and the picture of the graph: neither is text.
        if path
            .extension()
            .is_some_and(|extension| extension == "pcap" || extension == "png")
        {
            continue;
        }
        looked_at += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        for secret in ["Bearer demo", "4111-1111", "4111 1111", "41111111", "@example"] {
            assert!(!text.contains(secret), "`{secret}` is in {}", path.display());
        }
    }
    assert!(looked_at > 20, "only {looked_at} files were looked at");
}
