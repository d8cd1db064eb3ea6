//! `eval`: what is printed, what is written, how it ends.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use serde_json::Value;

use crate::runner::{Output, Rca, WINDOW, short};

fn suite() -> String {
    format!("{}/evals", env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A directory of cases here, with one case of the suite in it whose file is changed.
fn with(rca: &Rca, name: &str, change: impl Fn(String) -> String) -> PathBuf {
    let dir = rca.dir().join("evals").join(name);
    copy(&Path::new(&suite()).join(name), &dir);
    let path = dir.join("case.yaml");
    // The session is all there is: the capture lies elsewhere.
    let text = std::fs::read_to_string(&path).unwrap();
    let of_source = ["source:", "  capture:", "  faults:"];
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| !of_source.iter().any(|start| line.starts_with(start)))
        .collect();
    let text = kept.join("\n") + "\n";
    std::fs::write(&path, change(text)).unwrap();
    dir
}

fn shown(name: &str, output: &Output) {
    let mut settings = crate::runner::filters();
    settings.add_filter(r"took [\d.]+ s", "took T s");
    // The last column is the time it took: its width differs too.
    for (found, instead) in [
        (r"┬─+┐", "┬ms┐"),
        (r"╪═+╡", "╪ms╡"),
        (r"┴─+┘", "┴ms┘"),
        (r"┆ +(ms|\d+|–) +│", "┆ ms │"),
    ] {
        settings.add_filter(found, instead);
    }
    settings.bind(|| assert_snapshot!(name, output));
}

#[test]
fn a_case_is_scored_from_its_session_alone() {
    let rca = Rca::new();
    with(&rca, "unknown-service", |text| text);
    shown("eval passes", &rca.run(&["eval", "unknown-service"]));
}

#[test]
fn what_is_wrong_is_said_check_by_check() {
    let rca = Rca::new();
    with(&rca, "short", |text| {
        text.replace("service: postgres", "service: redis")
            .replace("09.756Z", "29.756Z")
            .replace("cart, catalogue", "cart, teapot")
    });
    let output = rca.run(&["eval", "-q", "--json", "-"]);
    assert_eq!(output.status, 4, "{output}");
    let json = output.json();
    assert_eq!(json["schema"], "rca-agent/eval-results/1");
    assert_eq!(json["cases"][0]["runs"][0]["status"], "failed");
    assert_snapshot!(
        "eval wrong",
        format!("{:#}\n{}", json["cases"][0]["runs"][0]["why"], output.stderr)
    );
}

#[test]
fn a_window_read_otherwise_diverges_with_a_diff_of_requests() {
    let rca = Rca::new();
    with(&rca, "short", |text| {
        text.replace("Asia/Jerusalem", "Europe/Berlin")
    });
    shown("eval diverges", &rca.run(&["eval", "-q", "short"]));
}

#[test]
fn mistakes_in_a_case_are_told_with_their_line() {
    let rca = Rca::new();
    with(&rca, "short", |text| {
        text.replace("zone: Asia/Jerusalem", "zone: Asia/Jersalem")
            .replace("2026-11-23T01:34:09.756Z", "half past one")
            .replace("  ruled_out", "  shortfalls: {paths: \"none\"}\n  ruled_out")
    });
    with(&rca, "too-few", |text| text.replace("verdict:", "verdicts:"));
    with(&rca, "scoped", |text| {
        text.replace("verdict: [no_data", "verdict: [no_date")
    });
    let output = rca.run(&["eval", "-q", "--json", "-"]);
    assert_eq!(output.status, 4, "{output}");
    let cases = output.json();
    let cases = cases["cases"].as_array().unwrap();
    let why: Vec<&str> = cases
        .iter()
        .map(|case| case["runs"][0]["why"][0].as_str().unwrap())
        .collect();
    crate::runner::filters().bind(|| assert_snapshot!("eval mistakes", why.join("\n")));
}

#[test]
fn nothing_scored_fails() {
    let rca = Rca::new();
    with(&rca, "scoped", |text| {
        text.replace("  verdict: [no_data, inconclusive]", "  verdict:")
    });
    shown("eval nothing scored", &rca.run(&["eval", "-q"]));
    let none = rca.run(&["eval", "-q", "--tier", "hub"]);
    assert_eq!(none.status, 4, "{none}");
    let missing = rca.run(&["eval", "skoped"]);
    assert_eq!(missing.status, 2, "{missing}");
    assert!(missing.stderr.contains("did you mean `scoped`?"), "{missing}");
    let nowhere = rca.run(&["eval", "--evals", "nowhere"]);
    assert_eq!(nowhere.status, 1, "{nowhere}");
}

#[test]
fn the_live_tier_is_not_for_ci_and_servers_are_for_it_only() {
    let rca = Rca::new();
    with(&rca, "scoped", |text| text);
    let mut command = rca.command(&["eval", "--tier", "live"]);
    command.env("CI", "true");
    shown("eval live in CI", &rca.finish(&mut command));
    let server = rca.run(&["eval", "--mcp-url", "http://localhost:1/mcp"]);
    assert_eq!(server.status, 2, "{server}");
}

#[test]
fn results_are_written_for_machines_and_compared() {
    let rca = Rca::new();
    with(&rca, "unknown-service", |text| text);
    with(&rca, "scoped", |text| text);
    let files = [
        "--json",
        "base.json",
        "--junit",
        "junit.xml",
        "--summary",
        "summary.md",
    ];
    let base = rca.run(&[&["eval", "-q"][..], &files].concat());
    assert_eq!(base.status, 0, "{base}");
    let read = |name: &str| std::fs::read_to_string(rca.dir().join(name)).unwrap();
    let junit = read("junit.xml");
    assert!(
        junit.contains("tests=\"2\"") && junit.contains("failures=\"0\""),
        "{junit}"
    );
    assert!(
        read("summary.md").starts_with("# 2 of 2 runs passed"),
        "{}",
        read("summary.md")
    );
    with(&rca, "scoped", |text| {
        text.replace("[no_data, inconclusive]", "root_cause")
    });
    let worse = rca.run(&[
        "eval",
        "-q",
        "--compare",
        "base.json",
        "--min-rate",
        "0",
        "--junit",
        "junit.xml",
    ]);
    assert_eq!(worse.status, 4, "{worse}");
    assert!(worse.stderr.contains("worse than the base: scoped"), "{worse}");
    assert!(worse.stdout.contains("1/1 → 0/1"), "{worse}");
    assert!(read("junit.xml").contains("no data instead of root cause"));
    let often = rca.run(&["eval", "-q", "--runs", "3", "--min-rate", "0.4"]);
    assert_eq!(often.status, 0, "{often}");
    assert!(often.stdout.contains("3 of 3 (44–100 %)"), "{often}");
}

/// From an incident to a case in three commands, which then runs where nothing of the first place is.
#[test]
fn an_investigation_becomes_a_case_that_runs_elsewhere() {
    let here = Rca::new();
    let capture = short();
    let mut args = vec![
        "investigate",
        "why did checkout fail?",
        "--capture",
        &capture,
        "-q",
    ];
    args.extend(WINDOW);
    let first = here.run(&args);
    assert_eq!(first.status, 0, "{first}");
    let id = here.case_id();
    let adopt = [
        "eval",
        "adopt",
        &id,
        "--name",
        "checkout-down",
        "--cause",
        "shop/postgres",
        "--kind",
        "refused",
    ];
    let second = here.run(&[&adopt[..], &["--onset", "2026-11-23T01:34:12Z"]].concat());
    shown("eval adopt", &second);
    let again = here.run(&adopt);
    assert_eq!(again.status, 2, "{again}");
    let draft = here.run(&["eval", "adopt", &id, "--name", "draft"]);
    assert_eq!(draft.status, 0, "{draft}");
    shown(
        "eval case of an incident",
        &Output {
            status: 0,
            stdout: std::fs::read_to_string(here.dir().join("evals/draft/case.yaml")).unwrap(),
            stderr: String::new(),
        },
    );
    let third = here.run(&["eval", "checkout-down", "-q"]);
    assert_eq!(third.status, 0, "{third}");
    let unfilled = here.run(&["eval", "draft", "-q"]);
    assert_eq!(unfilled.status, 4, "{unfilled}");

    let there = Rca::new();
    copy(
        &here.dir().join("evals/checkout-down"),
        &there.dir().join("evals/checkout-down"),
    );
    let elsewhere = there.run(&["eval", "-q", "--exact", "--json", "-"]);
    assert_eq!(elsewhere.status, 0, "{elsewhere}");
    assert_eq!(
        elsewhere.json()["cases"][0]["runs"][0]["score"]["score"],
        Value::from(1.0)
    );
    // Nothing tells where it was recorded.
    let journal = std::fs::read_to_string(there.dir().join("evals/checkout-down/journal.jsonl")).unwrap();
    assert!(
        !journal.contains(env!("CARGO_MANIFEST_DIR")),
        "the journal names the directory of the capture"
    );
}

#[test]
fn a_session_is_recorded_anew_and_an_unfinished_one_is_not_adopted() {
    let rca = Rca::new();
    let dir = with(&rca, "scoped", |text| text);
    let before = std::fs::read(dir.join("journal.jsonl")).unwrap();
    let none = rca.run(&["eval", "record", "scoped"]);
    assert_eq!(none.status, 1, "{none}");
    assert_eq!(
        std::fs::read(dir.join("journal.jsonl")).unwrap(),
        before,
        "what was there stays"
    );
    let command = format!(
        "{} hub {} --fault namespace-scope:billing",
        crate::runner::program(),
        short()
    );
    let live = rca.run(&["eval", "record", "scoped", "--mcp-command", &command]);
    assert_eq!(live.status, 0, "{live}");
    assert_eq!(rca.run(&["eval", "scoped", "-q"]).status, 0);
    let cut = rca.dir().join("cases/cut");
    copy(&dir, &cut);
    let text = std::fs::read_to_string(cut.join("journal.jsonl")).unwrap();
    let kept: Vec<&str> = text.lines().take(9).collect();
    std::fs::write(cut.join("journal.jsonl"), kept.join("\n") + "\n").unwrap();
    let unfinished = rca.run(&["eval", "adopt", "cut"]);
    assert_eq!(unfinished.status, 1, "{unfinished}");
    assert!(unfinished.stderr.contains("is not finished"), "{unfinished}");
}
