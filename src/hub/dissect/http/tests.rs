use super::body::{Framing, Progress};
use super::head::{Look, Parsed, head_end, look, parse_request, parse_response};
use crate::hub::entry::Body;

#[test]
fn beginnings_are_told_apart() {
    let looks = [
        ("GET / HTTP/1.1\r\n", Look::Request),
        ("M-SEARCH * HTTP/1.1\r\n", Look::Request),
        ("GET /a b HTTP/1.1\n", Look::Request),
        ("HTTP/1.1 200 OK\r\n", Look::Response),
        ("HTTP/1.0 404\r\n", Look::Response),
        ("PROXY UNKNOWN\r\n", Look::Proxy(15)),
        ("", Look::Unsure),
        ("HT", Look::Unsure),
        ("HTTP/1.", Look::Unsure),
        ("DELETE", Look::Unsure),
        ("GET /path", Look::Unsure),
        ("GET\t/ HTTP/1.1\r\n", Look::Nothing),
        ("GET /\r\n", Look::Nothing),
        ("GET HTTP/1.1\r\n", Look::Nothing),
        ("PRI * HTTP/2.0\r\n", Look::Nothing),
        ("OPTIONS rtsp://x RTSP/1.0\r\n", Look::Nothing),
        ("HTTP/2 200\r\n", Look::Nothing),
        ("HTTP/1.x 200\r\n", Look::Nothing),
        ("get / http/1.1\r\n", Look::Nothing),
        ("THISISNOMETHODATALLNOTEVENCLOSE / HTTP/1.1\r\n", Look::Nothing),
        ("A \u{1}\u{2}", Look::Nothing),
    ];
    for (text, expected) in looks {
        assert_eq!(look(text.as_bytes(), 0), expected, "{text:?}");
    }
}

#[test]
fn the_end_of_a_head_is_found_wherever_the_search_goes_on() {
    for head in ["a\r\n\r\n", "a: b\n\n", "a\r\n\n", "a\n\r\n"] {
        let data = format!("{head}body");
        for scanned in 0..head.len() {
            assert_eq!(
                head_end(data.as_bytes(), scanned),
                Some(head.len()),
                "{head:?} from {scanned}"
            );
        }
    }
    assert_eq!(head_end(b"a\r\nb\r\n", 0), None);
}

#[test]
fn the_framing_follows_the_standard() {
    let response = |head: &str| match parse_response(head.as_bytes(), 128) {
        Parsed::Head(head, _) => head,
        other => panic!("{other:?}"),
    };
    let both = response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(both.framing(Some("GET")), Framing::chunked());
    assert_eq!(both.framing(Some("HEAD")), Framing::Length(0));
    let length = response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(length.framing(None), Framing::Length(5));
    assert_eq!(length.framing(Some("CONNECT")), Framing::Length(0));
    let odd = response("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n");
    assert_eq!(odd.framing(None), Framing::UntilClose);
    let huge = response("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n");
    assert_eq!(huge.framing(None), Framing::UntilClose);
    let Parsed::Head(request, _) = parse_request(b"POST / HTTP/1.1\r\n\r\n", 128) else {
        panic!()
    };
    assert_eq!(request.framing, Framing::Length(0));
    assert_eq!(parse_request(b"POST / HTTP/1.1\r\nHost: a", 128), Parsed::Partial);
    assert_eq!(parse_response(b"HTTP/1.1 abc\r\n\r\n", 128), Parsed::Nothing);
    assert_eq!(
        parse_response(b"HTTP/1.1 000 OK\r\n\r\n", 128),
        Parsed::Nothing,
        "0 means no response"
    );
}

#[test]
fn chunks_are_read_byte_by_byte_and_broken_ones_refused() {
    let read = |data: &[u8]| {
        let (mut framing, mut body) = (Framing::chunked(), Body::default());
        let mut last = Progress::More;
        for (at, byte) in data.iter().enumerate() {
            last = framing.feed(std::slice::from_ref(byte), &mut body, 100);
            if last != Progress::More {
                return (last, at + 1, body.kept);
            }
        }
        (last, data.len(), body.kept)
    };
    assert_eq!(
        read(b"3\r\nabc\r\n0\r\n\r\nmore"),
        (Progress::Done(1), 13, b"abc".to_vec())
    );
    assert_eq!(
        read(b"1\nx\n0\nTrailer: y\n\n"),
        (Progress::Done(1), 18, b"x".to_vec())
    );
    assert_eq!(read(b"zz\r\n").0, Progress::Broken(0));
    assert_eq!(read(b"\r\n").0, Progress::Broken(0));
    assert_eq!(read(b"2\r\nabc").0, Progress::Broken(0));
    assert_eq!(read(b"ffffffffffffffff0\r\n").0, Progress::Broken(0));
    assert_eq!(read(b"ffffffffffffffff\r\nrest").0, Progress::More);
}

#[test]
fn what_comes_after_a_bridged_gap_is_counted_but_not_kept() {
    let (mut framing, mut body) = (Framing::Length(10), Body::default());
    assert_eq!(framing.feed(b"abc", &mut body, 100), Progress::More);
    assert!(framing.skip(4, &mut body));
    assert_eq!(framing.feed(b"defg", &mut body, 100), Progress::Done(3));
    assert_eq!((body.kept.as_slice(), body.size), (&b"abc"[..], 10));
    assert!(!Framing::Length(3).skip(4, &mut body));
    assert!(!Framing::chunked().skip(1, &mut body));
}
