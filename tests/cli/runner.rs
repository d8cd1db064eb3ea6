//! Runs the program in a directory of its own, with an environment of its own.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// A working directory, and the program in it.
pub(crate) struct Rca {
    dir: tempfile::TempDir,
}

/// What a run printed and how it ended. Displays as one text for a snapshot.
#[must_use = "snapshot the output, or assert on its status"]
pub(crate) struct Output {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Rca {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a directory"),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The program, ready to be run here. Nothing of the environment of the tests reaches it.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(args)
            .current_dir(self.dir())
            .env_clear()
            .stdin(Stdio::null());
        command
            .env("TZ", "Asia/Jerusalem")
            .env("LANG", "C.UTF-8")
            .env("HOME", self.dir())
            .env("COLUMNS", "110");
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.finish(&mut self.command(args))
    }

    pub(crate) fn finish(&self, command: &mut Command) -> Output {
        let output = command.output().expect("the program starts");
        Output {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// The only case in the directory of cases.
    pub(crate) fn case(&self) -> PathBuf {
        let mut cases: Vec<PathBuf> = std::fs::read_dir(self.dir().join("cases"))
            .expect("cases")
            .map(|entry| entry.expect("a case").path())
            .collect();
        assert_eq!(cases.len(), 1, "one case is expected: {cases:?}");
        cases.remove(0)
    }

    pub(crate) fn case_id(&self) -> String {
        self.case().file_name().unwrap().to_string_lossy().into_owned()
    }
}

impl Output {
    /// The report on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON: {error}\n{self}"))
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (out, err) = (self.stdout.trim_end(), self.stderr.trim_end());
        write!(f, "status {}\n--- stdout\n{out}\n--- stderr\n{err}", self.status)
    }
}

pub(crate) fn program() -> &'static str {
    env!("CARGO_BIN_EXE_rca-agent")
}

/// The minute around the onset, for tests that run often.
pub(crate) fn short() -> String {
    format!("{}/tests/captures/short", env!("CARGO_MANIFEST_DIR"))
}

/// Flags that ask the short capture about the time from five seconds before the onset.
pub(crate) const WINDOW: &[&str] = &[
    "--since",
    "2026-11-23T01:34:05Z",
    "--until",
    "2026-11-23T01:34:40Z",
    "--now",
    "2026-11-23T02:30:00Z",
    "--no-input",
];

/// `investigate` against our own hub as a child process, with these flags for the hub.
pub(crate) fn against_hub(hub_flags: &str) -> Vec<String> {
    let command = format!("{} hub {} {hub_flags}", program(), short());
    let mut args = vec![
        "investigate".to_owned(),
        "--mcp-command".to_owned(),
        command.trim().to_owned(),
    ];
    args.extend(WINDOW.iter().map(|flag| (*flag).to_owned()));
    args
}

pub(crate) fn refs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// Replaces what differs from run to run: case ids, time spent, paths.
pub(crate) fn filters() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d{4}-\d\d-\d\d-\d{4}-[a-z0-9]{2}", "[case]");
    settings.add_filter(r"rca-\d{4}-\d\d-\d\d-\d{4}\b", "rca-[time]");
    settings.add_filter(r"\[\d+/(\d+) calls, [\d.]+ s\]", "[n/$1 calls, T s]");
    // Redaction is salted with the case, so hashes of results that held secrets differ.
    settings.add_filter(r"\b[0-9a-f]{12} \|", "[hash] |");
    settings.add_filter(r"\d+ tool calls", "n tool calls");
    // What a dying server says last may come before its end is noticed, or after.
    settings.add_filter(
        r"(in the middle of `\w+`)( \([^)]*\))?(; its stderr ends with: .*)?",
        "$1[last words]",
    );
    settings.add_filter(r"[\d.]+ s in tools", "T s in tools");
    settings.add_filter(r"[\d.]+ [kM]B of answers", "N of answers");
    settings.add_filter(&regex::escape(program()), "rca-agent");
    settings.add_filter(&regex::escape(env!("CARGO_MANIFEST_DIR")), "[checkout]");
    settings.add_filter(r"/tmp/[.A-Za-z0-9]+", "[dir]");
    settings.add_filter(r"\b[0-9a-f]{64}\b", "[hash]");
    settings.add_filter(r"http://127\.0\.0\.1:\d+", "http://[hub]");
    settings
}
