//! Servers and captures that are broken, each with the message a person gets.

use insta::assert_snapshot;

use crate::routes::HttpHub;
use crate::runner::{Output, Rca, WINDOW, against_hub, filters, refs, short};

fn rehearse(fault: &str) -> Output {
    let mut args = against_hub(&format!("--fault {fault}"));
    args.push("--format".to_owned());
    args.push("md".to_owned());
    Rca::new().run(&refs(&args))
}

/// The message alone: without the lines of progress.
fn message(output: &Output) -> String {
    let lines: Vec<&str> = output
        .stderr
        .lines()
        .filter(|line| !line.starts_with(['✓', ' ']) || line.contains("because") || line.starts_with("    "))
        .collect();
    let at = lines
        .iter()
        .position(|line| line.starts_with("error"))
        .unwrap_or(0);
    format!(
        "status {}\n{}",
        output.status,
        lines.get(at..).unwrap_or_default().join("\n")
    )
}

fn shown(name: &str, output: &Output) {
    filters().bind(|| assert_snapshot!(name, message(output)));
}

#[test]
fn the_server_is_missing() {
    let mut args = vec!["investigate", "--mcp-command", "no-such-kubeshark mcp"];
    args.extend(WINDOW);
    shown("server missing", &Rca::new().run(&args));
}

#[test]
fn the_tools_of_the_hub_are_missing() {
    shown("hub tools missing", &rehearse("hub-tools-missing"));
}

#[test]
fn the_token_is_wrong() {
    let rca = Rca::new();
    let hub = HttpHub::start(&rca, Some("right"));
    let mut args = vec!["investigate", "--mcp-url", &hub.url];
    args.extend(WINDOW);
    let mut command = rca.command(&args);
    command.env("KUBESHARK_HUB_TOKEN", "wrong");
    let output = rca.finish(&mut command);
    let mut settings = filters();
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT");
    settings.bind(|| assert_snapshot!("wrong token", message(&output)));
}

#[test]
fn the_role_is_viewer() {
    shown("viewer role", &rehearse("viewer-role"));
}

#[test]
fn raw_capture_is_off() {
    shown("raw capture off", &rehearse("raw-capture-off"));
}

#[test]
fn the_snapshot_fails() {
    shown("snapshot fails", &rehearse("snapshot-fails"));
}

#[test]
fn the_dissection_fails() {
    shown("dissection fails", &rehearse("dissection-fails"));
}

#[test]
fn the_child_dies_half_way() {
    // Once is survived: the server is started anew. It dies again at the same place.
    shown("child dies", &rehearse("dies-after:4"));
}

#[test]
fn an_answer_has_twelve_megabytes() {
    let output = rehearse("huge-answer");
    filters().bind(|| assert_snapshot!("huge answer", output));
}

#[test]
fn an_answer_is_malformed() {
    let output = rehearse("malformed-json");
    filters().bind(|| assert_snapshot!("malformed answer", output));
}

#[test]
fn snapshots_hold_no_packet() {
    let output = rehearse("empty-window");
    assert_eq!(output.status, 3, "{output}");
    filters().bind(|| assert_snapshot!("empty window", output));
}

fn asked(since: &str, until: &str) -> Output {
    let capture = short();
    Rca::new().run(&[
        "investigate",
        "--capture",
        &capture,
        "--since",
        since,
        "--until",
        until,
        "--now",
        "2026-11-23T02:30:00Z",
        "--no-input",
        "--format",
        "md",
    ])
}

#[test]
fn the_window_is_partly_outside_the_data() {
    let output = asked("2026-11-23T01:30:00Z", "2026-11-23T01:34:30Z");
    assert!(output.stdout.contains("Not seen: of the window"), "{output}");
    filters().bind(|| assert_snapshot!("window partly outside", output.stdout));
}

#[test]
fn the_window_is_wholly_outside_the_data() {
    let before = asked("2026-11-22T10:00:00Z", "2026-11-22T10:30:00Z");
    let after = asked("2026-11-23T02:00:00Z", "2026-11-23T02:20:00Z");
    assert_eq!((before.status, after.status), (3, 3));
    filters().bind(|| assert_snapshot!("window outside", format!("{}\n\n{}", before.stdout, after.stdout)));
}

#[test]
fn a_workload_that_was_never_captured_is_no_data() {
    let capture = short();
    let mut args = vec![
        "investigate",
        "--capture",
        &capture,
        "--service",
        "shop/recommendations",
        "--format",
        "md",
    ];
    args.extend(WINDOW);
    let output = Rca::new().run(&args);
    assert_eq!(output.status, 3, "{output}");
    assert!(
        output
            .stdout
            .contains("nothing to shop/recommendations is in the snapshot"),
        "{output}"
    );
}

#[test]
fn a_spent_budget_ends_in_a_report() {
    let capture = short();
    let mut args = vec![
        "investigate",
        "--capture",
        &capture,
        "--budget-calls",
        "14",
        "--format",
        "md",
    ];
    args.extend(WINDOW);
    let output = Rca::new().run(&args);
    assert_eq!(output.status, 3, "{output}");
    filters().bind(|| assert_snapshot!("budget spent", output));
}

#[test]
fn captures_that_are_damaged() {
    let rca = Rca::new();
    let mut whole = Vec::new();
    let compressed = std::fs::read(format!("{}/node-1.pcap.zst", short())).unwrap();
    std::io::Read::read_to_end(
        &mut ruzstd::decoding::StreamingDecoder::new(compressed.as_slice()).unwrap(),
        &mut whole,
    )
    .unwrap();
    std::fs::write(rca.dir().join("truncated.pcap"), &whole[..whole.len() / 2 + 7]).unwrap();
    let rubbish: Vec<u8> = (0..20_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    std::fs::write(rca.dir().join("rubbish.pcap"), rubbish).unwrap();
    std::fs::write(rca.dir().join("empty.pcap"), []).unwrap();
    let mut shown = String::new();
    for name in ["rubbish.pcap", "empty.pcap", "truncated.pcap"] {
        let mut args = vec!["investigate", "--capture", name, "--format", "md"];
        args.extend(WINDOW);
        let output = rca.run(&args);
        let head: Vec<&str> = output.stdout.lines().take(12).collect();
        shown.push_str(&format!(
            "$ {name}\n{}\n{}\n\n",
            message(&output),
            head.join("\n")
        ));
    }
    filters().bind(|| assert_snapshot!("damaged captures", shown));
}
