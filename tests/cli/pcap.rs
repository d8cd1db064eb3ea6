//! The route without dissection: names to addresses to a filter to a file.

use crate::{
    routes::HttpHub,
    runner::{Output, Rca, WINDOW, filters, program, short},
};

const NOW: &[&str] = &["--now", "2026-11-23T02:30:00Z"];

fn pcap(rca: &Rca, args: &[&str]) -> Output {
    let capture = short();
    let mut all = vec!["pcap", "-q", "--no-input", "--capture", &capture];
    all.extend(NOW);
    all.extend(args);
    rca.run(&all)
}

fn shown(name: &str, output: &Output) {
    filters().bind(|| insta::assert_snapshot!(name, output.to_string()));
}

/// What tcpdump would count: the packets of a classic capture file.
fn packets(bytes: &[u8]) -> u64 {
    assert_eq!(
        &bytes[..4],
        &[0xd4, 0xc3, 0xb2, 0xa1],
        "microseconds, little-endian"
    );
    let (mut at, mut count) = (24, 0);
    while at < bytes.len() {
        let length = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap());
        at += 16 + length as usize;
        count += 1;
    }
    assert_eq!(at, bytes.len(), "the last packet is whole");
    count
}

#[test]
fn workloads_become_a_file_and_nothing_is_dissected() {
    let rca = Rca::new();
    let output = pcap(
        &rca,
        &[
            "-w",
            "shop/(postgres|checkout)-.*",
            "--bpf",
            "tcp port 5432",
            "--out",
            "db.pcap",
        ],
    );
    shown("pcap", &output);
    let bytes = std::fs::read(rca.dir().join("db.pcap")).unwrap();
    let told = pcap(&rca, &["-w", "shop/postgres-.*", "--out", "all.pcap", "--json"]).json();
    assert!(packets(&bytes) > 100);
    let all = std::fs::read(rca.dir().join("all.pcap")).unwrap();
    assert_eq!(told["packets"], packets(&all));
    assert_eq!(told["bpf"], "host 10.1.3.16");
    assert!(
        std::fs::read_to_string(rca.dir().join("db.md"))
            .unwrap()
            .contains("host 10.1.3.16")
    );
    shown(
        "pcap in New York",
        &pcap(
            &rca,
            &[
                "--label",
                "app=postgres",
                "--node",
                "node-3",
                "--tz",
                "America/New_York",
                "--since",
                "2026-11-23T01:34:10Z",
                "--until",
                "2026-11-23T01:34:15Z",
                "--out",
                "node.pcap",
            ],
        ),
    );
    let told = pcap(&rca, &["--ip", "10.1.3.16", "--out", "ip.pcap", "--json"]).json();
    assert_eq!(told["addresses"][0]["owners"], "shop/postgres-0");
}

#[test]
fn a_child_process_writes_the_same_file() {
    let rca = Rca::new();
    let hub = format!("{} hub {}", program(), short());
    let window = [
        "--since",
        "2026-11-23T01:33:40Z",
        "--until",
        "2026-11-23T01:34:39Z",
    ];
    let mut args = vec![
        "pcap",
        "-q",
        "--json",
        "--mcp-command",
        &hub,
        "-w",
        "shop/postgres-.*",
        "--out",
        "a.pcap",
    ];
    args.extend(window);
    args.extend(NOW);
    let there = rca.run(&args);
    assert_eq!(there.status, 0, "{there}");
    let mut here = vec!["-w", "shop/postgres-.*", "--out", "b.pcap", "--json"];
    here.extend(window);
    let here = pcap(&rca, &here);
    assert_eq!(there.json()["sha256"], here.json()["sha256"], "{there}\n{here}");
    // And over HTTP, of a snapshot by its name.
    let hub = HttpHub::start(&rca, None);
    let take = rca.run(&[
        "snapshots",
        "take",
        "--name",
        "kept",
        "--mcp-url",
        &hub.url,
        "-q",
        window[0],
        window[1],
        window[2],
        window[3],
        NOW[0],
        NOW[1],
    ]);
    assert_eq!(take.status, 0, "{take}");
    let there = rca.run(&[
        "pcap",
        "-q",
        "--json",
        "--mcp-url",
        &hub.url,
        "--snapshot",
        "kept",
        "-w",
        "postgres-0",
        "--out",
        "c.pcap",
    ]);
    assert_eq!(there.json()["sha256"], here.json()["sha256"], "{there}");
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let rca = Rca::new();
    for (name, args) in [
        ("pcap wrong namespace", vec!["-w", "shpo/postgres-.*"]),
        ("pcap no match", vec!["-w", "shop/postgrez-.*"]),
        ("pcap no label", vec!["-n", "shop", "--label", "app=postgrez"]),
        ("pcap bad regex", vec!["-w", "shop/post(gres"]),
        ("pcap bad BPF", vec!["--bpf", "prt 8080"]),
        ("pcap name in BPF", vec!["--bpf", "host postgres"]),
        ("pcap unknown node", vec!["--node", "node-9"]),
        (
            "pcap window outside",
            vec![
                "--since",
                "2026-11-23T02:00:00Z",
                "--until",
                "2026-11-23T02:10:00Z",
            ],
        ),
        ("pcap unknown snapshot", vec!["--snapshot", "kept"]),
        (
            "pcap nothing matches",
            vec![
                "-w",
                "shop/postgres-.*",
                "--bpf",
                "tcp port 9",
                "--out",
                "none.pcap",
            ],
        ),
    ] {
        let output = pcap(&rca, &args);
        assert_ne!(output.status, 0, "{output}");
        shown(name, &output);
    }
    std::fs::write(rca.dir().join("taken.pcap"), "mine").unwrap();
    let output = pcap(&rca, &["--out", "taken.pcap"]);
    assert_eq!(output.status, 2, "{output}");
    assert_eq!(std::fs::read(rca.dir().join("taken.pcap")).unwrap(), b"mine");
}

#[test]
fn a_case_is_handed_to_the_network_team() {
    let rca = Rca::new();
    let capture = short();
    let mut args = vec!["investigate", "--capture", &capture, "-q"];
    args.extend(WINDOW);
    assert_eq!(rca.run(&args).status, 0);
    let id = rca.case_id();
    let output = rca.run(&["pcap", &id, "-q"]);
    shown("pcap of a case", &output);
    let file = std::fs::read(rca.dir().join(format!("{id}.pcap"))).unwrap();
    assert!(packets(&file) > 1000);
    for secret in ["4111", "@example", "Bearer "] {
        assert!(!output.stdout.contains(secret), "{output}");
    }
    let again = rca.run(&["pcap", &id, "-q", "--json"]).json();
    assert!(
        again["file"].as_str().unwrap().ends_with("-2.pcap"),
        "nothing is overwritten: {again}"
    );
    assert!(again["reproducer"].as_str().unwrap().starts_with("curl -i"));
}
