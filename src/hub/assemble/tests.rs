use super::super::entry::{DnsCall, HttpCall, TcpFlow};
use super::super::workloads::Inventory;
use super::*;

fn names() -> Names {
    let json = br#"{"format":"rca-agent/capture/1","workloads":[
        {"kind":"pod","name":"web-1","namespace":"shop","node":"a","ips":["10.0.1.1"],"services":["web"]},
        {"kind":"pod","name":"pay-1","namespace":"shop","node":"b","ips":["10.0.2.1"],"services":["pay"]},
        {"kind":"service","name":"pay","namespace":"shop","ips":["10.96.0.1"]}]}"#;
    Names::new(Inventory::parse(json).unwrap().workloads)
}

fn end(text: &str) -> Endpoint {
    let at: std::net::SocketAddr = text.parse().unwrap();
    Endpoint {
        ip: at.ip(),
        port: at.port(),
    }
}

fn http(ts_us: i64, dst: &str, seq: u32) -> Entry {
    Entry {
        stream: 0,
        index: 0,
        ts_us,
        elapsed_us: Some(2_000),
        src: end("10.0.1.1:40000"),
        dst: end(dst),
        request_seq: seq,
        payload: Payload::Http(Box::new(HttpCall {
            status: 200,
            ..HttpCall::default()
        })),
    }
}

fn assembled(a: Vec<Entry>, b: Vec<Entry>) -> Store {
    assemble(vec![(Arc::from("a"), a), (Arc::from("b"), b)], &names())
}

#[test]
fn a_call_seen_by_two_nodes_is_one_from_the_clients() {
    let mut at_server = http(1_500, "10.0.2.1:80", 7);
    at_server.elapsed_us = Some(900);
    let store = assembled(vec![http(1_000, "10.0.2.1:80", 7)], vec![at_server]);
    let [call] = store.calls() else {
        panic!("{store:?}")
    };
    assert_eq!(&*call.id, "a/0/0");
    let [other] = &*call.also_seen else {
        panic!("{call:?}")
    };
    assert_eq!(
        (&*other.node, other.elapsed_us, other.status),
        ("b", Some(900), Some(200))
    );
    assert_eq!(
        (call.entry.elapsed_us, call.server_elapsed_us),
        (Some(2_000), Some(900)),
        "the client's view and the server's"
    );
}

#[test]
fn the_clients_view_is_taken_even_when_its_clock_is_late() {
    let store = assembled(
        vec![http(3_000, "10.0.2.1:80", 7)],
        vec![http(1_000, "10.0.2.1:80", 7)],
    );
    assert_eq!(
        store.calls().iter().map(|call| &*call.id).collect::<Vec<_>>(),
        ["a/0/0"]
    );
}

#[test]
fn a_service_address_and_the_pod_behind_it_are_the_same_call_and_the_pod_is_known() {
    let store = assembled(
        vec![http(1_000, "10.96.0.1:80", 7)],
        vec![http(1_100, "10.0.2.1:8080", 7)],
    );
    let [call] = store.calls() else {
        panic!("{store:?}")
    };
    let dst = &call.ends.dst;
    assert_eq!(
        (&*dst.ip, &*dst.pod, &*dst.service),
        ("10.96.0.1", "pay-1", "pay")
    );
}

#[test]
fn calls_that_only_look_alike_stay_two() {
    let far = assembled(
        vec![http(0, "10.0.2.1:80", 7)],
        vec![http(SAME_CALL_US + 1, "10.0.2.1:80", 7)],
    );
    assert_eq!(far.calls().len(), 2, "too far apart in time");
    let other_seq = assembled(vec![http(0, "10.0.2.1:80", 7)], vec![http(1, "10.0.2.1:80", 8)]);
    assert_eq!(other_seq.calls().len(), 2, "another sequence number");
    let other_server = assembled(vec![http(0, "10.0.2.1:80", 7)], vec![http(1, "10.0.9.9:80", 7)]);
    assert_eq!(other_server.calls().len(), 2, "another server");
    let same_node = assembled(vec![http(0, "10.0.2.1:80", 7), http(1, "10.0.2.1:80", 7)], vec![]);
    assert_eq!(same_node.calls().len(), 2, "both on one node");
}

#[test]
fn lookups_and_connections_are_joined_too_and_repeats_pair_up_in_order() {
    let dns = |ts_us| Entry {
        payload: Payload::Dns(Box::new(DnsCall {
            id: 9,
            rcode: Some(0),
            ..DnsCall::default()
        })),
        request_seq: 0,
        ..http(ts_us, "10.0.2.1:53", 0)
    };
    let flow = |ts_us, retransmissions| Entry {
        payload: Payload::TcpFlow(Box::new(TcpFlow {
            retransmissions,
            ..TcpFlow::default()
        })),
        ..http(ts_us, "10.0.2.1:80", 3)
    };
    let store = assembled(
        vec![dns(0), dns(2_000_000), flow(10, 4)],
        vec![dns(100), dns(2_000_100), flow(20, 0)],
    );
    let seen: Vec<_> = store
        .calls()
        .iter()
        .map(|call| (call.entry.ts_us, call.also_seen.len()))
        .collect();
    assert_eq!(seen, [(0, 1), (10, 1), (2_000_000, 1)]);
    let other = &store.calls()[1].also_seen[0];
    assert_eq!(
        other.tcp.as_ref().map(|tcp| tcp.retransmissions),
        Some(0),
        "the loss was before node b"
    );
}

#[test]
fn a_dns_answer_names_a_host_outside() {
    let lookup = Entry {
        payload: Payload::Dns(Box::new(DnsCall {
            questions: vec![("api.bank.example".to_owned(), "A".to_owned())],
            answers: vec![
                "alias.example".to_owned(),
                "203.0.113.9".to_owned(),
                "10.0.2.1".to_owned(),
            ],
            rcode: Some(0),
            ..DnsCall::default()
        })),
        ..http(0, "10.0.0.53:53", 0)
    };
    let store = assembled(
        vec![lookup, http(10, "203.0.113.9:80", 1), http(20, "10.0.2.1:80", 2)],
        vec![],
    );
    let named: Vec<_> = store.calls().iter().map(|call| &*call.ends.dst.service).collect();
    assert_eq!(
        named,
        ["", "api.bank.example", "pay"],
        "a workload's own name is never replaced"
    );
}
