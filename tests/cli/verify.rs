//! What a case says, held against its journal and its server.

use std::fs;

use crate::{
    routes::HttpHub,
    runner::{Rca, WINDOW, against_hub, filters, program, refs, short},
};

fn investigated() -> Rca {
    let rca = Rca::new();
    let capture = short();
    let mut args = vec!["investigate", "--capture", &capture, "-q"];
    args.extend(WINDOW);
    let output = rca.run(&args);
    assert_eq!(output.status, 0, "{output}");
    rca
}

#[test]
fn every_query_answers_as_it_did() {
    let rca = investigated();
    let id = rca.case_id();
    let mut settings = filters();
    settings.add_filter(r"═+", "═");
    settings.bind(|| {
        insta::assert_snapshot!("verified", rca.run(&["verify", &id]).to_string());
        insta::assert_snapshot!(
            "verified offline",
            rca.run(&["verify", &id, "--offline", "-q"]).to_string()
        );
    });
    let told = rca.run(&["verify", &id, "--json", "-q"]).json();
    assert_eq!(told["verified"], true, "{told}");
    let (entries, agreed) = (&told["journal"]["entries"], &told["queries"]["agreed"]);
    let lines = fs::read_to_string(rca.case().join("journal.jsonl"))
        .unwrap()
        .lines()
        .count();
    assert_eq!(entries, lines, "{told}");
    assert!(agreed.as_u64().unwrap() > 25, "{told}");
}

#[test]
fn another_server_is_told_from_the_recorded_one() {
    let rca = investigated();
    let id = rca.case_id();
    // The same packets behind a role that hides most of them.
    let hub = format!("{} hub {} --fault namespace-scope:elsewhere", program(), short());
    let output = rca.run(&["verify", &id, "-q", "--retake", "--mcp-command", &hub]);
    assert_eq!(output.status, 4, "{output}");
    assert!(output.stdout.contains("matches now,"), "{output}");
    assert!(output.stdout.contains("does not hold"), "{output}");
}

#[test]
fn a_changed_report_or_journal_does_not_hold() {
    let rca = investigated();
    let id = rca.case_id();
    let path = rca.case().join("report.json");
    let report = fs::read_to_string(&path).unwrap();
    fs::write(&path, report.replace("postgres", "payments")).unwrap();
    let output = rca.run(&["verify", &id, "--offline"]);
    assert_eq!(output.status, 4, "{output}");
    assert!(output.stdout.contains("another report.json"), "{output}");
    fs::write(&path, report).unwrap();
    let path = rca.case().join("journal.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    fs::write(&path, journal.replacen("postgres", "payments", 1)).unwrap();
    filters().bind(|| {
        insta::assert_snapshot!("verified, changed journal", rca.run(&["verify", &id]).to_string());
    });
}

#[test]
fn a_snapshot_that_is_gone_is_taken_again_only_when_told() {
    let rca = Rca::new();
    let output = rca.run(&refs(&against_hub("")));
    assert_eq!(output.status, 0, "{output}");
    let id = rca.case_id();
    filters().bind(|| {
        insta::assert_snapshot!(
            "verified, snapshot gone",
            rca.run(&["verify", &id, "-q"]).to_string()
        );
    });
    let output = rca.run(&["verify", &id, "-q", "--retake"]);
    assert_eq!(output.status, 0, "{output}");
    let missing = rca.run(&["verify", "nothing"]);
    assert_eq!(missing.status, 1, "{missing}");
}

#[test]
fn a_server_that_has_the_snapshot_still_is_asked_of_it() {
    let rca = Rca::new();
    let hub = HttpHub::start(&rca, None);
    let mut args = vec!["investigate", "-q", "--mcp-url", &hub.url];
    args.extend(WINDOW);
    let output = rca.run(&args);
    assert_eq!(output.status, 0, "{output}");
    let told = rca.run(&["verify", &rca.case_id(), "-q", "--json"]).json();
    assert_eq!(told["verified"], true, "{told}");
    assert_eq!(told["queries"]["snapshot_was_there"], true, "{told}");
}
