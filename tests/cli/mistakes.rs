//! Every mistake that a person can make with a command, in one place: each ends in words that say what to do.

use std::fmt::Write as _;

use crate::{
    routes::HttpHub,
    runner::{Rca, filters, short},
};

const INCIDENT: &str = "--since 2026-11-23T01:34:05Z --until 2026-11-23T01:34:40Z";
const OUTSIDE: &str = "--since 2026-11-23T02:00:00Z --until 2026-11-23T02:10:00Z";

/// What is wrong, and the command.
const MISTAKES: &[(&str, &str)] = &[
    (
        "a namespace that is not there",
        "pcap -w shpo/postgres-.* {incident} {plain}",
    ),
    (
        "a namespace that is not there",
        "ask 'errors in namespace shpo' {incident} {plain}",
    ),
    (
        "a namespace that is not there",
        "investigate -n shpo {incident} {plain} --no-input",
    ),
    (
        "a workload that is not there",
        "investigate --service shop/chekout {incident} {plain} --no-input",
    ),
    (
        "a workload that is not there",
        "ask 'errors in chekout' {incident} {plain}",
    ),
    (
        "a pattern without a match",
        "pcap -w shop/postgrez-.* {incident} {plain}",
    ),
    (
        "a label without a match",
        "pcap -n shop --label app=postgrez {incident} {plain}",
    ),
    (
        "no regular expression",
        "pcap -w shop/post(gres {incident} {plain}",
    ),
    ("no packet filter", "pcap --bpf 'prt 8080' {incident} {plain}"),
    (
        "a name in a packet filter",
        "pcap --bpf 'host postgres' {incident} {plain}",
    ),
    (
        "no filter",
        "ask q --kfl 'http && status_cod >= 500' {incident} {plain}",
    ),
    (
        "no filter",
        "kfl count 'http && response.status >= 500' {incident} {plain}",
    ),
    (
        "a window outside of what is recorded",
        "investigate why {outside} {plain} --no-input",
    ),
    (
        "a window outside of what is recorded",
        "ask 'any errors?' {outside} {plain}",
    ),
    (
        "a window outside of what is recorded",
        "pcap -w shop/.* {outside} {plain}",
    ),
    (
        "a window outside of what is recorded",
        "snapshots take {outside} {plain}",
    ),
    (
        "a window outside of what is recorded",
        "compare --baseline '2026-11-22 01:00..02:00' {incident} {plain}",
    ),
    (
        "no time",
        "investigate why --since 'half past tea' {plain} --no-input",
    ),
    (
        "no zone",
        "ask 'any errors?' {incident} {plain} --tz Asia/Jerusalm",
    ),
    ("no window", "ask 'any errors?' {plain}"),
    (
        "a snapshot that is not there",
        "ask 'any errors?' --snapshot kep {clouded}",
    ),
    (
        "a snapshot that is not there",
        "compare --baseline-snapshot kep --snapshot local {clouded}",
    ),
    (
        "a name that another window has",
        "snapshots take --name local {incident} {clouded} --buffer 0",
    ),
    (
        "cloud storage is not configured",
        "preserve --snapshot plain --yes --mcp-url {url}",
    ),
    ("cloud storage is not configured", "restore kept --yes {plain}"),
    (
        "a snapshot in cloud storage only",
        "investigate why --snapshot kept {clouded} --no-input",
    ),
    (
        "a snapshot in cloud storage only",
        "ask 'any errors?' --snapshot kept {clouded}",
    ),
    (
        "a snapshot in cloud storage only",
        "pcap -w shop/.* --snapshot kept {clouded}",
    ),
    ("a change without an approval", "restore kept {clouded}"),
    ("a snapshot that is here already", "restore local --yes {clouded}"),
    ("a case that is not there", "confirm nobody"),
    ("a case that is not there", "verify nobody"),
];

#[test]
fn every_mistake_says_what_to_do() {
    let rca = Rca::new();
    let plain = HttpHub::of(&rca, &short(), &[], None);
    let clouded = {
        // Kept from a hub that is gone; what it took itself is local.
        let before = HttpHub::of(&rca, &short(), &["--cloud", "store"], None);
        let words = format!("snapshots take --name kept {INCIDENT} --mcp-url {}", before.url);
        assert_eq!(run(&rca, &words).0, 0);
        let words = format!("preserve --snapshot kept --yes --mcp-url {}", before.url);
        assert_eq!(run(&rca, &words).0, 0);
        HttpHub::of(&rca, &short(), &["--cloud", "store"], None)
    };
    for (name, hub) in [("local", &clouded), ("plain", &plain)] {
        let window = "--since 2026-11-23T01:33:45Z --until 2026-11-23T01:34:00Z --buffer 0";
        let words = format!("snapshots take --name {name} {window} --mcp-url {}", hub.url);
        assert_eq!(run(&rca, &words).0, 0);
    }
    let mut told = String::new();
    for (what, words) in MISTAKES {
        let now = "--now 2026-11-23T02:30:00Z";
        let command = words
            .replace("{incident}", INCIDENT)
            .replace("{outside}", OUTSIDE)
            .replace("{plain}", &format!("--mcp-url {} {now}", plain.url))
            .replace("{clouded}", &format!("--mcp-url {} {now}", clouded.url))
            .replace("{url}", &plain.url);
        let (status, said) = run(&rca, &command);
        assert_ne!(status, 0, "{command}\n{said}");
        let shown = words.replace(" {plain}", "").replace(" {clouded}", "");
        let shown = shown.replace("{incident}", "…").replace("{outside}", "…");
        let _ = writeln!(told, "== {what}\n$ rca-agent {shown}\n{said}");
    }
    let mut settings = filters();
    settings.add_filter(
        r"rca-(ask|count|compare|investigate|pcap)-\d+(-\d+)?",
        "rca-$1-[time]",
    );
    settings.bind(|| insta::assert_snapshot!("mistakes", told));
}

/// Runs the words of a command line; its status, and all that it said without the evidence of a report.
fn run(rca: &Rca, words: &str) -> (i32, String) {
    let words = words_of(words);
    let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
    args.push("-q");
    let output = rca.run(&args);
    let mut said = output.to_string();
    if let Some(at) = said.find("\n## Evidence") {
        said.truncate(at);
        said.push('\n');
    }
    (output.status, said)
}

/// Words as a shell would part them: at spaces, except inside single quotes.
fn words_of(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(at, part)| -> Vec<String> {
            if at % 2 == 1 {
                vec![part.to_owned()]
            } else {
                part.split_whitespace().map(str::to_owned).collect()
            }
        })
        .collect()
}
