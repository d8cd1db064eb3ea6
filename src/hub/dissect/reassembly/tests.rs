use super::{Arrival, Piece, Stream};

fn bytes(piece: Option<Piece>) -> Option<(i64, Vec<u8>)> {
    match piece {
        Some(Piece::Bytes { ts_us, bytes, .. }) => Some((ts_us, bytes.into())),
        _ => None,
    }
}

#[test]
fn the_first_copy_of_a_byte_wins() {
    let mut stream = Stream::default();
    stream.begin(100);
    assert_eq!(stream.push(104, b"EFGH", 0, false, 1).in_order, None);
    // overlaps what waits on both sides
    assert_eq!(stream.push(102, b"cdefghij", 0, false, 2).fresh, 4);
    let arrival = stream.push(98, b"..abcd", 0, false, 3);
    assert_eq!(
        (arrival.in_order, arrival.fresh),
        (None, 2),
        "it waits where it overlaps what waits"
    );
    assert_eq!(bytes(stream.pop()), Some((3, b"ab".to_vec())));
    assert_eq!(bytes(stream.pop()), Some((2, b"cd".to_vec())));
    assert_eq!(bytes(stream.pop()), Some((1, b"EFGH".to_vec())));
    assert_eq!(bytes(stream.pop()), Some((2, b"ij".to_vec())));
    assert_eq!(stream.pop(), None);
    assert_eq!(stream.push(100, b"ABCDEFGHIJ", 0, false, 4), Arrival::default());
}

#[test]
fn what_the_capture_cut_off_is_a_gap_in_its_place() {
    let mut stream = Stream::default();
    stream.begin(0);
    let arrival = stream.push(0, b"ab", 3, false, 1);
    assert_eq!(
        (arrival.in_order, arrival.cut, arrival.fresh),
        (Some((0, &b"ab"[..])), 3, 2)
    );
    stream.push(7, b"hi", 2, false, 2);
    assert_eq!(stream.push(5, b"fg", 0, false, 3).in_order, Some((5, &b"fg"[..])));
    assert_eq!(bytes(stream.pop()), Some((2, b"hi".to_vec())));
    assert_eq!(stream.pop(), Some(Piece::Gap { length: 2 }));
    assert_eq!(stream.next_seq(), Some(11));
}

#[test]
fn a_stream_ends_when_all_before_its_end_is_there() {
    let mut stream = Stream::default();
    stream.begin(0);
    stream.push(2, b"c", 0, true, 1);
    assert!(!stream.finished());
    stream.push(0, b"ab", 0, false, 2);
    assert!(!stream.finished());
    stream.pop();
    assert!(stream.finished());
    // a stream of nothing
    let mut stream = Stream::default();
    stream.push(9, b"", 0, true, 1);
    assert!(stream.finished());
}

#[test]
fn a_jump_is_no_hole_to_wait_for() {
    let mut stream = Stream::default();
    stream.push(0, b"abc", 0, false, 1);
    stream.push(10, b"waits", 0, false, 2);
    let arrival = stream.push(1 << 30, b"far", 0, false, 3);
    assert!(arrival.jumped);
    assert_eq!(arrival.in_order, Some((1 << 30, &b"far"[..])));
    assert_eq!((stream.waiting_bytes(), stream.hole_end()), (0, None));
}

#[test]
fn holes_are_told_and_skipped() {
    let mut stream = Stream::default();
    stream.push(u32::MAX - 1, b"ab", 0, false, 1);
    stream.push(5, b"x", 0, false, 2);
    assert_eq!(
        (
            stream.hole_end(),
            stream.waiting_since(),
            stream.waiting_segments()
        ),
        (Some(5), Some(2), 1)
    );
    assert_eq!(stream.skip_hole(), Some(5));
    assert_eq!(bytes(stream.pop()), Some((2, b"x".to_vec())));
    assert_eq!(stream.skip_hole(), None);
}
