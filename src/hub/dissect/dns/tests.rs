use super::super::tests::support::{CLIENT, SERVER, START, Script};
use super::{Message, type_name};
use crate::hub::packet::headers::Skip;

const PORTS: [u16; 2] = [40_000, 53];

/// A message with one question, and one answer record where there is one.
fn message(id: u16, flags: u16, name: &str, kind: u16, answer: Option<(u16, &[u8])>) -> Vec<u8> {
    let mut data = Vec::new();
    for word in [id, flags, 1, u16::from(answer.is_some()), 0, 0] {
        data.extend_from_slice(&word.to_be_bytes());
    }
    for label in name.split('.').filter(|label| !label.is_empty()) {
        data.push(u8::try_from(label.len()).unwrap());
        data.extend_from_slice(label.as_bytes());
    }
    data.push(0);
    data.extend_from_slice(&kind.to_be_bytes());
    data.extend_from_slice(&[0, 1]);
    if let Some((kind, rdata)) = answer {
        data.extend_from_slice(&[0xc0, 0x0c]);
        data.extend_from_slice(&kind.to_be_bytes());
        data.extend_from_slice(&[0, 1, 0, 0, 0, 30]);
        data.extend_from_slice(&u16::try_from(rdata.len()).unwrap().to_be_bytes());
        data.extend_from_slice(rdata);
    }
    data
}

fn query(id: u16, name: &str, kind: u16) -> Vec<u8> {
    message(id, 0x0100, name, kind, None)
}

fn address(id: u16, name: &str) -> Vec<u8> {
    message(id, 0x8180, name, 1, Some((1, &[10, 96, 0, 12])))
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

#[test]
fn a_lookup() {
    let (query, answer) = (query(7, "orders.shop.svc", 1), address(7, "orders.shop.svc"));
    let mut script = Script::default();
    script
        .udp(CLIENT, PORTS, &query)
        .wait(2_000)
        .udp(SERVER, PORTS, &answer);
    let lookups = script.lookups();
    let (entry, call) = &lookups[0];
    assert_eq!(
        (entry.ts_us, entry.elapsed_us, entry.src.port),
        (START, Some(3_000), 40_000)
    );
    assert_eq!((call.id, call.rcode, call.tcp), (7, Some(0), false));
    assert_eq!(call.questions, [("orders.shop.svc".to_owned(), "A".to_owned())]);
    assert_eq!(call.answers, ["10.96.0.12"]);
    assert_eq!(
        (call.request_bytes as usize, call.response_bytes as usize),
        (query.len(), answer.len())
    );
}

#[test]
fn parallel_questions_of_one_socket_are_told_apart() {
    let mut script = Script::default();
    // the same id, as musl's resolver uses for A and AAAA
    script
        .udp(CLIENT, PORTS, &query(1, "db", 1))
        .udp(CLIENT, PORTS, &query(1, "db", 28));
    script
        .udp(SERVER, PORTS, &message(1, 0x8183, "db", 28, None))
        .udp(SERVER, PORTS, &address(1, "DB"));
    let told: Vec<_> = script
        .lookups()
        .into_iter()
        .map(|(entry, call)| (entry.index, call.questions[0].1.clone(), call.rcode))
        .collect();
    assert_eq!(
        told,
        [(0, "AAAA".to_owned(), Some(3)), (1, "A".to_owned(), Some(0))]
    );
}

#[test]
fn a_repeated_query_is_one_lookup_from_its_first_try() {
    let mut script = Script::default();
    let query = query(9, "slow", 1);
    script
        .udp(CLIENT, PORTS, &query)
        .wait(5_000_000)
        .udp(CLIENT, PORTS, &query);
    script
        .udp(SERVER, PORTS, &address(9, "slow"))
        .udp(SERVER, PORTS, &address(9, "slow"));
    let lookups = script.lookups();
    assert_eq!((lookups.len(), lookups[0].0.elapsed_us), (1, Some(5_002_000)));
    assert_eq!(script.run().1.dns_orphans, 1, "the second answer answers nothing");
}

#[test]
fn no_answer_is_told() {
    let mut script = Script::default();
    script
        .udp(CLIENT, PORTS, &query(3, "nowhere", 1))
        .wait(90_000_000);
    // the same question much later is another lookup
    script.udp(CLIENT, PORTS, &query(3, "nowhere", 1)).udp(
        SERVER,
        PORTS,
        &message(3, 0x8182, "nowhere", 1, None),
    );
    let told: Vec<_> = script
        .lookups()
        .into_iter()
        .map(|(entry, call)| (entry.elapsed_us, call.rcode))
        .collect();
    assert_eq!(told, [(None, None), (Some(1_000), Some(2))]);
}

#[test]
fn over_tcp_messages_may_be_cut_and_joined() {
    let queries = [framed(&query(1, "a.b", 1)), framed(&query(2, "c.d", 1))].concat();
    let answers = [framed(&address(2, "c.d")), framed(&address(1, "a.b"))].concat();
    for cut in 1..queries.len() {
        let (one, other) = queries.split_at(cut);
        let mut script = Script {
            ports: PORTS,
            ..Script::default()
        };
        script
            .handshake()
            .send(CLIENT, one)
            .send(CLIENT, other)
            .send(SERVER, &answers)
            .close();
        let lookups = script.lookups();
        let ids: Vec<u16> = lookups.iter().map(|(_, call)| call.id).collect();
        assert_eq!(ids, [2, 1], "cut at {cut}");
        assert!(lookups.iter().all(|(_, call)| call.tcp && call.rcode == Some(0)));
        assert_eq!(lookups[1].0.request_seq, 1_001);
        assert_eq!(script.flow().l7, Some("dns"));
    }
}

#[test]
fn over_tcp_a_gap_loses_messages_but_not_the_connection() {
    let mut script = Script {
        ports: PORTS,
        ..Script::default()
    };
    script
        .handshake()
        .lose(CLIENT, [0; 30])
        .send(CLIENT, framed(&query(5, "later", 1)))
        .ack(SERVER);
    script.send(SERVER, framed(&address(5, "later"))).close();
    assert_eq!(
        script
            .lookups()
            .iter()
            .map(|(_, call)| call.rcode)
            .collect::<Vec<_>>(),
        [Some(0)]
    );
}

#[test]
fn other_ports_need_a_certain_query_first() {
    let mut script = Script::default();
    let ports = [40_000, 15_053];
    script
        .udp(CLIENT, ports, &query(1, "istio", 1))
        .udp(SERVER, ports, &address(1, "istio"));
    // no query, so no conversation
    script
        .udp(CLIENT, [1, 2], b"\x00\x01\x01\x00\x00\x01no query at all")
        .udp(SERVER, [3, 4], &address(2, "x"));
    // NetBIOS names look alike
    script.udp(CLIENT, [137, 137], &query(3, "x", 1));
    assert_eq!(script.lookups().len(), 1);
    assert_eq!(script.run().1.skipped[&Skip::OtherUdp], 3);
}

#[test]
fn records_nobody_knows_leave_the_rest() {
    // a record that is longer than the message
    let mut broken = address(8, "odd.example");
    broken.truncate(broken.len() - 3);
    let read = Message::parse(&broken).unwrap();
    assert_eq!(
        (read.id, read.response, read.rcode, read.answers),
        (8, true, 0, Vec::new())
    );
    assert_eq!(read.questions[0].0, "odd.example");
    let exotic = message(8, 0x8180, "x", 1, Some((65_280, b"\x01\x02")));
    assert_eq!(Message::parse(&exotic).unwrap().answers, ["TYPE65280"]);
    let name = message(8, 0x8180, "x", 5, Some((5, b"\x03www\xc0\x0c")));
    assert_eq!(Message::parse(&name).unwrap().answers, ["www.x"]);
    assert_eq!(
        Message::parse(&query(1, "", 2)).unwrap().questions,
        [(".".to_owned(), "NS".to_owned())]
    );
    assert_eq!(
        (type_name(65), type_name(4711)),
        ("HTTPS".into(), "TYPE4711".into())
    );
}

#[test]
fn nonsense_is_refused_without_much_ado() {
    assert_eq!(Message::parse(b""), None);
    assert_eq!(Message::parse(&[0xff; 11]), None);
    assert_eq!(Message::parse(&[0xff; 400]), None, "an opcode nobody assigned");
    // counts that the message has no room for
    assert_eq!(
        Message::parse(&[0, 1, 0x81, 0x80, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1, 2]),
        None
    );
    // a name that points to itself
    let looping = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 0x0c, 0, 1, 0, 1];
    assert_eq!(Message::parse(&looping).unwrap().questions, []);
}
