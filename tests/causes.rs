//! Every recorded incident by its truth: the right cause first, and no cause where nothing was wrong.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot run the program has failed"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use serde_json::Value;

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("evals/captures")
}

fn truth(name: &str) -> Value {
    let text = fs::read_to_string(captures().join(name).join("truth.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(captures())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The report of one investigation of a recorded capture.
fn investigated(name: &str, since: &str, until: &str) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rca-agent"))
        .args(["investigate", "--since", since, "--until", until, "--capture"])
        .arg(captures().join(name))
        .args(["--tz", "UTC", "--format", "json", "--no-input", "-q"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{name}: {output:?}"))
}

/// Does something with each of these, on two threads.
fn each(names: &[String], wrong: impl Fn(&str) -> Option<String> + Sync) -> Vec<String> {
    let queue = Mutex::new(names.iter());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(name) = queue.lock().unwrap().next() else {
                        return;
                    };
                    if let Some(what) = wrong(name) {
                        found.lock().unwrap().push(format!("{name}: {what}"));
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort();
    found
}

fn named(cause: &Value) -> (&Value, Option<&Value>) {
    let node = cause["service"].is_null();
    (&cause["service"], node.then(|| &cause["workload"]))
}

#[test]
fn every_incident_has_its_cause_first_and_healthy_ones_have_none() {
    let names = names();
    assert!(names.len() >= 50, "{}", names.len());
    let wrong = each(&names, |name| {
        let truth = truth(name);
        let ask = |field: &str| truth["ask"][field].as_str().unwrap().to_owned();
        let report = investigated(name, &ask("since"), &ask("until"));
        let said = &report["verdict"];
        let wanted = truth["causes"].as_array().unwrap();
        if wanted.is_empty() {
            return (said != "no_anomaly").then(|| format!("{said} {}", report["because"]));
        }
        let first = &report["root_causes"][0];
        let right = said == "root_cause" && wanted.iter().any(|cause| named(cause) == named(first));
        (!right).then(|| format!("{said}: {} instead of {wanted:?}", named(first).0))
    });
    assert_eq!(wrong, Vec::<String>::new());
}

/// The time before each fault is a healthy window of its own.
#[test]
fn the_time_before_a_fault_has_no_cause() {
    let names: Vec<String> = names()
        .into_iter()
        .filter(|name| !truth(name)["onset"].is_null() && name.ends_with("-a"))
        .collect();
    assert!(names.len() >= 10, "{}", names.len());
    let wrong = each(&names, |name| {
        let truth = truth(name);
        let at = |value: &Value| {
            value
                .as_str()
                .unwrap()
                .parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap()
        };
        let (start, onset) = (at(&truth["recorded"]["start"]), at(&truth["onset"]));
        let half = start + (onset - start) / 2;
        let end = onset - chrono::TimeDelta::seconds(2);
        let report = investigated(name, &half.to_rfc3339(), &end.to_rfc3339());
        let causes = report["root_causes"].as_array().unwrap();
        (!causes.is_empty()).then(|| format!("{} {}", causes[0]["service"], causes[0]["explanation"]))
    });
    assert_eq!(wrong, Vec::<String>::new());
}

/// Somebody who does not know when it was asks about all there is: nothing lies before the window, and the incident has to
/// be found in it. Errors that are always there are no cause.
#[test]
fn an_incident_is_found_in_a_window_that_is_all_of_the_data() {
    // A callee that takes another's calls, and one of many clients that asks more: told from calm that was seen apart.
    const MISSED: [&str; 2] = ["misroute-b", "surge-b"];
    let names: Vec<String> = names()
        .into_iter()
        .filter(|name| name.ends_with("-b") || name.starts_with("healthy-"))
        .filter(|name| !MISSED.contains(&name.as_str()))
        .collect();
    assert!(names.len() >= 25, "{}", names.len());
    let wrong = each(&names, |name| {
        let truth = truth(name);
        let end = |which: &str| truth["recorded"][which].as_str().unwrap().to_owned();
        let report = investigated(name, &end("start"), &end("end"));
        let said = &report["verdict"];
        let wanted = truth["causes"].as_array().unwrap();
        let first = &report["root_causes"][0];
        let right = if wanted.is_empty() {
            said != "root_cause"
        } else {
            said == "root_cause" && wanted.iter().any(|cause| named(cause) == named(first))
        };
        (!right).then(|| format!("{said}: {} instead of {wanted:?}", named(first).0))
    });
    assert_eq!(wrong, Vec::<String>::new());
}
