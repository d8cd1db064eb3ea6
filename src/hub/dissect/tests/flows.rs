//! Facts about connections.

use super::support::{CLIENT, Raw, SERVER, START, Script};
use crate::hub::dissect::Limits;
use crate::hub::entry::{Payload, TcpFlow};
use crate::hub::packet::headers::Skip;

#[test]
fn a_whole_life() {
    let mut script = Script::connected();
    script
        .send(CLIENT, "ping")
        .ack(SERVER)
        .wait(40_000)
        .send(SERVER, "pong!")
        .ack(CLIENT)
        .close();
    let flow = script.flow();
    assert_eq!(
        flow,
        TcpFlow {
            completeness: 31,
            handshake_us: Some(2_000),
            initial_rtt_us: Some(1_000),
            duration_us: 49_000,
            first_byte_us: Some(42_000),
            client_packets: 6,
            server_packets: 4,
            client_bytes: 4,
            server_bytes: 5,
            fins: 2,
            syns: 1,
            ..TcpFlow::default()
        }
    );
    let (entry, _) = &script.flows()[0];
    assert_eq!(
        (entry.src.port, entry.dst.port, entry.ts_us),
        (40_000, 8080, START)
    );
    assert_eq!((entry.request_seq, entry.elapsed_us), (1_000, Some(49_000)));
}

#[test]
fn refused() {
    let mut script = Script::default();
    script.syn().rst(SERVER);
    let flow = script.flow();
    assert_eq!(
        (flow.completeness, flow.resets, flow.reset_by_server),
        (33, 1, true)
    );
    assert_eq!(flow.handshake_us, None);
}

#[test]
fn no_answer() {
    let mut script = Script::default();
    let syn = Raw {
        syn: true,
        ack: None,
        ..script.plain(CLIENT, b"")
    };
    script.raw(syn).wait(1_000_000).raw(syn).wait(2_000_000).raw(syn);
    let flow = script.flow();
    assert_eq!((flow.completeness, flow.syns, flow.retransmissions), (1, 3, 2));
    assert_eq!((flow.server_packets, script.flows()[0].0.elapsed_us), (0, None));
}

#[test]
fn a_lost_syn_shows_in_the_handshake_but_not_in_the_round_trip() {
    let mut script = Script::default();
    let syn = Raw {
        syn: true,
        ack: None,
        ..script.plain(CLIENT, b"")
    };
    script.raw(syn).wait(999_000).syn().syn_ack().ack(CLIENT);
    let flow = script.flow();
    assert_eq!(
        (flow.syns, flow.handshake_us, flow.initial_rtt_us),
        (2, Some(1_002_000), Some(1_000))
    );
}

#[test]
fn reset_after_data() {
    let mut script = Script::connected();
    script.send(CLIENT, "GET / HTTP/1.1\r\n\r\n").rst(SERVER);
    let flow = script.flow();
    assert_eq!(
        (flow.completeness, flow.reset_by_server, flow.l7),
        (47, true, Some("http"))
    );
    let calls = script.calls();
    assert_eq!((calls[0].1.status, calls[0].0.elapsed_us), (0, None));

    let mut script = Script::connected();
    script.send(CLIENT, "hello").rst(CLIENT);
    assert!(!script.flow().reset_by_server);
}

#[test]
fn retransmissions_are_counted_and_their_bytes_are_not() {
    let mut script = Script::connected();
    let first = script.plain(CLIENT, b"abcdef");
    script.send(CLIENT, "abcdef").wait(200_000).raw(first).ack(SERVER);
    let flow = script.flow();
    assert_eq!(
        (flow.retransmissions, flow.fast_retransmissions, flow.client_bytes),
        (1, 0, 6)
    );
    assert_eq!((flow.client_packets, flow.out_of_order), (4, 0));
}

#[test]
fn duplicate_acks_ask_for_a_fast_retransmission() {
    let mut script = Script::connected();
    let lost = script.plain(SERVER, b"first");
    let ack = script.plain(CLIENT, b"");
    // the first segment is lost between the capture and the client
    script
        .send(SERVER, "first")
        .send(SERVER, "second")
        .raw(ack)
        .send(SERVER, "third")
        .raw(ack)
        .raw(ack);
    script.wait(10_000).raw(lost);
    let flow = script.flow();
    assert_eq!(
        (flow.dup_acks, flow.fast_retransmissions, flow.retransmissions),
        (3, 1, 1)
    );
}

#[test]
fn late_bytes_soon_are_out_of_order_and_later_are_retransmitted() {
    for (wait_us, expected) in [(500, (1, 0)), (300_000, (0, 1))] {
        let mut script = Script::connected();
        let early = script.plain(CLIENT, b"one");
        script
            .lose(CLIENT, "one")
            .send(CLIENT, "two")
            .wait(wait_us)
            .raw(early);
        let flow = script.flow();
        assert_eq!(
            (flow.out_of_order, flow.retransmissions),
            expected,
            "after {wait_us} µs"
        );
        assert_eq!((flow.client_bytes, flow.missing_segments), (6, 0));
    }
}

#[test]
fn missing_segments_zero_windows_and_keepalives() {
    let mut script = Script::connected();
    script
        .send(CLIENT, "one")
        .lose(CLIENT, "two")
        .send(CLIENT, "three");
    script.raw(Raw {
        window: 0,
        ..script.plain(SERVER, b"")
    });
    let probe = Raw {
        seq: script.seq[CLIENT].wrapping_sub(1),
        ..script.plain(CLIENT, b"")
    };
    script
        .wait(10_000_000)
        .raw(probe)
        .ack(SERVER)
        .wait(10_000_000)
        .raw(probe)
        .ack(SERVER);
    let flow = script.flow();
    assert_eq!(
        (flow.missing_segments, flow.zero_windows, flow.keepalives),
        (1, 1, 2)
    );
    assert_eq!(
        (flow.dup_acks, flow.retransmissions, flow.client_bytes),
        (0, 0, 8)
    );
}

#[test]
fn an_answer_the_capture_missed_is_no_silence() {
    let mut script = Script::connected();
    script
        .send(CLIENT, "GET / HTTP/1.1\r\n\r\n")
        .lose(SERVER, [b'x'; 500])
        .ack(CLIENT);
    let flow = script.flow();
    assert_eq!((flow.missing_segments, flow.server_bytes), (1, 0));
    assert_eq!(script.run().1.lost_bytes, 499, "one may have been the FIN");
    assert_eq!(script.calls()[0].1.status, 0);
    // a FIN that was missed is no data
    let mut script = Script::connected();
    script
        .send(CLIENT, "GET / HTTP/1.1\r\n\r\n")
        .lose(SERVER, "F")
        .ack(CLIENT);
    assert_eq!(script.flow().missing_segments, 0);
}

#[test]
fn a_packet_captured_twice_counts_once() {
    let mut script = Script::connected();
    script.send(CLIENT, "GET / HTTP/1.1\r\n\r\n");
    // the IPv4 identification lies at 18 behind an Ethernet header; checksums are not looked at
    // SYN and SYN-ACK have none, as Linux sends them
    for (at, (_, frame)) in script.packets.iter_mut().enumerate().skip(2) {
        frame[19] = u8::try_from(at + 1).unwrap();
    }
    let doubled = script
        .packets
        .iter()
        .flat_map(|(ts_us, frame)| [(*ts_us, frame.clone()), (*ts_us + 20, frame.clone())]);
    script.packets = doubled.collect();
    let (entries, stats) = script.run();
    assert_eq!(stats.skipped.get(&Skip::Duplicate), Some(&4));
    let Payload::TcpFlow(flow) = &entries[1].payload else {
        panic!("{entries:#?}")
    };
    assert_eq!((flow.retransmissions, flow.client_packets, flow.syns), (0, 3, 1));
}

#[test]
fn a_new_syn_is_a_new_connection() {
    let mut script = Script::connected();
    script
        .send(CLIENT, "GET /old HTTP/1.1\r\n\r\n")
        .send(SERVER, "HTTP/1.1 204 No Content\r\n\r\n")
        .close();
    script.seq = [77_000, 88_000];
    script.wait(1_000).handshake();
    script
        .send(CLIENT, "GET /new HTTP/1.1\r\n\r\n")
        .send(SERVER, "HTTP/1.1 204 No Content\r\n\r\n")
        .close();
    let flows = script.flows();
    assert_eq!(
        flows.iter().map(|(entry, _)| entry.stream).collect::<Vec<_>>(),
        [0, 1]
    );
    assert!(flows.iter().all(|(_, flow)| flow.completeness == 31));
    let targets: Vec<_> = script
        .calls()
        .into_iter()
        .map(|(entry, call)| (entry.stream, call.target))
        .collect();
    assert_eq!(targets, [(0, "/old".to_owned()), (1, "/new".to_owned())]);
}

#[test]
fn from_the_middle_on_the_asking_side_is_the_client() {
    let mut script = Script {
        ports: [8080, 40_000],
        ..Script::default()
    };
    // the server's packets come first, and the asking side has the lower port
    script
        .send(SERVER, "…rest of a body")
        .send(CLIENT, "GET /mid HTTP/1.1\r\n\r\n");
    script.send(SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let (entry, flow) = &script.flows()[0];
    assert_eq!((entry.src.port, flow.completeness), (8080, 12));
    assert_eq!(script.calls().len(), 1);

    // without any protocol the lower port is the server's
    let mut script = Script::default();
    script.send(SERVER, "\u{1}\u{2}").send(CLIENT, "\u{3}");
    assert_eq!(script.flows()[0].0.src.port, 40_000);
}

#[test]
fn too_many_connections_end_the_oldest() {
    let mut script = Script::default();
    for port in 1..=40 {
        script.ports = [port, 8080];
        script.seq = [1_000, 9_000];
        script.handshake();
    }
    let (entries, stats) = script.run_with(Limits {
        connections: 16,
        ..Limits::default()
    });
    assert_eq!((entries.len(), stats.entries["tcp"]), (40, 40));
    assert!(stats.evicted >= 24, "{stats:?}");
    let ports: Vec<u16> = entries.iter().map(|entry| entry.src.port).collect();
    assert!(ports.is_sorted(), "{ports:?}");
}

#[test]
fn silence_ends_a_connection() {
    let mut script = Script::connected();
    script
        .send(CLIENT, "GET /slow HTTP/1.1\r\n\r\n")
        .wait(700_000_000);
    for _ in 0..5_000 {
        script.ports = [50_000, 9090];
        script.ack(CLIENT);
    }
    script.ports = [40_000, 8080];
    script.ack(CLIENT);
    let flows: Vec<u32> = script.flows().iter().map(|(entry, _)| entry.stream).collect();
    assert_eq!(
        flows,
        [0, 1, 2],
        "what comes after the silence is another connection"
    );
}
