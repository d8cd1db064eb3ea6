//! The layers, kept by a test: a single package has no crate walls.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read the sources has failed"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Each module of the library, and all that it may use of the others.
const ALLOWED: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("bpf", &[]),
    ("wire", &["time"]),
    ("kfl", &["time"]),
    ("analysis", &["time", "wire"]),
    ("query", &["kfl", "time", "wire"]),
    ("question", &["kfl"]),
    (
        "investigation",
        &["analysis", "bpf", "kfl", "query", "question", "time", "wire"],
    ),
    ("journal", &["investigation", "time"]),
    ("driver", &["investigation", "journal", "wire"]),
    ("report", &["analysis", "investigation", "time", "wire"]),
    (
        "playbook",
        &["analysis", "investigation", "kfl", "report", "wire"],
    ),
    ("progress", &["driver", "investigation", "journal", "report"]),
    ("kubeshark", &["time", "wire"]),
    ("hub", &["bpf", "kfl", "time"]),
    ("model", &[]),
    ("prompt", &[]),
    (
        "effects",
        &[
            "driver",
            "investigation",
            "journal",
            "kubeshark",
            "model",
            "prompt",
            "wire",
        ],
    ),
    ("benchmark", &["analysis", "investigation", "time"]),
    (
        "eval",
        &[
            "analysis",
            "benchmark",
            "driver",
            "effects",
            "error",
            "hub",
            "investigation",
            "journal",
            "kubeshark",
            "model",
            "playbook",
            "report",
            "time",
            "wire",
        ],
    ),
    (
        "bot",
        &[
            "driver",
            "error",
            "investigation",
            "journal",
            "question",
            "report",
            "time",
        ],
    ),
    ("demo", &["hub", "time"]),
    ("error", &[]),
    ("config", &["error", "time"]),
    (
        "cli",
        &[
            "analysis",
            "benchmark",
            "bot",
            "bpf",
            "config",
            "demo",
            "driver",
            "effects",
            "error",
            "eval",
            "hub",
            "investigation",
            "journal",
            "kfl",
            "kubeshark",
            "playbook",
            "model",
            "progress",
            "prompt",
            "query",
            "question",
            "report",
            "time",
            "wire",
        ],
    ),
];

/// Modules that decide or compute: they may mention none of [`IMPURE`].
const PURE: &[&str] = &[
    "analysis",
    "bpf",
    "investigation",
    "kfl",
    "playbook",
    "prompt",
    "query",
    "question",
    "report",
    "time",
    "wire",
];

/// What acts, or differs from run to run.
const IMPURE: &[&str] = &[
    "async fn",
    ".await",
    "tokio::",
    "std::fs",
    "std::env",
    "std::net::Tcp",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "rand::",
];

/// Only these may print, and only this one may read the environment.
const PRINTS: &[&str] = &["cli", "progress"];
const READS_ENVIRONMENT: &[&str] = &["config"];

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The source files of a module, without its tests: (path below src, text up to the first `#[cfg(test)]` module).
fn sources(module: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let single = src().join(format!("{module}.rs"));
    if single.exists() {
        files.push(single);
    }
    collect(&src().join(module), &mut files);
    assert!(
        !files.is_empty(),
        "the module `{module}` of the table does not exist"
    );
    files
        .into_iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let code = text
                .split("#[cfg(test)]\nmod tests {")
                .next()
                .unwrap_or_default()
                .to_owned();
            let code = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            (path.strip_prefix(src()).unwrap().display().to_string(), code)
        })
        .collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Module names used as `crate::name` or inside `crate::{name::…, other}`.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(
                rest.chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect(),
            );
            continue;
        };
        let (mut depth, mut start) = (0, true);
        let mut word = String::new();
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && (c.is_alphanumeric() || c == '_') => word.push(c),
                c if c.is_whitespace() => {}
                _ => start = false,
            }
            if (!start || c == ',') && !word.is_empty() {
                found.insert(std::mem::take(&mut word));
                start = c == ',';
            }
        }
        if !word.is_empty() {
            found.insert(word);
        }
    }
    found
}

#[test]
fn modules_use_only_what_the_table_allows() {
    let known: BTreeSet<&str> = ALLOWED.iter().map(|(module, _)| *module).collect();
    let mut looked_at = 0;
    for (module, allowed) in ALLOWED {
        for (path, text) in sources(module) {
            looked_at += 1;
            for import in imports(&text) {
                assert!(
                    import == *module
                        || !known.contains(import.as_str())
                        || allowed.contains(&import.as_str()),
                    "src/{path}: `{module}` uses `{import}`, which the table in tests/architecture.rs does not allow",
                );
            }
        }
    }
    assert!(looked_at > 60, "only {looked_at} files were looked at");
}

#[test]
fn every_module_is_in_the_table() {
    let lib = fs::read_to_string(src().join("lib.rs")).unwrap();
    let declared: BTreeSet<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    let listed: BTreeSet<&str> = ALLOWED.iter().map(|(module, _)| *module).collect();
    assert_eq!(declared, listed);
}

#[test]
fn what_decides_does_not_act() {
    for module in PURE {
        for (path, text) in sources(module) {
            for word in IMPURE {
                assert!(
                    !text.contains(word),
                    "src/{path} mentions `{word}`; `{module}` must stay pure"
                );
            }
        }
    }
}

#[test]
fn only_the_edge_prints_and_reads_the_environment() {
    for (module, _) in ALLOWED {
        for (path, text) in sources(module) {
            for word in ["println!", "print!(", "io::stdout", "io::stderr"] {
                assert!(
                    PRINTS.contains(module) || !text.contains(word),
                    "src/{path} prints (`{word}`)"
                );
            }
            for word in ["env::var", "env::vars", "env::home_dir"] {
                assert!(
                    READS_ENVIRONMENT.contains(module) || !text.contains(word),
                    "src/{path} reads the environment (`{word}`)"
                );
            }
        }
    }
}

#[test]
fn a_violation_is_named() {
    let text =
        "use crate::{\n    time::{Clock, Window},\n    hub::Hub,\n};\nfn f() { crate::kubeshark::call(); }";
    let expected: BTreeSet<String> = ["time", "hub", "kubeshark"].map(str::to_owned).into();
    assert_eq!(imports(text), expected);
}

#[test]
fn no_file_is_two_files() {
    // Beyond this many lines a file is asking to be two.
    const LINES: usize = 520;
    let mut long = BTreeMap::new();
    for (module, _) in ALLOWED {
        for (path, text) in sources(module) {
            let lines = text.lines().count();
            if lines > LINES {
                long.insert(path, lines);
            }
        }
    }
    assert!(long.is_empty(), "{long:?}");
}
