//! Pages to look at: of recorded captures, of a report with planted text in every field, of the largest report.

use std::{process::Command, sync::OnceLock};

use rca_agent::{
    report::{self, Report},
    time::{Clock, HourStyle},
};
use serde_json::{Value, json};

/// The captures that are looked at: another kind of fault each, and an hour without one.
const CAPTURES: &[(&str, &str, &str)] = &[
    ("checkout-502", "2026-11-23T01:33:00Z", "2026-11-23T01:39:00Z"),
    ("slow-a", "2026-11-25T23:22:00Z", "2026-11-25T23:25:00Z"),
    ("node-fault-a", "2026-11-25T23:28:00Z", "2026-11-25T23:31:00Z"),
    ("bad-replica-a", "2026-11-25T23:22:00Z", "2026-11-25T23:25:00Z"),
    ("healthy-b", "2026-11-25T23:42:00Z", "2026-11-25T23:45:00Z"),
];

/// Runs an investigation of a capture: (the page on stdout, report.json, the page made again by a replay).
fn investigated(name: &str, since: &str, until: &str, more: &[&str]) -> (String, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_rca-agent"))
            .args(args)
            .current_dir(dir.path())
            .env_clear()
            .env("TZ", "Asia/Jerusalem")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let capture = format!("{}/evals/captures/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut args = vec![
        "investigate",
        "what broke?",
        "--capture",
        &capture,
        "--since",
        since,
        "--until",
        until,
        "--now",
        until,
        "--no-input",
        "-q",
        "--format",
        "html",
        "--out",
        "out",
    ];
    args.extend(more);
    let page = run(&args);
    let report = std::fs::read_to_string(dir.path().join("out/report.json")).unwrap();
    let case: Value = serde_json::from_str(&report).unwrap();
    let again = run(&["replay", case["case"].as_str().unwrap(), "--format", "html"]);
    (page, report, again)
}

/// The pages of five captures, each made once.
pub(crate) fn captures() -> &'static [(&'static str, String)] {
    &made().0
}

/// report.json of the first capture.
pub(crate) fn report() -> Report {
    serde_json::from_str(&made().1).unwrap()
}

fn made() -> &'static (Vec<(&'static str, String)>, String) {
    static PAGES: OnceLock<(Vec<(&str, String)>, String)> = OnceLock::new();
    PAGES.get_or_init(|| {
        let mut reports = Vec::new();
        let pages = CAPTURES
            .iter()
            .map(|(name, since, until)| {
                let known: &[&str] = if *name == "slow-a" {
                    &["--dashboard", "https://kubeshark.example.com/"]
                } else {
                    &[]
                };
                let (page, report, again) = investigated(name, since, until, known);
                assert!(page == again, "{name}: a replay makes other bytes");
                reports.push(report);
                (*name, page)
            })
            .collect();
        (pages, reports.remove(0))
    })
}

pub(crate) fn clock() -> Clock {
    Clock {
        zone: "Asia/Jerusalem".parse().unwrap(),
        now: "2026-11-23T02:30:00Z".parse().unwrap(),
        hours: HourStyle::TwentyFour,
    }
}

/// Text that would run, break out of what it stands in, fetch something, or hide what follows.
const PLANTED: &str = concat!(
    "<script>window.pwned=1;parent.pwned=1</script><img src=x onerror=\"window.pwned=1\">",
    "\"'><svg onload=window.pwned=1><a href=\"javascript:window.pwned=1\">x</a></style></title></pre><!-- ",
    "`<b>` ]]> \u{202e}reversed\u{1b}[31m <iframe src=https://evil.example/> &lt;script&gt; ",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
);

/// Words of the schema: another text there is no report.
const FIXED: &[&str] = &[
    "verdict",
    "confidence",
    "kind",
    "role",
    "about",
    "claim",
    "holds",
    "money",
];
/// What pictures and links hang on; planted in one of the pages.
const HOLDING: &[&str] = &[
    "id",
    "evidence",
    "start",
    "end",
    "at",
    "onset",
    "ended",
    "first_abnormal",
    "minutes_from",
    "created",
];

fn plant(value: &mut Value, key: &str, spare: &[&str]) {
    match value {
        Value::String(text) if !spare.contains(&key) => PLANTED.clone_into(text),
        Value::Array(list) => list.iter_mut().for_each(|value| plant(value, key, spare)),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                plant(value, key, spare);
            }
        }
        // What may be text is text.
        Value::Null
            if ![
                "onset",
                "ended",
                "first_abnormal",
                "median_us",
                "p95_us",
                "entries",
                "captured",
                "dissected",
                "over_time",
                "holds",
                "money",
            ]
            .contains(&key) =>
        {
            *value = Value::from(PLANTED);
        }
        _ => {}
    }
}

/// A model's part with something in every list.
fn opinion() -> Value {
    let ids = json!(["E6"]);
    json!({
        "name": "m", "away": "a",
        "prose": [{ "about": "cause", "text": "t", "evidence": ids }],
        "dropped": ["d"],
        "readings": [{ "quote": "q", "meaning": "m", "evidence": ids }],
        "hypotheses": [{
            "service": "s", "namespace": "n", "kind": "slow", "because": "b", "refuted_by": "r", "evidence": ids
        }],
        "conclusion": {
            "service": "s", "namespace": "n", "kind": "slow", "why": "w", "evidence": ids, "agrees": false,
            "holds": true, "decides": [{ "what": "w", "evidence": ids }]
        },
        "objections": [{ "claim": "other", "service": "s", "text": "t", "holds": null, "evidence": ids }]
    })
}

/// Pages with planted text in every field: one whose pictures are still drawn, one whose times and ids are planted too.
pub(crate) fn hostile() -> Vec<(&'static str, String)> {
    let spare_all: Vec<&str> = FIXED.iter().chain(HOLDING).copied().collect();
    [("texts", spare_all.as_slice()), ("everything", FIXED)]
        .into_iter()
        .map(|(name, spare)| {
            let mut report = serde_json::to_value(report()).unwrap();
            report["model"] = opinion();
            report["cost"]["roles"] = json!([{
                "role": "write", "calls": 2, "failed": 1, "rejected": 1, "requests": 3, "tokens_in": 900,
                "tokens_out": 80, "estimated": true
            }]);
            let first = report["evidence"][0]["facts"].clone();
            plant(&mut report, "", spare);
            // Names of facts and arguments are the server's, too.
            for evidence in report["evidence"].as_array_mut().unwrap() {
                evidence["facts"] = json!({ PLANTED: first, "text": PLANTED });
                evidence["arguments"] = json!({ PLANTED: PLANTED, "kfl": PLANTED });
            }
            report["refusals"] = json!([{ "guard": PLANTED, "why": PLANTED, "times": 3 }]);
            report["attachments"] = json!([{ "file": PLANTED, "what": PLANTED, "sha256": PLANTED }]);
            report["root_causes"][0]["factors"] = json!([{
                "dimension": PLANTED, "value": PLANTED, "failing": 9, "failing_of": 9, "good": 1, "good_of": 9, "lift": 5.1
            }]);
            for list in ["because", "next"] {
                report[list] = json!([PLANTED, PLANTED]);
            }
            report["coverage"]["not_seen"] = json!([PLANTED]);
            let report: Report = serde_json::from_value(report).unwrap();
            (name, report::page(&report, &clock()))
        })
        .collect()
}

/// A page of a report with as much of everything as a run could ever leave.
pub(crate) fn largest() -> String {
    let mut report = serde_json::to_value(report()).unwrap();
    let long = "a long sentence about what was seen, with numbers and <names>. ".repeat(6);
    for list in ["timeline", "ruled_out", "impact", "evidence", "path"] {
        let first = report[list][0].clone();
        let entries = report[list].as_array_mut().unwrap();
        for at in entries.len()..400 {
            let mut entry = first.clone();
            for (key, value) in entry.as_object_mut().unwrap() {
                match key.as_str() {
                    "what" | "reason" | "excerpt" => *value = Value::from(long.clone()),
                    "id" => *value = Value::from(format!("E{}", at + 1)),
                    "evidence" => *value = (1..40).map(|n| Value::from(format!("E{}", n * 9))).collect(),
                    _ => {}
                }
            }
            entries.push(entry);
        }
    }
    report["coverage"]["truncated"] = (0..400).map(|_| Value::from(long.clone())).collect();
    report["refusals"] = (0..400)
        .map(|_| json!({ "guard": "budget", "why": long, "times": 1 }))
        .collect();
    report::page(&serde_json::from_value(report).unwrap(), &clock())
}
