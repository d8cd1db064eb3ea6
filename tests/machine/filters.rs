//! No filter reaches a server unchecked.

use std::{fs, path::Path};

use rca_agent::{
    investigation::guard,
    journal::{self, Entry},
    kfl,
    wire::Operation,
};

use super::support::investigate;

#[tokio::test]
async fn every_filter_of_a_run_passed_the_guard_before_it_was_sent() {
    let dir = tempfile::tempdir().unwrap();
    investigate(dir.path()).await;
    let recording = journal::read(dir.path()).unwrap();
    let (mut scopes, mut narrowed) = (0, 0);
    for entry in &recording.entries {
        let Entry::Requested { action, rulings } = entry else {
            continue;
        };
        let filters: Vec<&str> = action
            .calls()
            .iter()
            .filter_map(Operation::scope)
            .map(|scope| scope.filter.as_str())
            .collect();
        scopes += filters.len();
        for filter in &filters {
            kfl::check(filter).unwrap_or_else(|found| panic!("`{filter}`: {found:?}"));
            narrowed += usize::from(filter.contains("&&"));
        }
        if !filters.is_empty() {
            let ruling = rulings.iter().find(|ruling| ruling.guard == "checked-filter");
            assert_eq!(ruling.map(|ruling| &ruling.refused), Some(&None), "{filters:?}");
        }
    }
    assert!(
        scopes > 12 && narrowed > 8,
        "{scopes} scopes, {narrowed} of them narrowed"
    );
}

#[test]
fn the_guard_applies_to_every_operation_that_has_a_filter() {
    let with_scope = Operation::examples()
        .into_iter()
        .filter(|operation| operation.scope().is_some())
        .count();
    assert_eq!(
        with_scope, 4,
        "a new operation with a filter is looked at by `Operation::scope`"
    );
    assert!(guard::GUARDS.iter().any(|guard| guard.name == "checked-filter"));
}

/// A request is made in one place, and that place performs only what the driver took from the machine and the
/// guards let pass; the doctor performs as well, and asks nothing with a filter.
#[test]
fn there_is_one_way_to_the_wire() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut makers = Vec::new();
    let mut performers = Vec::new();
    let mut dirs = vec![src.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            let name = path.strip_prefix(&src).unwrap().display().to_string();
            let test = name.ends_with("tests.rs");
            if !test && text.contains("catalogue.request(") {
                makers.push(name.clone());
            }
            if !test && text.contains(".perform(") {
                performers.push(name);
            }
        }
    }
    assert_eq!(makers, ["effects/live.rs"]);
    performers.sort();
    assert_eq!(performers, ["cli/doctor.rs", "driver.rs"]);
    let doctor = fs::read_to_string(src.join("cli/doctor.rs")).unwrap();
    let with_filters = ["Scope", "ApiStats", "CountCalls", "ListCalls", "CallDetail"];
    assert!(with_filters.iter().all(|word| !doctor.contains(word)));
}
