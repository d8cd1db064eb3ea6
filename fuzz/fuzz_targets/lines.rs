//! Any bytes as a file of calls: every line is a sound call or left out with a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rca_agent::hub::entry::Payload;
use rca_agent::hub::lines::{self, MAX_LINE_BYTES};
use rca_agent::hub::{Capture, Hub, Options};
use serde_json::{Map, Value, json};

fuzz_target!(|data: &[u8]| {
    let Ok(file) = lines::read("fuzz", data) else {
        return;
    };
    assert!(!file.calls.is_empty() && file.calls.len() <= data.len());
    for call in &file.calls {
        assert!(call.entry.elapsed_us.is_none_or(|us| us >= 0));
        let Payload::Line(line) = &call.entry.payload else {
            panic!("{call:?}");
        };
        assert!(line.bytes as usize <= MAX_LINE_BYTES);
        assert!(line.failed(call.entry.elapsed_us) || line.trouble(call.entry.elapsed_us).is_none());
        for body in line.bodies().into_iter().flatten() {
            assert!(body.kept.len() as u64 <= body.size);
        }
    }
    // and the tools can tell them
    let hub = Hub::new(
        Capture::of_lines("fuzz", file).expect("few nodes"),
        Options::default(),
    );
    let ask = |tool: &str, arguments: Value| {
        let arguments: Map<String, Value> = serde_json::from_value(arguments).expect("an object");
        hub.call(tool, arguments).expect("an answer")
    };
    ask(
        "create_snapshot",
        json!({"name": "all", "start_time": 0, "end_time": 4_102_444_800_000_i64}),
    );
    ask("start_snapshot_dissection", json!({"snapshot_id": "all"}));
    ask(
        "list_api_calls",
        json!({"snapshot_id": "all", "format": "raw", "kfl": "http || status_code != 0"}),
    );
    ask("list_api_calls", json!({"snapshot_id": "all", "format": "raw"}));
    for tool in [
        "get_api_stats",
        "list_l4_flows",
        "get_l4_flow_summary",
        "list_workloads",
        "list_ips",
    ] {
        ask(tool, json!({"snapshot_id": "all"}));
    }
});
