//! The suite: every recorded session through today's code, scored, and told as it was told before.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot read the cases has failed"
)]

use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Mutex,
};

use rca_agent::{
    eval::{self, EvalCase, Match, run, score::score},
    journal::{self, FORMAT, JOURNAL, OLDEST_FORMAT, PACKED, redact::Redactor},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("evals")
}

/// What is no case under `evals/`.
const OTHERS: &[&str] = &["captures", "lab"];

fn cases() -> Vec<EvalCase> {
    let cases = eval::cases(&root()).unwrap();
    cases
        .into_iter()
        .map(|case| case.unwrap_or_else(|broken| panic!("{broken}")))
        .collect()
}

/// What a replay came to, and everything that is wrong with it.
struct Seen {
    name: String,
    /// Report, transcript, and what a model is told.
    told: Option<[(&'static str, String); 3]>,
    wrong: Vec<String>,
}

fn replayed(case: &EvalCase) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut wrong = Vec::new();
    let replayed = match runtime.block_on(run::replay(case, Match::Shape)) {
        Ok(replayed) => replayed,
        Err(error) => {
            return Seen {
                name: case.name.clone(),
                told: None,
                wrong: vec![error.to_string()],
            };
        }
    };
    wrong.extend(
        replayed
            .divergence
            .map(|diff| format!("it asks something else:\n{diff}")),
    );
    wrong.extend(replayed.broke_off);
    let told = replayed.ran.as_ref().map(|ran| {
        wrong.extend(score(case, ran, &replayed.results).wrong());
        [
            ("report", ran.text.clone()),
            ("transcript", ran.transcript.join("\n")),
            ("prompts", ran.prompts.join("\n")),
        ]
    });
    Seen {
        name: case.name.clone(),
        told,
        wrong,
    }
}

/// Does something with each case, on two threads.
fn each<T: Send>(cases: &[EvalCase], what: impl Fn(&EvalCase) -> T + Sync) -> Vec<T> {
    let queue = Mutex::new(cases.iter());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(case) = queue.lock().unwrap().next() else {
                        return;
                    };
                    let one = what(case);
                    done.lock().unwrap().push(one);
                }
            });
        }
    });
    done.into_inner().unwrap()
}

#[test]
fn every_case_passes_and_is_told_as_before() {
    let cases = cases();
    assert!(cases.len() >= 30, "{} cases", cases.len());
    let mut seen = each(&cases, replayed);
    seen.sort_by(|a, b| a.name.cmp(&b.name));
    let mut failed = Vec::new();
    for Seen {
        name,
        told,
        mut wrong,
    } in seen
    {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(root().join(&name));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        if let Some(told) = told {
            for (kind, text) in told.into_iter().filter(|(_, text)| !text.is_empty()) {
                let same = catch_unwind(AssertUnwindSafe(|| {
                    settings.bind(|| insta::assert_snapshot!(kind, text));
                }));
                if same.is_err() {
                    wrong.push(format!(
                        "the {kind} is another than evals/{name}/{kind}.snap; the diff is above"
                    ));
                }
            }
        }
        if !wrong.is_empty() {
            failed.push(format!("{name}: {}", wrong.join("\n  ")));
        }
    }
    assert!(
        failed.is_empty(),
        "{} cases:\n{}\n\n`cargo run -- eval CASE` shows one; `cargo run -- eval record CASE` records it again",
        failed.len(),
        failed.join("\n")
    );
}

fn files(dir: &Path) -> BTreeSet<String> {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

/// Nothing lies about that nobody looks at: every directory is a case, every file of a case belongs to it, every
/// snapshot is compared with.
#[test]
fn every_directory_is_a_case_and_every_file_is_used() {
    let names: BTreeSet<String> = cases().iter().map(|case| case.name.clone()).collect();
    let directories: BTreeSet<String> = files(&root())
        .into_iter()
        .filter(|name| root().join(name).is_dir() && !OTHERS.contains(&name.as_str()))
        .collect();
    assert_eq!(directories, names);
    for case in cases() {
        let mut wanted: BTreeSet<String> = [eval::CASE, JOURNAL, PACKED, "report.snap", "transcript.snap"]
            .map(str::to_owned)
            .into();
        if let Some(script) = &case.script_as_written {
            wanted.extend([script.clone(), "prompts.snap".to_owned()]);
        }
        wanted.extend(case.capture_as_written.clone().filter(|path| !path.contains('/')));
        assert_eq!(files(&case.dir), wanted, "{}", case.name);
        assert!(
            !case.endings().is_empty(),
            "{}: the truth is not filled in",
            case.name
        );
    }
}

/// A file as text, unpacked where it is packed.
fn text(path: &Path) -> String {
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut text = String::new();
        flate2::read::GzDecoder::new(fs::File::open(path).unwrap())
            .read_to_string(&mut text)
            .unwrap();
        return text;
    }
    fs::read_to_string(path).unwrap()
}

/// How much was looked at, and the lines that hold what looks like a secret.
fn leaks(case: &EvalCase) -> (usize, Vec<String>) {
    let redactor = Redactor::new("scan");
    let shares = regex::Regex::new(r"\b0\.\d{6,}").unwrap();
    let (mut scanned, mut leaks) = (0, Vec::new());
    for name in files(&case.dir) {
        for (number, line) in text(&case.dir.join(&name)).lines().enumerate() {
            // Secrets that may appear nowhere have to be named somewhere.
            let hidden = case
                .truth
                .secrets
                .iter()
                .any(|secret| line.contains(secret.as_str()));
            if name == eval::CASE && hidden {
                continue;
            }
            scanned += line.len();
            // Bodies are JSON inside of JSON: without the escapes names and values stand side by side.
            let plain = line.replace("\\\"", "\"");
            // The digits of a share are no card.
            let plain = shares.replace_all(&plain, "0");
            if hidden || redactor.text(&plain) != plain {
                leaks.push(format!("{}/{name}:{}", case.name, number + 1));
            }
        }
    }
    (scanned, leaks)
}

#[test]
fn no_case_holds_a_secret() {
    let found = each(&cases(), leaks);
    let scanned: usize = found.iter().map(|(scanned, _)| scanned).sum();
    assert!(scanned > 1_000_000, "only {scanned} bytes were looked at");
    let leaks: Vec<String> = found.into_iter().flat_map(|(_, leaks)| leaks).collect();
    assert_eq!(leaks, Vec::<String>::new());
}

/// A recording of every format that is said to be read. Whoever makes a new format adds one, and leaves the others.
#[test]
fn recordings_of_every_format_are_read() {
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let wanted: BTreeSet<String> = (OLDEST_FORMAT..=FORMAT)
        .map(|format| format!("format-{format}"))
        .collect();
    assert_eq!(files(&recordings), wanted);
    for name in wanted {
        let recording =
            journal::read(&recordings.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(format!("format-{}", recording.format), name);
        let summary = journal::summary(&recording).unwrap();
        assert_eq!(summary.entries, 54, "{name}");
        assert_eq!(summary.closed, Some(journal::Closed::Concluded), "{name}");
        // And it can still be followed, as far as today's code asks the same.
        let case = cases()
            .into_iter()
            .find(|case| case.name == "unknown-service")
            .unwrap();
        let old = EvalCase {
            dir: recordings.join(&name),
            ..case
        };
        assert_eq!(replayed(&old).wrong, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_schema_of_a_case_is_written_down() {
    let written: serde_json::Value = serde_json::from_str(&text(&root().join("case.schema.json"))).unwrap();
    assert_eq!(
        eval::schema(),
        written,
        "evals/case.schema.json is what `rca-agent eval schema` prints"
    );
}
