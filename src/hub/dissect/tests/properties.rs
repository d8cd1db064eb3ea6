//! Whatever order, repetition and overlap segments come in, the stream is the same.

use proptest::prelude::*;

use super::support::{CLIENT, Raw, SERVER, Script};
use crate::hub::dissect::reassembly::{Piece, Stream};
use crate::hub::dissect::{Dissector, Limits};
use crate::hub::packet::{LinkType, RawPacket};

/// How a stream was sent: cuts, repeated ranges, and how far each segment is displaced.
#[derive(Clone, Debug)]
struct Sending {
    segments: Vec<(usize, usize)>,
}

/// Cuts `length` bytes into segments, repeats and stretches some, and moves each by at most `reach` places.
fn sending(length: usize, reach: usize) -> impl Strategy<Value = Sending> {
    let cuts = prop::collection::vec(0..=length, 0..30);
    let extra = prop::collection::vec((0..=length, 0..200_usize), 0..10);
    let places = prop::collection::vec(0..=reach, 64);
    (cuts, extra, places).prop_map(move |(mut cuts, extra, places)| {
        cuts.extend([0, length]);
        cuts.sort_unstable();
        let mut segments: Vec<(usize, usize)> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
        // what is sent once more, in any cut, after all of it could have been sent
        for (from, size) in extra {
            let range = (from, (from + size).min(length));
            let after = segments
                .iter()
                .position(|(_, end)| *end >= range.1)
                .unwrap_or(segments.len());
            segments.insert((after + 1).min(segments.len()), range);
        }
        let mut moved: Vec<(usize, (usize, usize))> = segments
            .into_iter()
            .enumerate()
            .map(|(at, segment)| (at + places[at % places.len()], segment))
            .collect();
        moved.sort_by_key(|(place, _)| *place);
        Sending {
            segments: moved.into_iter().map(|(_, segment)| segment).collect(),
        }
    })
}

fn stream_of(stream: &mut Stream, isn: u32, data: &[u8], sending: &Sending) -> Vec<u8> {
    let mut seen = Vec::new();
    stream.begin(isn);
    for (ts_us, &(from, to)) in (0..).zip(&sending.segments) {
        let seq = isn.wrapping_add(u32::try_from(from).unwrap());
        let arrival = stream.push(seq, &data[from..to], 0, false, ts_us);
        if let Some((at, bytes)) = arrival.in_order {
            assert_eq!(at, isn.wrapping_add(u32::try_from(seen.len()).unwrap()));
            seen.extend_from_slice(bytes);
        }
        while let Some(piece) = stream.pop() {
            let Piece::Bytes { seq, bytes, .. } = piece else {
                panic!("nothing is missing")
            };
            assert_eq!(seq, isn.wrapping_add(u32::try_from(seen.len()).unwrap()));
            seen.extend_from_slice(&bytes);
        }
    }
    seen
}

/// Messages of an exchange, as (request, response).
fn exchanges() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
    let one = (
        "[a-z]{1,12}",
        prop::collection::vec(any::<u8>(), 0..400),
        any::<bool>(),
        200..600_u16,
    );
    prop::collection::vec(one, 1..6).prop_map(|all| {
        all.into_iter()
            .map(|(path, body, chunked, status)| {
                let request = format!("POST /{path} HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
                let request = [request.as_bytes(), &body].concat();
                let status = if status == 204 || status == 304 {
                    200
                } else {
                    status
                };
                let response = if chunked {
                    let mut response =
                        format!("HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n").into_bytes();
                    for chunk in body.chunks(50) {
                        response.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                        response.extend_from_slice(chunk);
                        response.extend_from_slice(b"\r\n");
                    }
                    response.extend_from_slice(b"0\r\n\r\n");
                    response
                } else {
                    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", body.len());
                    [head.as_bytes(), &body].concat()
                };
                (request, response)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_overlap_give_the_same_stream(
        data in prop::collection::vec(any::<u8>(), 1..3_000),
        isn in any::<u32>(),
        seed in sending(10_000, 40),
    ) {
        let scale = |at: usize| at * data.len() / 10_000;
        let sending = Sending { segments: seed.segments.iter().map(|&(from, to)| (scale(from), scale(to))).collect() };
        let mut stream = Stream::default();
        let seen = stream_of(&mut stream, isn, &data, &sending);
        prop_assert_eq!(&seen, &data);
        prop_assert_eq!(stream.waiting_bytes(), 0);
        prop_assert_eq!(stream.hole_end(), None);
    }

    #[test]
    fn a_skipped_hole_leaves_everything_else(
        data in prop::collection::vec(any::<u8>(), 30..2_000),
        isn in any::<u32>(),
        (from, to) in (0..1_000_usize, 0..1_000_usize),
    ) {
        let (from, to) = (from.min(to) * data.len() / 1_000, from.max(to) * data.len() / 1_000);
        let mut stream = Stream::default();
        stream.begin(isn);
        let seq = |at: usize| isn.wrapping_add(u32::try_from(at).unwrap());
        let mut seen = Vec::new();
        if let Some((_, bytes)) = stream.push(seq(0), &data[..from], 0, false, 0).in_order {
            seen.extend_from_slice(bytes);
        }
        if let Some((_, bytes)) = stream.push(seq(to), &data[to..], 0, true, 1).in_order {
            seen.extend_from_slice(bytes);
        }
        let missing = stream.skip_hole();
        while let Some(Piece::Bytes { bytes, .. }) = stream.pop() {
            seen.extend_from_slice(&bytes);
        }
        let expected = if from < to && to < data.len() { Some((to - from) as u64) } else { None };
        prop_assert_eq!(missing, expected);
        prop_assert_eq!(seen, [&data[..from], &data[to..]].concat());
    }

    #[test]
    fn noise_is_counted_and_nothing_else(
        packets in prop::collection::vec((0..300_u16, prop::collection::vec(any::<u8>(), 0..120)), 1..30),
    ) {
        let mut dissector = Dissector::new(Limits::default());
        for (ts_us, (link, data)) in (0..).zip(&packets) {
            let link = LinkType(*link);
            dissector.packet(&RawPacket { ts_us, link, data, original_len: 120 });
        }
        dissector.finish();
        let stats = dissector.stats();
        prop_assert_eq!(stats.packets, packets.len() as u64);
        prop_assert!(stats.skipped.values().sum::<u64>() <= stats.packets);
    }

    #[test]
    fn calls_are_the_same_however_they_were_sent(
        exchanges in exchanges(),
        orders in prop::collection::vec((sending(10_000, 5), sending(10_000, 5)), 6),
        isns in (any::<u32>(), any::<u32>()),
    ) {
        let mut plain = Script { seq: [isns.0, isns.1], ..Script::default() };
        plain.handshake();
        let mut muddled = plain.clone();
        for (exchange, order) in exchanges.iter().zip(&orders) {
            for (side, message, sending) in [(CLIENT, &exchange.0, &order.0), (SERVER, &exchange.1, &order.1)] {
                plain.send(side, message);
                let whole = muddled.plain(side, message);
                for &(from, to) in &sending.segments {
                    let (from, to) = (from * message.len() / 10_000, to * message.len() / 10_000);
                    let seq = whole.seq.wrapping_add(u32::try_from(from).unwrap());
                    muddled.raw(Raw { seq, payload: &message[from..to], ..whole });
                }
                muddled.lose(side, message);
            }
        }
        let told = |script: &Script| script.calls().into_iter().map(|(_, call)| call).collect::<Vec<_>>();
        let (expected, found) = (told(&plain), told(&muddled));
        prop_assert_eq!(expected.len(), exchanges.len());
        prop_assert_eq!(expected, found);
    }
}
