use std::io::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::hub::call::Parts;
use crate::hub::entry::{Entry, Payload};
use crate::kfl::FieldId;
use crate::kfl::record;

/// A sound line with these keys put over it; null takes one away.
fn line(over: &Value) -> Value {
    let mut line = json!({"ts_us": 1_661_140_339_209_875_i64, "src": "frontend", "dst": "cartservice", "protocol": "http",
        "method": "GET", "path": "/cart", "status": 200, "latency_us": 5_000});
    for (key, value) in over.as_object().unwrap() {
        line[key] = value.clone();
    }
    line
}

fn parsed(over: &Value) -> Result<Parsed, Refusal> {
    Reader::default().line(line(over).to_string().as_bytes())
}

fn call(parsed: &Parsed) -> &LineCall {
    match &parsed.entry.payload {
        Payload::Line(line) => line,
        other => panic!("{other:?}"),
    }
}

fn refused(over: &Value) -> String {
    let refusal = parsed(over).unwrap_err();
    format!("{}: {}", refusal.what, refusal.detail)
}

fn field(parsed: &Parsed, field: FieldId) -> Option<record::Value<'_>> {
    // Leaked, as the value borrows from what is derived.
    let parts: &'static Parts = Box::leak(Box::new(Parts::of(&mut parsed.entry.payload.clone())));
    call(parsed).field(&parsed.entry, parts, field)
}

#[test]
fn a_line_of_a_published_incident_is_read_and_what_an_agent_cannot_see_is_not() {
    let published = br#"{"ts_us":1661140339210020,"src":"frontend","dst":"productcatalogservice","protocol":"grpc",
        "method":"POST","path":"/hipstershop.ProductCatalogService/GetProduct","status":null,"latency_us":5074,
        "server_latency_us":3193,"trace_id":"8b51e","span_id":"81bb8","parent_id":"69f0a","error":null,"phase":"injected"}"#;
    let read = Reader::default().line(published).unwrap();
    let call = call(&read);
    assert_eq!(
        (read.entry.ts_us, read.entry.elapsed_us),
        (1_661_140_339_210_020, Some(5_074))
    );
    assert_eq!(
        (call.status, call.server_elapsed_us, &call.details),
        (None, Some(3_193), &None)
    );
    assert_eq!(
        (&*call.src.service, &*call.src.namespace),
        ("frontend", "default")
    );
    assert!(!format!("{read:?}").contains("8b51e") && !format!("{read:?}").contains("injected"));
}

#[test]
fn external_is_outside_and_has_no_name() {
    let outside = parsed(&json!({"src": "external", "namespace": "shop"})).unwrap();
    assert_eq!(*call(&outside).src, Party::default());
    assert_eq!(call(&outside).dst.namespace, "shop");
    assert!(outside.entry.src.ip.is_unspecified(), "no address is made up");
    let host = parsed(&json!({"dst": {"service": "api.bank.example", "namespace": ""}, "namespace": "shop"}))
        .unwrap();
    assert_eq!(
        (&*call(&host).dst.service, &*call(&host).dst.namespace),
        ("api.bank.example", "")
    );
}

#[test]
fn an_end_may_be_told_in_full() {
    let full = parsed(
        &json!({"dst": {"service": "cart", "pod": "cart-1", "namespace": "shop", "node": "n2",
        "ip": "10.0.0.7", "port": 8080, "labels": {"app": "cart"}}, "src": {"ip": "203.0.113.9"}}),
    )
    .unwrap();
    let (src, dst) = (&call(&full).src, &call(&full).dst);
    assert_eq!(
        (full.entry.dst.ip.to_string(), &*dst.pod, &*dst.node),
        ("10.0.0.7".to_owned(), "cart-1", "n2")
    );
    assert_eq!(dst.labels, [("app".to_owned(), "cart".to_owned())]);
    assert_eq!((&*src.namespace, src.is_named()), ("", false));
    assert_eq!(
        full.node.as_deref(),
        Some("n2"),
        "the server's node where the client's is not told"
    );
    let client =
        parsed(&json!({"src": {"pod": "a", "node": "n1"}, "dst": {"pod": "b", "node": "n2"}})).unwrap();
    assert_eq!(client.node.as_deref(), Some("n1"));
    assert_eq!(
        parsed(&json!({"node": "n3"})).unwrap().node.as_deref(),
        Some("n3")
    );
}

#[test]
fn no_status_is_no_missing_response() {
    for (over, unanswered, failed, code) in [
        (json!({"status": null}), false, false, Some(-1)),
        (json!({"status": null, "latency_us": null}), true, true, None),
        (json!({"status": 0}), true, true, Some(0)),
        (json!({"status": 503}), false, true, Some(503)),
        (json!({"status": 200, "error": "reset"}), false, true, Some(200)),
        (
            json!({"protocol": "grpc", "status": null}),
            false,
            false,
            Some(-1),
        ),
        (
            json!({"protocol": "grpc", "status": null, "fields": {"grpc_status": 14}}),
            false,
            true,
            Some(-1),
        ),
        (json!({"protocol": "dns", "status": 3}), false, true, Some(3)),
        (json!({"protocol": "dns", "status": null}), false, false, None),
        (json!({"protocol": "mysql", "status": null}), false, false, None),
        (
            json!({"protocol": "mysql", "status": null, "latency_us": null}),
            true,
            true,
            None,
        ),
        (
            json!({"protocol": "kafka", "status": null, "latency_us": null}),
            false,
            false,
            None,
        ),
    ] {
        let read = parsed(&over).unwrap();
        let told = (
            call(&read).unanswered(read.entry.elapsed_us),
            call(&read).failed(read.entry.elapsed_us),
        );
        assert_eq!(told, (unanswered, failed), "{over}");
        assert_eq!(
            field(&read, FieldId::STATUS_CODE),
            code.map(record::Value::Int),
            "{over}"
        );
    }
}

#[test]
fn fields_are_checked_against_the_table_and_filtered_by() {
    let deadlock = parsed(
        &json!({"protocol": "postgresql", "status": null, "fields": {"postgresql_success": false,
        "postgresql_error_code": "40P01", "postgresql_query": "UPDATE stock", "request_body_size": null}}),
    )
    .unwrap();
    assert_eq!(
        field(&deadlock, FieldId::POSTGRESQL),
        Some(record::Value::Bool(true))
    );
    assert_eq!(
        field(&deadlock, FieldId::POSTGRESQL_ERROR_CODE),
        Some(record::Value::Str("40P01"))
    );
    assert_eq!(field(&deadlock, FieldId::HTTP), None);
    assert_eq!(
        call(&deadlock).trouble(Some(1)).as_deref(),
        Some("SQLSTATE 40P01")
    );
    let both = parsed(
        &json!({"protocol": "grpc", "fields": {"http": true, "kafka_api_key_name": "Produce",
        "dns_answers": ["10.0.0.1"], "local_labels": {"app": "x"}, "tcp_payload": "abc"}}),
    );
    assert_eq!(
        field(&both.unwrap(), FieldId::HTTP),
        Some(record::Value::Bool(true))
    );
    insta::assert_snapshot!(refused(&json!({"fields": {"grpc_stauts": 14}})), @r#"unknown field: KFL has no field "grpc_stauts""#);
    insta::assert_snapshot!(refused(&json!({"fields": {"grpc_status": "14"}})), @"wrong type: the field `grpc_status` is of type int");
    insta::assert_snapshot!(refused(&json!({"fields": {"dns_answers": [1]}})), @"wrong type: the field `dns_answers` is of type list<string>");
    insta::assert_snapshot!(refused(&json!({"fields": {"timestamp": "2026-01-01T00:00:00Z"}})), @"wrong type: the time of a call is its `ts_us`");
}

#[test]
fn a_connection_is_told_by_its_metrics_or_by_a_word() {
    let refusal = parsed(
        &json!({"protocol": "tcp_flow", "status": null, "tcp_metrics": {"connection_completeness": 33,
        "retransmission_rate": 0.25, "rst_count": 1}}),
    )
    .unwrap();
    assert_eq!(
        field(&refusal, FieldId::TCP_ERROR_TYPE),
        Some(record::Value::Str("refused"))
    );
    assert_eq!(
        field(&refusal, FieldId::TCP_FLOW),
        Some(record::Value::Bool(true))
    );
    assert!(call(&refusal).failed(None));
    let word = parsed(&json!({"protocol": "tcp", "fields": {"tcp_error_type": "reset"}})).unwrap();
    assert_eq!(call(&word).connection().error, "reset");
    let plain = parsed(&json!({"protocol": "tcp_conn"})).unwrap();
    assert_eq!(
        (call(&plain).connection().error, call(&plain).connection().state),
        ("", "")
    );
    insta::assert_snapshot!(refused(&json!({"protocol": "tcp", "tcp_metrics": {"rtt": 1}})), @r#"unknown field: there is no TCP metric "rtt""#);
    insta::assert_snapshot!(refused(&json!({"protocol": "tcp", "tcp_metrics": {"rst_count": -1}})), @"wrong type: the TCP metric `rst_count` is a whole number from 0");
    insta::assert_snapshot!(refused(&json!({"tcp_metrics": {}})), @"unknown field: `tcp_metrics` are of a `tcp_flow`, not of `http`");
}

#[test]
fn headers_and_bodies_are_kept_within_the_limits_of_packets() {
    let big = "x".repeat(100_000);
    let read = parsed(
        &json!({"path": "/cart?user=7", "request_headers": {"Host": "cart:8080", "Via": ["a", "b"]},
        "response_headers": {"Content-Length": 2}, "request_body": big, "response_body": "ok"}),
    )
    .unwrap();
    let [Some(request), Some(response)] = call(&read).bodies() else {
        panic!("{read:?}")
    };
    assert_eq!(
        (request.kept.len(), request.size, &*response.kept),
        (64 << 10, 100_000, &b"ok"[..])
    );
    assert_eq!(field(&read, FieldId::PATH), Some(record::Value::Str("/cart")));
    assert_eq!(
        field(&read, FieldId::URL),
        Some(record::Value::Str("http://cart:8080/cart?user=7"))
    );
    let Some(record::Value::Map(headers)) = field(&read, FieldId::REQUEST_HEADERS) else {
        panic!("{read:?}")
    };
    assert_eq!(headers.iter().filter(|(name, _)| name == "via").count(), 2);
}

#[test]
fn what_is_no_call_is_refused_with_the_reason() {
    insta::assert_snapshot!(refused(&json!({"ts_us": 1_661_140_339})), @"impossible time: `ts_us` is 1661140339, which as Unix µs is not between 1990 and 2100");
    insta::assert_snapshot!(refused(&json!({"ts_us": u64::MAX})), @"impossible time: `ts_us` is 9223372036854775807, which as Unix µs is not between 1990 and 2100");
    insta::assert_snapshot!(refused(&json!({"latency_us": -1})), @"impossible time: `latency_us` is -1, which as µs is not between 0 and a week");
    insta::assert_snapshot!(refused(&json!({"server_latency_us": 1e300})), @"impossible time: `server_latency_us` is 9223372036854775807, which as µs is not between 0 and a week");
    insta::assert_snapshot!(refused(&json!({"status": 1000})), @"wrong type: `status` is 1000, which is no status");
    insta::assert_snapshot!(refused(&json!({"status": "200"})), @r#"not of this format: invalid type: string "200", expected a number at line 1 column 125"#);
    insta::assert_snapshot!(refused(&json!({"src": 7})), @"not of this format: invalid type: integer `7`, expected a service's name or an object at line 1 column 33");
    insta::assert_snapshot!(refused(&json!({"dst": {"ip": "10.0.0"}})), @"not of this format: invalid IP address syntax at line 1 column 63");
    insta::assert_snapshot!(refused(&json!({"dst": null})), @"not of this format: invalid type: null, expected a service's name or an object at line 1 column 53");
    insta::assert_snapshot!(refused(&json!({"protocol": "mqtt\u{1b}[2J"})), @r#"unknown protocol: KFL has no protocol "mqtt\u{1b}[2J""#);
    insta::assert_snapshot!(refused(&json!({"dst": "x".repeat(254)})), @"too long: `dst` is longer than 253 bytes");
    let long = vec![b' '; MAX_LINE_BYTES + 1];
    assert_eq!(Reader::default().line(&long).unwrap_err().what, "too long");
    assert_eq!(
        Reader::default().line(b"[]").unwrap_err().what,
        "not of this format"
    );
    let deep = "[".repeat(100_000);
    assert_eq!(
        Reader::default().line(deep.as_bytes()).unwrap_err().what,
        "not of this format"
    );
}

#[test]
fn a_file_is_read_as_far_as_it_goes_and_what_is_left_out_is_counted() {
    let good = line(&json!({})).to_string();
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(3 * MAX_LINE_BYTES));
    let text = format!("{good}\n\n{long}\r\nnot json\n{good}\r\n{{}}\n{good}");
    let file = read("calls.jsonl", text.as_bytes()).unwrap();
    assert_eq!(file.calls.len(), 3);
    insta::assert_snapshot!(file.problems.join("\n"), @"3 of 6 lines of `calls.jsonl` are left out: 2 not of this format (line 4: expected ident at line 1 column 2), 1 too long (line 3: it is longer than 1048576 bytes)");
    insta::assert_snapshot!(read("none.jsonl", &b"\n{}\n"[..]).unwrap_err(), @"`none.jsonl` holds no call; 1 of 1 lines of `none.jsonl` are left out: 1 not of this format (line 2: missing field `ts_us` at line 1 column 2)");
    insta::assert_snapshot!(read("empty.jsonl", &b""[..]).unwrap_err(), @"`empty.jsonl` holds no call");
}

#[test]
fn what_repeats_is_kept_once() {
    let text = format!("{0}\n{0}", line(&json!({})));
    let file = read("x", text.as_bytes()).unwrap();
    let [a, b] = &*file.calls else { panic!("{file:?}") };
    let (a, b) = (call(a), call(b));
    assert!(std::sync::Arc::ptr_eq(&a.path, &b.path) && std::sync::Arc::ptr_eq(&a.dst, &b.dst));
}

#[test]
fn files_are_decompressed_and_damaged_ones_read_up_to_there() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    // Lines that do not compress away, so that half of the file holds some of them.
    let lines: Vec<String> = (0..2_000u64)
        .map(|n| {
            line(&json!({"path": format!("/{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))})).to_string()
        })
        .collect();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(lines.join("\n").as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    std::fs::write(at("a.jsonl.gz"), &packed).unwrap();
    assert_eq!(load(&at("a.jsonl.gz")).unwrap().calls.len(), 2_000);
    std::fs::write(at("cut.jsonl.gz"), &packed[..packed.len() / 2]).unwrap();
    let cut = load(&at("cut.jsonl.gz")).unwrap();
    assert!(
        cut.calls.len() > 100 && cut.calls.len() < 2_000,
        "{}",
        cut.calls.len()
    );
    assert!(cut.problems[0].contains("is damaged"), "{:?}", cut.problems);
    let zstd = ruzstd::encoding::compress_to_vec(
        lines.join("\n").as_bytes(),
        ruzstd::encoding::CompressionLevel::Fastest,
    );
    std::fs::write(at("a.jsonl.zst"), zstd).unwrap();
    assert_eq!(load(&at("a.jsonl.zst")).unwrap().calls.len(), 2_000);
    assert!(matches!(load(&at("none.jsonl")), Err(LinesError::Read { .. })));
    assert!(matches!(
        load(directory.path()),
        Err(LinesError::Read { .. } | LinesError::NoCall { .. })
    ));
}

#[test]
fn names_of_files_tell() {
    assert_eq!(
        (stem("node-1.jsonl.gz"), stem("a.b.jsonl"), stem("x.jsonl.zst")),
        ("node-1", "a.b", "x")
    );
    for other in ["case.json", ".jsonl", "calls.jsonl.xz", "jsonl"] {
        assert!(!is_lines(other), "{other}");
    }
}

/// What must hold of every line that is read.
fn sound(entry: &Entry) {
    assert!(entry.elapsed_us.is_none_or(|us| us >= 0));
    let Payload::Line(line) = &entry.payload else {
        panic!("{entry:?}")
    };
    let parts = Parts::of(&mut entry.payload.clone());
    let failed = line.failed(entry.elapsed_us);
    assert!(failed || line.trouble(entry.elapsed_us).is_none(), "{entry:?}");
    for id in FieldId::all() {
        if let Some(value) = line.field(entry, &parts, id) {
            use crate::kfl::Type;
            use record::Value as V;
            let fits = matches!(
                (id.kind(), value),
                (Type::Bool, V::Bool(_))
                    | (Type::Int, V::Int(_))
                    | (Type::String, V::Str(_))
                    | (Type::Bytes, V::Bytes(_))
                    | (Type::List, V::List(_))
                    | (Type::Map, V::Map(_))
            );
            assert!(fits, "{id} of {entry:?}");
        }
    }
}

/// Any JSON, not too deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "external", "http", "grpc", "tcp_flow", "10.0.0.1", "GET", "/a?b=c"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z_]{1,8}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        if let Ok(file) = read("any", &*bytes) {
            for call in &file.calls {
                sound(&call.entry);
            }
        }
    }

    #[test]
    fn whatever_a_key_holds_the_line_is_a_sound_call_or_refused(
        key in prop::sample::select(vec!["ts_us", "src", "dst", "protocol", "method", "path", "status", "latency_us",
            "server_latency_us", "error", "namespace", "node", "request_headers", "response_headers", "request_body",
            "response_body", "fields", "tcp_metrics", "trace_id"]),
        protocol in prop::sample::select(LineProtocol::names().collect::<Vec<_>>()),
        value in any_json(),
    ) {
        let mut over = json!({"protocol": protocol});
        over[key] = value;
        if let Ok(read) = parsed(&over) {
            sound(&read.entry);
        }
    }

    #[test]
    fn any_field_of_the_table_is_taken_by_its_type(
        number in any::<i64>(), text in "\\PC{0,20}", at in 0..FieldId::all().count(),
        protocol in prop::sample::select(LineProtocol::names().collect::<Vec<_>>()),
        status in prop::option::of(0..=999_u16), latency in prop::option::of(0..10_000_000_i64),
    ) {
        use crate::kfl::Type;
        let id = FieldId::all().nth(at).unwrap();
        let value = match id.kind() {
            Type::Bool => json!(number % 2 == 0),
            Type::Int => json!(number),
            Type::List => json!([text]),
            Type::Map => json!({"key": text}),
            _ => json!(text),
        };
        let over = json!({"protocol": protocol, "status": status, "latency_us": latency, "fields": {id.name(): value}});
        match parsed(&over) {
            Ok(read) => {
                sound(&read.entry);
                prop_assert!(call(&read).given(id).is_some());
            }
            Err(refusal) => prop_assert!(
                matches!(id, FieldId::TIMESTAMP | FieldId::ELAPSED_TIME | FieldId::STATUS_CODE | FieldId::METHOD),
                "{refusal:?}"
            ),
        }
    }
}
