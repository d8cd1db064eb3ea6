//! Interrupted, resumed, replayed.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::runner::{Rca, WINDOW, against_hub, refs, short};

/// A report without what differs between two runs of the same thing: when, how long, and the case's own name.
fn comparable(mut report: Value, case: &str) -> String {
    report["created"] = Value::Null;
    report["cost"]["seconds"] = Value::Null;
    report["cost"]["bytes_in"] = Value::Null;
    for evidence in report["evidence"].as_array_mut().unwrap() {
        // Jobs are looked at until they are done: how often, and what they said of their progress, is chance.
        evidence["result_sha256"] = Value::Null;
    }
    serde_json::to_string_pretty(&report)
        .unwrap()
        .replace(case, "CASE")
}

fn finished(rca: &Rca) -> Value {
    serde_json::from_slice(&std::fs::read(rca.case().join("report.json")).unwrap()).unwrap()
}

/// Kills the run when it says that it has left `phase`, then resumes it.
fn killed_after(phase: &str, source: &[String]) -> (String, Value) {
    let rca = Rca::new();
    let mut command = rca.command(&refs(source));
    let mut child = command
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let seen = lines
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.starts_with(&format!("✓ {phase}")));
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    assert!(seen, "the run never left {phase}");
    let id = rca.case_id();
    let output = rca.run(&["resume", &id, "--format", "json", "-q"]);
    assert_eq!(output.status, 0, "{output}");
    let report = finished(&rca);
    (comparable(report.clone(), &id), report)
}

#[test]
fn a_killed_run_goes_on_and_ends_with_the_same_report() {
    let capture = short();
    let mut args: Vec<String> = ["investigate", "--capture", &capture, "--format", "json"]
        .map(str::to_owned)
        .into();
    args.extend(WINDOW.iter().map(|flag| (*flag).to_owned()));
    let whole = Rca::new();
    let output = whole.run(&refs(&args));
    assert_eq!(output.status, 0, "{output}");
    let expected = comparable(finished(&whole), &whole.case_id());
    for phase in ["preflight", "secure", "index", "survey", "narrow"] {
        let (report, _) = killed_after(phase, &args);
        assert_eq!(report, expected, "killed after {phase}");
    }
}

#[test]
fn a_server_that_died_with_the_run_gets_its_snapshot_back() {
    let args = against_hub("");
    for phase in ["secure", "survey"] {
        let (_, report) = killed_after(phase, &args);
        assert_eq!(report["verdict"], "root_cause", "killed after {phase}");
        assert_eq!(report["root_causes"][0]["service"], "postgres");
    }
}

fn case() -> Rca {
    let rca = Rca::new();
    let capture = short();
    let mut args = vec!["investigate", "--capture", &capture, "--format", "md", "-q"];
    args.extend(WINDOW);
    let output = rca.run(&args);
    assert_eq!(output.status, 0, "{output}");
    rca
}

#[test]
fn a_replay_needs_no_server_and_writes_the_same_bytes() {
    let rca = case();
    let id = rca.case_id();
    let markdown = rca.run(&["replay", &id, "--format", "md"]);
    assert_eq!(
        markdown.stdout,
        std::fs::read_to_string(rca.case().join("report.md")).unwrap()
    );
    let json = rca.run(&["replay", &id, "--format", "json"]);
    assert_eq!(
        json.stdout,
        std::fs::read_to_string(rca.case().join("report.json")).unwrap()
    );
    assert_eq!(markdown.stderr, "");
}

/// The lines with the links that belong to them, as if they had been written so.
fn chained(text: &str) -> String {
    use rca_agent::journal::{Entry, FORMAT, Line};
    let (mut before, mut out) = (String::new(), String::new());
    for line in text.lines() {
        let line: Line = serde_json::from_str(line).unwrap();
        let entry: Entry = serde_json::from_str(line.entry.get()).unwrap();
        let line = Line::after(&before, line.seq, &entry, FORMAT).unwrap();
        out.push_str(&serde_json::to_string(&line).unwrap());
        out.push('\n');
        before = line.link.unwrap();
    }
    out
}

#[test]
fn a_changed_journal_is_not_followed() {
    let rca = case();
    let path = rca.case().join("journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"limit\":1000", "\"limit\":999", 1)).unwrap();
    for command in ["replay", "resume"] {
        let output = rca.run(&[command, &rca.case_id()]);
        assert_eq!(output.status, 4, "{output}");
        assert!(
            output.stderr.contains("was changed after it was written"),
            "{output}"
        );
    }
}

#[test]
fn a_changed_decision_is_a_divergence() {
    let rca = case();
    let path = rca.case().join("journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = text.replacen("\"limit\":1000", "\"limit\":999", 1);
    assert_ne!(text, changed);
    std::fs::write(&path, chained(&changed)).unwrap();
    let output = rca.run(&["replay", &rca.case_id()]);
    assert_eq!(output.status, 4, "{output}");
    assert!(
        output.stderr.contains("diverged") && output.stderr.contains("\"limit\": 999"),
        "{output}"
    );
}

#[test]
fn a_changed_result_is_found() {
    let rca = case();
    let body = std::fs::read_dir(rca.case().join("bodies"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::write(&body, "{\"calls\":[],\"total\":0}").unwrap();
    let output = rca.run(&["replay", &rca.case_id()]);
    assert_eq!(output.status, 4, "{output}");
    assert!(
        output
            .stderr
            .contains("was changed after it was written: the hash of"),
        "{output}"
    );
}

#[test]
fn a_torn_last_line_is_no_loss() {
    let rca = case();
    let path = rca.case().join("journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let kept = lines.len() * 2 / 3;
    let torn = format!(
        "{}\n{}",
        lines[..kept].join("\n"),
        &lines[kept][..lines[kept].len() / 2]
    );
    std::fs::write(&path, torn).unwrap();
    let output = rca.run(&["resume", &rca.case_id(), "--format", "md", "-q"]);
    assert_eq!(output.status, 0, "{output}");
    let replayed = rca.run(&["replay", &rca.case_id(), "--format", "md"]);
    assert_eq!(replayed.stdout, output.stdout);
}
