//! Workflows as files: listed, explained, checked, followed.

use super::runner::{Rca, WINDOW, short};

/// Nothing is recorded, no bodies are read, one namespace is looked at.
const OURS: &str = r#"name: careful
when: A first look that leaves no trace.
task: investigate
needs: [since, namespace]
phases:
  - phase: preflight
  - phase: window
  - phase: secure
  - phase: index
  - phase: survey
    add_guards: [no-payloads, one-namespace]
  - phase: narrow
    add_guards: [no-payloads, one-namespace]
  - phase: weigh
    add_guards: [one-namespace]
  - phase: conclude
budget:
  calls: 90
always:
  - why: does the database refuse us?
    filter: http && dst.namespace == "shop" && status_code == 503
"#;

fn with(text: &str) -> Rca {
    let rca = Rca::new();
    std::fs::create_dir(rca.dir().join("playbooks")).unwrap();
    std::fs::write(rca.dir().join("playbooks/careful.yaml"), text).unwrap();
    rca
}

fn investigate(rca: &Rca, flags: &[&str]) -> super::runner::Output {
    let capture = short();
    let mut args = vec!["investigate", "--capture", &capture, "--format", "json", "-q"];
    args.extend(WINDOW);
    args.extend(flags);
    rca.run(&args)
}

#[test]
fn the_workflows_are_listed_and_explained() {
    let rca = with(OURS);
    insta::assert_snapshot!("playbooks", rca.run(&["playbooks"]).to_string());
    insta::assert_snapshot!(
        "playbook explained",
        rca.run(&["playbooks", "show", "careful"]).to_string()
    );
    let shipped = rca.run(&["playbooks", "show", "network-rca", "--yaml"]);
    assert_eq!(shipped.stdout, include_str!("../../playbooks/network-rca.yaml"));
    let schema = rca.run(&["playbooks", "schema"]).json();
    let schema_of_file = include_str!("../../playbooks/schema.json");
    let written: serde_json::Value = serde_json::from_str(schema_of_file).unwrap();
    assert_eq!(
        schema, written,
        "playbooks/schema.json is what `playbooks schema` prints"
    );
    assert_eq!(
        rca.run(&["playbooks", "check", "playbooks/careful.yaml"]).status,
        0
    );
}

#[test]
fn a_wrong_file_is_told_with_its_lines() {
    let wrong = OURS
        .replace("phase: weigh", "phase: wiegh")
        .replace("status_code", "status")
        + "export: [pcap]\n";
    let rca = with(&wrong);
    insta::assert_snapshot!(
        "playbook wrong",
        rca.run(&["playbooks", "check", "playbooks/careful.yaml"])
            .to_string()
    );
    insta::assert_snapshot!(
        "playbook wrong, used",
        investigate(&rca, &["--playbook", "careful"]).to_string()
    );
    insta::assert_snapshot!(
        "playbook missing",
        rca.run(&["playbooks", "show", "carefull"]).to_string()
    );
}

#[test]
fn a_run_keeps_to_its_playbook() {
    let rca = with(OURS);
    insta::assert_snapshot!(
        "playbook needs",
        investigate(&rca, &["--playbook", "careful"]).to_string()
    );
    let output = investigate(&rca, &["--playbook", "careful", "--namespace", "shop"]);
    let report = output.json();
    assert_eq!(report["root_causes"][0]["service"], "postgres", "{output}");
    let evidence = report["evidence"].as_array().unwrap();
    let asked = |fact: &str| {
        evidence
            .iter()
            .filter(|one| one["facts"].get(fact).is_some())
            .count()
    };
    assert_eq!(
        asked("asked_by_the_playbook"),
        2,
        "of the window and of the time before it: {output}"
    );
    let forms = evidence.iter().filter_map(|one| one["arguments"].get("format"));
    assert!(forms.into_iter().all(|form| form != "full"), "{output}");
    assert!(report["cost"]["tool_calls"].as_u64().unwrap() <= 90);
    let replayed = rca.run(&["replay", &rca.case_id(), "--format", "json"]);
    assert_eq!(
        replayed.stdout, output.stdout,
        "a playbook is recorded with the case"
    );
}

#[test]
fn what_it_forbids_ends_the_run_with_the_reason() {
    let read_only = OURS.replace(
        "  - phase: secure\n",
        "  - phase: secure\n    add_guards: [read-only]\n",
    );
    let rca = with(&read_only);
    insta::assert_snapshot!(
        "playbook read-only",
        investigate(&rca, &["--playbook", "careful", "--namespace", "shop"]).to_string()
    );
    let no_tools = OURS.replace(
        "  - phase: survey\n",
        "  - phase: survey\n    tools: [api_stats, count_calls]\n",
    );
    let rca = with(&no_tools);
    let output = investigate(&rca, &["--playbook", "careful", "--namespace", "shop"]);
    assert_eq!(output.status, 3, "{output}");
    assert_eq!(
        output.json()["refusals"][0]["guard"],
        "playbook-tools",
        "{output}"
    );
}
