//! No filter reaches a server unchecked.

use std::{fs, path::Path};

use rca_agent::{
    investigation::{CountOrder, State, Task, guard},
    journal::{self, Entry},
    kfl,
    query::Dimension,
    wire::Operation,
};

use super::support::{investigate, run, settings};

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

/// What a user wrote takes the same way as what a phase built.
#[tokio::test]
async fn a_count_passes_the_guards_and_asks_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.task = Task::Count(CountOrder {
        filter: "http || dns".to_owned(),
        by: vec![Dimension::DstService, Dimension::StatusClass],
        every_ms: Some(5_000),
        budget_calls: 60,
        budget_bytes: 4_000_000,
        explain: false,
    });
    let machine = run(dir.path(), settings).await;
    let State::Counted(counted) = machine.state() else {
        panic!("{:?}", machine.state().phase());
    };
    let counts = counted.counts();
    assert_eq!(counts.gaps, []);
    assert!(
        counts.total > Some(500) && counts.total == Some(counts.counted()),
        "{counts:?}"
    );
    assert!(
        machine.case().refusals.is_empty(),
        "{:?}",
        machine.case().refusals
    );
    let recording = journal::read(dir.path()).unwrap();
    let mut asked: Vec<Operation> = Vec::new();
    for entry in &recording.entries {
        let Entry::Requested { action, rulings } = entry else {
            continue;
        };
        for call in action.calls().iter().filter(|call| call.scope().is_some()) {
            assert!(!asked.contains(call), "{call:?}");
            let passed = rulings.iter().any(|ruling| ruling.guard == "checked-filter");
            assert!(passed && guard::refusal(rulings).is_none(), "{call:?}");
            asked.push(call.clone());
        }
    }
    assert!(
        matches!(asked.first(), Some(Operation::ApiStats { .. })),
        "statistics first"
    );
    assert!(asked.len() > 5, "{}", asked.len());
}

#[tokio::test]
async fn a_wrong_filter_is_not_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.task = Task::Count(CountOrder {
        filter: "response.status == 500".to_owned(),
        by: Vec::new(),
        every_ms: None,
        budget_calls: 60,
        budget_bytes: 4_000_000,
        explain: false,
    });
    let machine = run(dir.path(), settings).await;
    assert!(matches!(machine.state(), State::Stopped(_)));
    let recording = journal::read(dir.path()).unwrap();
    let asked = recording.entries.iter().any(|entry| match entry {
        Entry::Requested { action, .. } => action.calls().iter().any(|call| call.scope().is_some()),
        _ => false,
    });
    assert!(!asked);
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
