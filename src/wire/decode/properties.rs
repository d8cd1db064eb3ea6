//! What holds for any answer whatever.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

/// Any JSON, biased towards the field names that the decoders look for.
fn arbitrary_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9a-z.:/%-]{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(|n| Value::from(n.to_string())),
        Just(Value::from("1h2m3.5s")),
        Just(Value::from("9".repeat(400))),
    ];
    let name = prop_oneof![
        proptest::sample::select(vec![
            "cluster",
            "nodes",
            "oldest_ts",
            "newest_ts",
            "snapshots",
            "snapshot",
            "id",
            "name",
            "status",
            "success",
            "progress",
            "active",
            "errors",
            "dissections",
            "calls",
            "total",
            "truncated",
            "ts",
            "src",
            "dst",
            "ip",
            "port",
            "pod",
            "latency_ms",
            "elapsed_us",
            "req_headers",
            "tcp_metrics",
            "entry",
            "l4_flow",
            "flows",
            "client",
            "server",
            "workloads",
            "ips",
            "records",
            "timestamp",
            "services",
            "latency_ms",
            "p50",
            "error_rate",
            "path",
            "size",
            "job_id",
            "enabled",
            "duration",
            "created_at",
            "start_ts",
            "end_ts",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    scalar.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The same JSON with every number as a string.
fn numbers_as_strings(value: &Value) -> Value {
    match value {
        Value::Number(n) => Value::from(n.to_string()),
        Value::Array(items) => items.iter().map(numbers_as_strings).collect(),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(k, v)| (k.clone(), numbers_as_strings(v)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// The same JSON with a field that nobody knows in every object.
fn with_unknown_fields(value: &Value, extra: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|v| with_unknown_fields(v, extra)).collect(),
        Value::Object(fields) => {
            let known = fields
                .iter()
                .map(|(k, v)| (k.clone(), with_unknown_fields(v, extra)));
            known
                .chain([("zz_unknown_zz".to_owned(), extra.clone())])
                .collect::<Map<_, _>>()
                .into()
        }
        other => other.clone(),
    }
}

/// An answer with every kind of list, from a few numbers.
fn sample_answer(ms: i64, status: i64, latency: f64, port: u16) -> Value {
    let peer = json!({"ip": "10.0.0.1", "port": port, "pod": "p", "ns": "n"});
    json!({
        "id": "s", "name": "s", "status": "completed", "progress": latency, "job_id": "j", "path": "a/b",
        "size_bytes": status, "start_ts": ms, "end_ts": ms + 1000, "ts": ms, "enabled": true,
        "cluster": {"oldest_ts": ms, "newest_ts": ms + 5}, "nodes": [{"name": "n", "oldest_ts": ms, "newest_ts": ms + 5}],
        "snapshots": [{"id": "a", "status": "completed", "start_ts": ms, "end_ts": ms + 1, "size_bytes": status}],
        "dissections": [{"name": "d", "progress": latency, "active": true, "entry_count": status}],
        "calls": [{"id": "c", "ts": ms, "status": status, "latency_ms": latency, "src": peer, "dst": peer,
                   "tcp_metrics": {"rst_count": status, "retransmission_rate": latency}}],
        "flows": [{"client": peer, "server": peer, "totals": {"bytes": status, "pps": latency}}],
        "workloads": [{"name": "w", "ips": [{"ip": "10.0.0.1", "timestamp": ms}]}],
        "ips": [{"ip": "10.0.0.1", "records": [{"name": "w", "timestamp": ms}]}],
        "services": [{"service": "w", "calls": status, "p50_ms": latency}], "total": status,
    })
}

/// Everything all decoders make of one answer.
fn everything(answer: &Value) -> String {
    format!(
        "{:?}",
        (
            (
                boundaries(answer),
                snapshot(answer),
                snapshots(answer),
                dissection(answer),
                dissections(answer)
            ),
            (
                calls(answer),
                call_detail(answer),
                flows(answer),
                workloads(answer),
                ips(answer),
                stats(answer)
            ),
            (
                export(answer),
                download(answer),
                cloud_storage(answer),
                cloud_job(answer),
                live_dissection(answer)
            ),
            server_status(answer).running,
        )
    )
}

proptest! {
    #[test]
    fn no_json_makes_a_decoder_panic(answer in arbitrary_json()) {
        prop_assert!(!everything(&answer).is_empty());
    }

    #[test]
    fn numbers_as_strings_and_unknown_fields_change_nothing(
        ms in 1_i64..4_000_000_000_000, status in 0_i64..100_000, latency in 0.0_f64..1e6, port: u16,
        extra in arbitrary_json(),
    ) {
        let answer = sample_answer(ms, status, latency, port);
        let expected = everything(&answer);
        prop_assert!(!expected.contains("Err("), "{expected}");
        prop_assert_eq!(&everything(&numbers_as_strings(&answer)), &expected);
        prop_assert_eq!(&everything(&with_unknown_fields(&answer, &extra)), &expected);
    }

    #[test]
    fn decoded_answers_survive_the_journal(ms in 1_i64..4_000_000_000_000, status in 0_i64..100_000, port: u16) {
        let list = calls(&sample_answer(ms, status, 1.5, port)).unwrap();
        let text = serde_json::to_string(&list).unwrap();
        prop_assert_eq!(serde_json::from_str::<CallList>(&text).unwrap(), list);
    }
}
