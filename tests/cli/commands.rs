//! Every command that asks a server, in two zones, over HTTP and over a child process: the same words either way.

use std::fmt::Write as _;

use crate::{
    routes::HttpHub,
    runner::{Output, Rca, filters, program, short},
};

const NOW: &[&str] = &["--now", "2026-11-23T02:30:00Z"];
const INCIDENT: &[&str] = &[
    "--since",
    "2026-11-23T01:34:05Z",
    "--until",
    "2026-11-23T01:34:40Z",
];
const CALM: &[&str] = &[
    "--since",
    "2026-11-23T01:33:41Z",
    "--until",
    "2026-11-23T01:34:11Z",
];

/// One way to a server. Each command meets a hub that has seen nothing before, as a child process does.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Http,
    Child,
}

struct Told<'a> {
    rca: &'a Rca,
    way: Way,
    zone: &'a str,
    text: String,
}

impl Told<'_> {
    /// Runs a command, and takes down what it said.
    fn run(&mut self, args: &[&str], flags: &[&[&str]]) -> Output {
        let cloud = ["--cloud", "store"];
        let hub = (self.way == Way::Http).then(|| HttpHub::of(self.rca, &short(), &cloud, None));
        let command = format!("{} hub {} --cloud store", program(), short());
        let mut all = args.to_vec();
        all.extend(flags.iter().copied().flatten());
        all.push("-q");
        match &hub {
            Some(hub) => all.extend(["--mcp-url", &hub.url]),
            None => all.extend(["--mcp-command", &command]),
        }
        let zoned = !["verify", "preserve"].contains(&args[0]);
        if zoned {
            all.extend(["--tz", self.zone]);
        }
        // Nothing is wrapped: lines differ in length by what the server is called.
        let output = self.rca.finish(self.rca.command(&all).env("COLUMNS", "1000"));
        let shown: Vec<&str> = args
            .iter()
            .chain(flags.iter().copied().flatten())
            .copied()
            .collect();
        // The evidence of a report is long, and told elsewhere.
        let head = output.stdout.split("## Evidence").next().unwrap_or_default();
        let head = Output {
            status: output.status,
            stdout: head.to_owned(),
            stderr: output.stderr.clone(),
        };
        let _ = writeln!(self.text, "$ rca-agent {}\n{head}\n", shown.join(" "));
        output
    }
}

/// All commands, in the order of a story.
fn all(way: Way, zone: &str) -> String {
    let rca = Rca::new();
    let mut told = Told {
        rca: &rca,
        way,
        zone,
        text: String::new(),
    };
    // What somebody put into cloud storage before.
    let hub = HttpHub::of(&rca, &short(), &["--cloud", "store"], None);
    let server = ["--mcp-url", hub.url.as_str()];
    let before = [
        rca.run(
            &[
                &["snapshots", "take", "--name", "kept", "-q"],
                &server[..],
                INCIDENT,
                NOW,
            ]
            .concat(),
        ),
        rca.run(&[&["preserve", "--snapshot", "kept", "--yes", "-q"], &server[..]].concat()),
    ];
    for output in &before {
        assert_eq!(output.status, 0, "{output}");
    }
    let expect = |status: i32, output: Output| assert_eq!(output.status, status, "{output}");
    expect(0, told.run(&["snapshots"], &[NOW]));
    expect(
        0,
        told.run(&["snapshots", "take"], &[INCIDENT, NOW, &["--name", "taken"]]),
    );
    expect(
        0,
        told.run(
            &["investigate", "why do orders fail?"],
            &[INCIDENT, NOW, &["--no-input"]],
        ),
    );
    let case = rca.case_id();
    let case = case.as_str();
    expect(
        0,
        told.run(&["ask", "errors in checkout"], &[INCIDENT, NOW, &["--rows", "3"]]),
    );
    expect(
        0,
        told.run(
            &["kfl", "count", "http && status_code >= 500"],
            &[INCIDENT, NOW, &["--by", "service"]],
        ),
    );
    expect(
        0,
        told.run(
            &["pcap"],
            &[
                INCIDENT,
                NOW,
                &[
                    "--workload",
                    "shop/postgres-.*",
                    "--bpf",
                    "tcp port 5432",
                    "--out",
                    "db.pcap",
                ],
            ],
        ),
    );
    expect(
        0,
        told.run(
            &["compare"],
            &[
                &["--baseline", "2026-11-23T01:33:41Z..2026-11-23T01:34:11Z"],
                INCIDENT,
                NOW,
            ],
        ),
    );
    expect(0, told.run(&["confirm", case], &[CALM, NOW]));
    expect(4, told.run(&["confirm", case], &[INCIDENT, NOW]));
    expect(0, told.run(&["verify", case], &[&["--retake"]]));
    // The hub of the case is gone, and with it the snapshot.
    expect(1, told.run(&["verify", case], &[]));
    expect(1, told.run(&["preserve", case], &[&["--yes"]]));
    expect(1, told.run(&["restore", "kept"], &[NOW]));
    expect(0, told.run(&["restore", "kept"], &[NOW, &["--yes"]]));
    told.text
}

#[test]
fn every_command_says_the_same_over_http_and_a_child_process() {
    for (zone, ways) in [
        ("Asia/Kolkata", &[Way::Http, Way::Child][..]),
        ("America/New_York", &[Way::Child]),
    ] {
        let mut settings = filters();
        settings.add_filter(r"--mcp-url http://\[hub\]\S*|--mcp-command '[^']*'", "[server]");
        settings.add_filter(
            r"http://\[hub\]/mcp|`?rca-agent hub \S+ --cloud store`?",
            "[server]",
        );
        settings.add_filter(r"rca-(ask|count|compare|confirm)-\d+(-\d+)?", "rca-$1-[time]");
        settings.add_filter(r"[─═]{4,}", "──");
        settings.add_filter(r"(?m) +┆", " ┆");
        let name = zone.replace('/', " ");
        for way in ways.iter().copied() {
            let text = all(way, zone);
            settings.bind(|| insta::assert_snapshot!(format!("commands in {name}"), text));
        }
    }
}
