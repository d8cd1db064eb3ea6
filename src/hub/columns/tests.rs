use std::sync::Arc;

use super::super::assemble;
use super::super::entry::{DnsCall, Endpoint, Entry, HttpCall, Payload, TcpFlow};
use super::super::names::Names;
use super::super::workloads::Inventory;
use super::*;

fn entry(ts_us: i64, payload: Payload) -> Entry {
    let end = |last, port| Endpoint {
        ip: [10, 0, 0, last].into(),
        port,
    };
    Entry {
        stream: 0,
        index: 0,
        ts_us,
        elapsed_us: (ts_us % 2 == 0).then_some(ts_us + 5),
        // Some are called from outside, some by a pod of another node.
        src: end(if ts_us % 3 == 0 { 9 } else { 1 }, 40_000),
        dst: end(2, 80),
        request_seq: 7,
        payload,
    }
}

fn http(target: &str, host: Option<&str>, status: u16) -> Payload {
    let host = host.map(|host| ("Host".to_owned(), host.to_owned()));
    Payload::Http(Box::new(HttpCall {
        target: target.to_owned(),
        status,
        request_headers: host.into_iter().collect(),
        ..HttpCall::default()
    }))
}

fn dns(names: &[&str]) -> Payload {
    let question = |name: &&str| ((*name).to_owned(), "A".to_owned());
    Payload::Dns(Box::new(DnsCall {
        questions: names.iter().map(question).collect(),
        rcode: Some(3),
        ..DnsCall::default()
    }))
}

/// The language's default where there is nothing.
fn shown(value: Option<Value<'_>>, field: FieldId) -> String {
    use crate::kfl::field::Type;
    let value = value.or(match field.kind() {
        Type::Bool => Some(Value::Bool(false)),
        Type::Int => Some(Value::Int(0)),
        Type::String => Some(Value::Str("")),
        Type::List => Some(Value::List(&[])),
        _ => None,
    });
    format!("{value:?}")
}

#[test]
fn a_row_shows_every_field_as_the_call_does() {
    let payloads = [
        http("/charge/ü?id=7#x", Some("pay:8080"), 503),
        http("http://api.example", None, 0),
        http("http://api.example/v1?y=1", None, 200),
        http("*", None, 404),
        http("", None, 999),
        dns(&["api.example", "b.example"]),
        dns(&[]),
        Payload::TcpFlow(Box::default()),
        Payload::TcpFlow(Box::new(TcpFlow {
            completeness: 33,
            reset_by_server: true,
            ..TcpFlow::default()
        })),
    ];
    let entries = (1..)
        .zip(payloads)
        .map(|(ts, payload)| entry(ts, payload))
        .collect();
    let json = br#"{"format":"rca-agent/capture/1","workloads":[
        {"kind":"pod","name":"web-1","namespace":"shop","node":"b","ips":["10.0.0.1"],"services":["web"],"labels":{"app":"web"}},
        {"kind":"pod","name":"pay-1","namespace":"bank","node":"a","ips":["10.0.0.2"],"services":["pay"],"labels":{"app":"pay"}}]}"#;
    let names = Names::new(Inventory::parse(json).unwrap().workloads);
    let store = assemble::assemble(vec![(Arc::from("a"), entries)], &names);
    assert_eq!(store.calls().len(), 9);
    let rows: Vec<Row<'_>> = store.rows(None, None).collect();
    assert_eq!(rows.len(), 9);
    for (row, call) in rows.iter().zip(store.calls()) {
        assert!(std::ptr::eq(row.call, call));
        for field in FieldId::all() {
            assert_eq!(
                shown(row.field(field), field),
                shown(call.field(field), field),
                "{field} of {}",
                call.id
            );
        }
    }
    let times = |start, end| -> Vec<i64> { store.rows(start, end).map(|row| row.call.entry.ts_us).collect() };
    assert_eq!(times(Some(2), Some(4)), [2, 3], "the end does not belong to it");
    assert_eq!(times(None, Some(2)), [1]);
    assert_eq!(times(Some(9), None), [9]);
    assert_eq!(times(Some(4), Some(2)), [0_i64; 0]);
}

#[test]
fn no_two_flags_share_a_bit() {
    let all = FLAGS.iter().filter_map(|flag| bit(*flag));
    let sum = all.fold(UNKEPT | QUESTIONS | BY_ENDS | CLIENT_IS_LOCAL, |seen, bit| {
        assert_eq!((seen & bit, bit.count_ones()), (0, 1));
        seen | bit
    });
    assert_eq!(sum, (1 << 18) - 1);
}
