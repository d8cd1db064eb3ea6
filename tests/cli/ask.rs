//! One question, one fresh query.

use crate::{
    routes::HttpHub,
    runner::{Output, Rca, filters, program, short},
};

const NOW: &[&str] = &["--now", "2026-11-23T02:30:00Z"];

fn ask(rca: &Rca, question: &str, flags: &[&str]) -> Output {
    let capture = short();
    let mut all = vec!["ask", question, "-q", "--no-input", "--capture", &capture];
    all.extend(NOW);
    all.extend(flags);
    rca.run(&all)
}

fn shown(name: &str, output: &Output) {
    let mut settings = filters();
    settings.add_filter(r"rca-ask-\d+", "rca-ask-[time]");
    settings.bind(|| insta::assert_snapshot!(name, output.to_string()));
}

#[test]
fn the_examples_of_the_skill_are_answered_without_a_model() {
    let rca = Rca::new();
    shown("ask 500", &ask(&rca, "Show me all 500 errors", &[]));
    shown(
        "ask slowest",
        &ask(&rca, "What are the slowest API calls?", &["--rows", "5"]),
    );
    shown(
        "ask DNS",
        &ask(&rca, "Any DNS failures?", &["--tz", "America/New_York"]),
    );
    shown(
        "ask hitting",
        &ask(&rca, "What's hitting the inventory service?", &["--rows", "3"]),
    );
    let told = ask(
        &rca,
        "Show traffic from namespace shop to kube-system",
        &["--json"],
    )
    .json();
    assert_eq!(
        told["filter"],
        "src.pod.namespace == \"shop\" && dst.pod.namespace == \"kube-system\""
    );
    assert_eq!(told["exact"], true, "{told}");
}

#[test]
fn counts_are_exact_and_rows_belong_to_the_filter() {
    let rca = Rca::new();
    let told = ask(&rca, "errors in checkout", &["--json", "--rows", "999"]).json();
    let total = told["total"].as_u64().unwrap();
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(total, rows.len() as u64, "{told}");
    assert!(
        rows.iter()
            .all(|row| row["to"] == "checkout" || row["to"] == "shop/checkout"),
        "{told}"
    );
    let bins: u64 = told["over_time"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bin| bin["calls"].as_u64().unwrap())
        .sum();
    assert_eq!(bins, total, "the chart holds every call");
    let filter = told["filter"].as_str().unwrap();
    let counted = rca
        .run(&["kfl", "count", filter, "--capture", &short(), "--json", "-q"])
        .json();
    assert_eq!(counted["total"], total);
    // By way of a child process and over HTTP it is the same.
    let hub = format!("{} hub {}", program(), short());
    let http = HttpHub::start(&rca, None);
    for source in [["--mcp-command", &hub], ["--mcp-url", &http.url]] {
        let window = [
            "--since",
            "2026-11-23T01:33:40Z",
            "--until",
            "2026-11-23T01:34:40Z",
        ];
        let mut args = vec!["ask", "errors in checkout", "--json", "-q", "--no-input"];
        args.extend(source);
        args.extend(window);
        args.extend(NOW);
        assert_eq!(rca.run(&args).json()["total"], total);
    }
    // A time in the question is the window.
    let told = ask(&rca, "errors in checkout since 2026-11-23T01:34:20Z", &["--json"]).json();
    assert!(told["total"].as_u64().unwrap() < total, "{told}");
}

#[test]
fn nothing_found_has_a_control() {
    let rca = Rca::new();
    shown("ask nothing", &ask(&rca, "any 418 responses?", &[]));
    // Nothing of that kind is in the snapshot: whether it is captured at all, other calls do not tell.
    let told = ask(&rca, "kafka errors", &[]);
    assert_eq!(told.status, 3, "{told}");
    shown("ask nothing of its kind", &told);
    // What is asked of two parties is held against their own calls.
    let told = ask(&rca, "calls from gateway to cart slower than 30 s", &["--json"]).json();
    assert_eq!(
        told["control"]["filter"],
        "http && src.service.name == \"gateway\" && dst.service.name == \"cart\""
    );
}

#[test]
fn what_cannot_be_answered_says_what_to_do() {
    let rca = Rca::new();
    shown("ask unclear", &ask(&rca, "please help", &[]));
    shown("ask unknown words", &ask(&rca, "frobnicate the whatsit", &[]));
    shown(
        "ask unknown name",
        &ask(&rca, "errors in the chekout service", &[]),
    );
    shown(
        "ask wrong filter",
        &ask(&rca, "whatever", &["--kfl", "http && response.status == 500"]),
    );
    let own = ask(
        &rca,
        "whatever",
        &["--kfl", "http && status_code == 502", "--json"],
    )
    .json();
    assert_eq!(own["filter"], "http && status_code == 502");
}

#[test]
fn packets_are_exported_where_they_are_asked_for_outright() {
    let rca = Rca::new();
    let told = ask(
        &rca,
        "give me a pcap of the postgres service for wireshark",
        &["--json"],
    )
    .json();
    assert_eq!(told["bpf"], "host 10.1.3.16 or host 10.96.10.204", "{told}");
    assert!(rca.dir().join(told["file"].as_str().unwrap()).exists());
}

#[test]
fn both_routes_meet_in_one_case() {
    let rca = Rca::new();
    let capture = short();
    let mut args = vec![
        "investigate",
        "why did it break? and a pcap, please",
        "--capture",
        &capture,
        "-q",
        "--format",
        "json",
    ];
    args.extend(crate::runner::WINDOW);
    let report = rca.run(&args).json();
    assert_eq!(report["root_causes"][0]["service"], "postgres");
    let file = report["attachments"][0]["file"].as_str().unwrap();
    assert!(rca.case().join(file).exists(), "{report}");
}
