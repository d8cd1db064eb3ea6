//! HTTP in streams that are not as one would like them.

use super::support::{CLIENT, Raw, SERVER, Script, lines};
use crate::hub::dissect::Limits;
use crate::hub::entry::Payload;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: shop\r\n\r\n")
}

#[test]
fn a_gap_in_a_body_of_known_length_is_bridged() {
    let mut script = Script::connected();
    script
        .send(CLIENT, get("/big"))
        .send(SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n");
    script
        .send(SERVER, [b'a'; 1000])
        .lose(SERVER, [b'b'; 1000])
        .send(SERVER, [b'c'; 1000])
        .ack(CLIENT);
    script
        .send(CLIENT, get("/next"))
        .send(SERVER, OK)
        .ack(CLIENT)
        .close();
    let calls = script.calls();
    assert_eq!(lines(&calls), ["GET /big 200 partial", "GET /next 200"]);
    assert_eq!(
        (calls[0].1.response_body.size, calls[0].1.response_body.kept.len()),
        (3000, 1000)
    );
}

#[test]
fn after_a_gap_over_a_message_the_next_one_is_found() {
    let mut script = Script::connected();
    script.send(CLIENT, get("/1")).send(SERVER, OK);
    // the answer to the second request is lost, and so is the third request
    script
        .send(CLIENT, get("/2"))
        .lose(SERVER, OK)
        .lose(CLIENT, get("/3"))
        .send(SERVER, OK);
    script.send(CLIENT, get("/4")).send(SERVER, OK).close();
    let calls = script.calls();
    let statuses: Vec<_> = calls
        .iter()
        .map(|(_, call)| (call.target.as_str(), call.status))
        .collect();
    assert!(
        statuses.contains(&("/1", 200)) && statuses.contains(&("/4", 200)),
        "{statuses:?}"
    );
    assert!(!statuses.contains(&("/3", 200)), "{statuses:?}");
    assert_eq!(script.run().1.lost_bytes, (OK.len() + get("/3").len()) as u64);
}

#[test]
fn a_lost_request_does_not_shift_the_answers() {
    let mut script = Script::connected();
    script
        .send(CLIENT, get("/1"))
        .send(SERVER, OK)
        .lose(CLIENT, get("/2"));
    script.send(SERVER, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
    script
        .send(CLIENT, get("/3"))
        .send(SERVER, OK)
        .ack(CLIENT)
        .close();
    assert_eq!(lines(&script.calls()), ["GET /1 200", "GET /3 200"]);
    assert_eq!(script.run().1.http_orphans, 1);
}

#[test]
fn a_response_captured_before_its_request_waits_for_it() {
    let mut script = Script::connected();
    let request = get("/late");
    let raw = script.plain(CLIENT, request.as_bytes());
    script
        .lose(CLIENT, &request)
        .send(SERVER, OK)
        .wait(-1_500)
        .raw(raw)
        .wait(500)
        .close();
    assert_eq!(lines(&script.calls()), ["GET /late 200"]);
}

#[test]
fn a_head_that_does_not_end_is_given_up() {
    let mut script = Script::connected();
    script.send(CLIENT, "GET /endless HTTP/1.1\r\n");
    for _ in 0..100 {
        script.send(CLIENT, format!("X: {}\r\n", "y".repeat(1000)));
    }
    script.send(CLIENT, get("/next")).send(SERVER, OK);
    assert_eq!(lines(&script.calls()), ["GET /next 200"]);
}

#[test]
fn bytes_the_capture_cut_off_are_counted() {
    let mut script = Script {
        snaplen: 200,
        ..Script::connected()
    };
    script.send(CLIENT, get("/cut")).send(
        SERVER,
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}",
            "x".repeat(1000)
        ),
    );
    script.send(CLIENT, get("/next")).send(SERVER, OK);
    let calls = script.calls();
    assert_eq!(lines(&calls), ["GET /cut 200 partial", "GET /next 200"]);
    assert_eq!(calls[0].1.response_body.size, 1000);
    assert_eq!(script.flow().missing_segments, 0);
}

#[test]
fn a_stream_from_its_middle_on() {
    let mut script = Script::default();
    script
        .send(SERVER, "end of some body")
        .ack(CLIENT)
        .send(SERVER, OK);
    script
        .send(CLIENT, get("/1"))
        .send(SERVER, OK)
        .send(CLIENT, get("/2"));
    assert_eq!(lines(&script.calls()), ["GET /1 200", "GET /2 0 partial"]);
    assert_eq!(script.run().1.http_orphans, 1);
}

#[test]
fn sequence_numbers_wrap_around() {
    let mut script = Script {
        seq: [u32::MAX - 20, u32::MAX - 30],
        ..Script::default()
    };
    script.handshake().send(CLIENT, get("/wrap"));
    let (one, other) = OK.split_at(20);
    let late = Raw {
        ..script.plain(SERVER, one.as_bytes())
    };
    script.lose(SERVER, one).send(SERVER, other).raw(late).close();
    assert_eq!(lines(&script.calls()), ["GET /wrap 200"]);
}

#[test]
fn data_may_come_with_the_syn() {
    let mut script = Script::default();
    let request = get("/fast");
    let syn = Raw {
        syn: true,
        ack: None,
        ..script.plain(CLIENT, request.as_bytes())
    };
    script.raw(syn);
    script.seq[CLIENT] += 1 + u32::try_from(request.len()).unwrap();
    script.syn_ack().send(SERVER, OK).close();
    let calls = script.calls();
    assert_eq!(
        (lines(&calls), calls[0].0.request_seq),
        (vec!["GET /fast 200".to_owned()], 1_001)
    );
}

#[test]
fn too_many_waiting_requests_give_the_oldest_up() {
    let mut script = Script::connected();
    for number in 0..10 {
        script.send(CLIENT, get(&format!("/{number}")));
    }
    let (entries, _) = script.run_with(Limits {
        waiting: 4,
        ..Limits::default()
    });
    assert_eq!(entries.len(), 11, "all are told in the end");
}

#[test]
fn all_waiting_bytes_together_are_bounded() {
    let mut script = Script::default();
    let head = format!("GET /{} HTTP/1.1\r\n", "x".repeat(900));
    let all = 1..=30;
    for port in all.clone() {
        (script.ports, script.seq) = ([port, 8080], [1_000, 9_000]);
        script.handshake().send(CLIENT, &head);
    }
    for port in all {
        (script.ports, script.seq) = ([port, 8080], [1_001 + u32::try_from(head.len()).unwrap(), 9_001]);
        script.send(CLIENT, "\r\n");
    }
    assert_eq!(script.calls().len(), 30);
    let (entries, _) = script.run_with(Limits {
        buffered_bytes: 5_000,
        ..Limits::default()
    });
    let calls = entries
        .iter()
        .filter(|entry| matches!(entry.payload, Payload::Http(_)))
        .count();
    assert!(
        (1..=5).contains(&calls),
        "{calls} heads were kept where there is room for five"
    );
}

#[test]
fn out_of_order_bytes_are_bounded() {
    let mut script = Script::connected();
    script.send(CLIENT, get("/")).lose(SERVER, "x");
    let limits = Limits {
        out_of_order_bytes: 10_000,
        ..Limits::default()
    };
    for _ in 0..40 {
        // nobody acknowledges: only the limit ends the waiting
        script
            .raw(Raw {
                ack: None,
                ..script.plain(SERVER, &[b'z'; 1000])
            })
            .lose(SERVER, [b'z'; 1000]);
    }
    let (entries, stats) = script.run_with(limits);
    let Payload::TcpFlow(flow) = &entries[1].payload else {
        panic!("{entries:#?}")
    };
    assert_eq!(
        (flow.missing_segments, stats.lost_bytes, flow.server_bytes),
        (1, 1, 40_000)
    );
}
