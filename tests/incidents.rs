//! Published incidents as calls in JSON lines, served whole and compared with their files.
//!
//! Skipped, with a word about it, where they are not beside the repository.
#![expect(clippy::expect_used, reason = "a test that finds its premise broken ends")]
#![expect(clippy::print_stdout, reason = "the figures are what this test is read for")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

use flate2::read::GzDecoder;
use rca_agent::hub::{Capture, Hub, Options};
use rca_agent::wire::decode;
use serde_json::{Value, json};

/// Cases that are compared row by row; all are opened.
const COMPARED: usize = 2;

fn cases() -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/datasets/online-boutique");
    let Ok(listed) = fs::read_dir(&folder) else {
        println!("skipped: there is no {}", folder.display());
        return None;
    };
    let mut cases: Vec<PathBuf> = listed
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("calls.jsonl.gz").is_file())
        .collect();
    cases.sort();
    Some(cases)
}

fn rows(case: &Path) -> Vec<Value> {
    let file = File::open(case.join("calls.jsonl.gz")).expect("the calls of the case");
    BufReader::new(GzDecoder::new(file))
        .lines()
        .map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"))
        .collect()
}

fn ask(hub: &Hub, tool: &str, arguments: Value) -> Value {
    let arguments = serde_json::from_value(arguments).expect("an object");
    let text = hub.call(tool, arguments).expect("an answer");
    serde_json::from_str(&text).expect("JSON")
}

/// Everything as a dissected snapshot; without a runtime a hub does its jobs at once.
fn dissected(hub: &Hub) {
    let bounds = ask(hub, "get_data_boundaries", json!({}));
    let (start, end) = (&bounds["cluster"]["oldest_ts"], &bounds["cluster"]["newest_ts"]);
    let whole = json!({"name": "all", "start_time": start, "end_time": end});
    ask(hub, "create_snapshot", whole);
    ask(hub, "start_snapshot_dissection", json!({"snapshot_id": "all"}));
}

#[test]
fn every_incident_is_served_whole() {
    let Some(cases) = cases() else { return };
    for (number, case) in cases.iter().enumerate() {
        let began = Instant::now();
        // The directory, so that the truth beside the calls is there to be ignored.
        let capture = Capture::open(case).expect("a capture");
        assert_eq!(capture.problems, Vec::<String>::new(), "{}", case.display());
        let opened = began.elapsed();
        let hub = Hub::new(capture, Options::default());
        dissected(&hub);
        let status = ask(
            &hub,
            "get_snapshot_dissection_status",
            json!({"snapshot_id": "all"}),
        );
        let counts = status["stats"]["protocol_counts"].clone();
        println!(
            "{}: {} calls opened in {:.2} s, served after {:.2} s: {counts}",
            case.file_name().unwrap_or_default().display(),
            status["stats"]["entries_created"],
            opened.as_secs_f64(),
            began.elapsed().as_secs_f64()
        );
        if number >= COMPARED {
            continue;
        }
        let rows = rows(case);
        assert_eq!(status["stats"]["entries_created"], json!(rows.len()));
        let mut by_protocol: BTreeMap<&str, u64> = BTreeMap::from([("http", 0), ("dns", 0), ("tcp", 0)]);
        for row in &rows {
            *by_protocol
                .entry(row["protocol"].as_str().expect("a protocol"))
                .or_default() += 1;
        }
        assert_eq!(counts, json!(by_protocol));
        compare(&hub, &rows);
    }
    assert!(cases.len() > 20, "only {} cases", cases.len());
}

/// The oldest thousand calls of every protocol, as a client reads them, against the lines.
fn compare(hub: &Hub, rows: &[Value]) {
    for protocol in ["http", "grpc", "mysql"] {
        let asked = json!({"snapshot_id": "all", "kfl": protocol, "limit": 1000, "format": "full"});
        let list = decode::calls(&ask(hub, "list_api_calls", asked)).expect("a list of calls");
        assert_eq!(list.unreadable, 0);
        let mut expected: Vec<&Value> = rows.iter().filter(|row| row["protocol"] == protocol).collect();
        expected.sort_by_key(|row| row["ts_us"].as_i64());
        assert_eq!(list.total, u64::try_from(expected.len()).ok());
        for (call, row) in list.calls.iter().zip(expected) {
            assert_eq!(
                call.ts.timestamp_millis(),
                row["ts_us"].as_i64().expect("a time") / 1000
            );
            assert_eq!(call.elapsed_us, row["latency_us"].as_i64());
            assert_eq!(call.server_elapsed_us, row["server_latency_us"].as_i64());
            assert_eq!((call.path.as_deref(), call.status), (row["path"].as_str(), None));
            let src = row["src"].as_str().filter(|name| *name != "external");
            assert_eq!((call.src.service.as_deref(), &call.src.ip), (src, &None));
            assert_eq!(call.dst.service.as_deref(), row["dst"].as_str());
        }
    }
}
