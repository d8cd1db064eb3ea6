//! Documents that say what the code does are made from the code.

#![expect(clippy::unwrap_used, reason = "a test that cannot read a document has failed")]

use std::{fs, path::Path};

use rca_agent::{
    investigation::{MOVES, guard::GUARDS},
    report,
};

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// What stands between `<!-- name -->` and `<!-- /name -->`.
fn block(document: &str, name: &str) -> String {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (_, rest) = document.split_once(&start).unwrap();
    rest.split_once(&end).unwrap().0.to_owned()
}

#[test]
fn the_diagram_is_the_table_of_moves() {
    let edges: Vec<String> = MOVES
        .iter()
        .map(|(from, to)| format!("    {from:?} --> {to:?}"))
        .collect();
    let diagram = format!(
        "```mermaid\nstateDiagram-v2\n    [*] --> Preflight\n{}\n    Concluded --> [*]\n    Counted --> [*]\n    Finished --> [*]\n    Stopped --> [*]\n```\n",
        edges.join("\n")
    );
    assert_eq!(
        block(&document("ARCHITECTURE.md"), "moves"),
        diagram,
        "\n{diagram}"
    );
}

#[test]
fn the_list_of_guards_is_the_table_of_guards() {
    let rows: Vec<String> = GUARDS
        .iter()
        .map(|guard| format!("| `{}` | {} |", guard.name, guard.demands))
        .collect();
    let table = format!("| guard | demands |\n| --- | --- |\n{}\n", rows.join("\n"));
    assert_eq!(block(&document("ARCHITECTURE.md"), "guards"), table, "\n{table}");
}

#[test]
fn the_schema_is_reviewed_when_it_changes() {
    insta::assert_json_snapshot!("report schema", report::schema());
}

#[test]
fn the_readme_shows_the_demo_as_it_is() {
    let readme = document("README.md");
    let program = env!("CARGO_BIN_EXE_rca-agent");
    let dir = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(program)
        .args(["demo", "-q", "--format", "text"])
        .current_dir(dir.path())
        .env_clear()
        .env("TZ", "Asia/Jerusalem")
        .env("COLUMNS", "110")
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let excerpt = block(&readme, "demo");
    let lines: Vec<&str> = excerpt
        .lines()
        .filter(|line| !line.starts_with("```") && !line.starts_with('$') && !line.trim().is_empty())
        .collect();
    assert!(lines.len() > 5, "the README shows too little");
    for line in lines {
        assert!(
            shown.contains(line.trim_end()),
            "the README shows a line that the demo does not print: {line}\n{shown}"
        );
    }
}

/// Names of all test functions in the project.
fn tests() -> std::collections::BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut pending, mut found) = (
        vec![root.join("src"), root.join("tests")],
        std::collections::BTreeSet::new(),
    );
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                let name = line.strip_prefix("async fn ").or(line.strip_prefix("fn "));
                match name {
                    Some(name) if is_test => {
                        found.insert(name.split('(').next().unwrap().to_owned());
                        is_test = false;
                    }
                    _ if line.starts_with("#[test]") || line.starts_with("#[tokio::test") => is_test = true,
                    _ if line.starts_with("#[") || line.starts_with("//") => {}
                    _ => is_test = false,
                }
            }
        }
    }
    found
}

#[test]
fn every_sentence_of_the_skill_is_held_by_a_guard_or_step_and_a_test_that_exists() {
    let table = block(&document("docs/skill.md"), "skill");
    let (tests, mut rows) = (tests(), 0);
    assert!(tests.len() > 200, "only {} tests were found", tests.len());
    for line in table.lines().skip(2) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [sentence, holds, test] = cells.as_slice() else {
            panic!("not three cells: {line}")
        };
        rows += 1;
        assert!(!sentence.is_empty() && !holds.is_empty(), "{line}");
        let name = test.trim_matches('`');
        assert!(
            tests.contains(name),
            "`{sentence}` names the test `{name}`, which does not exist"
        );
        // A guard stands in backquotes after its name.
        for part in holds.split("uard `").skip(1) {
            let guard = part.split('`').next().unwrap();
            assert!(
                GUARDS.iter().any(|known| known.name == guard),
                "there is no guard `{guard}`: {line}"
            );
        }
    }
    assert!(rows >= 60, "only {rows} sentences are in the table");
}
