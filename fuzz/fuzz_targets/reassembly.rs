//! Segments in any order, overlapping, contradicting each other, with holes, against a plain model:
//! the first copy of a byte wins.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use rca_agent::hub::dissect::reassembly::{Piece, Stream};

#[derive(Arbitrary, Debug)]
enum Step {
    Segment {
        at: u16,
        payload: Vec<u8>,
        cut: u8,
        fin: bool,
    },
    SkipHole,
}

#[derive(Arbitrary, Debug)]
struct Input {
    isn: u32,
    steps: Vec<Step>,
}

/// What is known of a byte of the stream.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    No,
    Byte(u8),
    Cut,
}

struct Model {
    bytes: Vec<Known>,
    /// Bytes delivered or given up.
    position: usize,
}

impl Model {
    fn learn(&mut self, at: usize, known: Known) {
        if at >= self.position && self.bytes[at] == Known::No {
            self.bytes[at] = known;
        }
    }

    fn deliver(&mut self, bytes: &[u8]) {
        for byte in bytes {
            assert_eq!(
                self.bytes[self.position],
                Known::Byte(*byte),
                "at {}",
                self.position
            );
            self.position += 1;
        }
    }

    fn cut(&mut self, length: u64) {
        for _ in 0..length {
            assert_eq!(self.bytes[self.position], Known::Cut, "at {}", self.position);
            self.position += 1;
        }
    }
}

fn drain(stream: &mut Stream, model: &mut Model, isn: u32) {
    while let Some(piece) = stream.pop() {
        match piece {
            Piece::Bytes { seq, bytes, .. } => {
                assert_eq!(seq, isn.wrapping_add(model.position as u32));
                model.deliver(&bytes);
            }
            Piece::Gap { length } => model.cut(length),
        }
    }
}

fuzz_target!(|input: Input| {
    let mut stream = Stream::default();
    let mut model = Model {
        bytes: vec![Known::No; 8_192],
        position: 0,
    };
    stream.begin(input.isn);
    for step in &input.steps {
        match step {
            Step::Segment {
                at,
                payload,
                cut,
                fin,
            } => {
                let (at, payload) = (usize::from(at & 0x0fff), &payload[..payload.len().min(2_000)]);
                for (offset, byte) in payload.iter().enumerate() {
                    model.learn(at + offset, Known::Byte(*byte));
                }
                for offset in 0..usize::from(*cut) {
                    model.learn(at + payload.len() + offset, Known::Cut);
                }
                let seq = input.isn.wrapping_add(at as u32);
                let arrival = stream.push(seq, payload, (*cut).into(), *fin, 0);
                assert!(!arrival.jumped);
                if let Some((seq, bytes)) = arrival.in_order {
                    assert_eq!(seq, input.isn.wrapping_add(model.position as u32));
                    model.deliver(bytes);
                }
                model.cut(arrival.cut);
            }
            Step::SkipHole => {
                if let Some(length) = stream.skip_hole() {
                    for _ in 0..length {
                        assert_eq!(model.bytes[model.position], Known::No);
                        model.position += 1;
                    }
                }
            }
        }
        drain(&mut stream, &mut model, input.isn);
        assert_eq!(
            stream.next_seq(),
            Some(input.isn.wrapping_add(model.position as u32))
        );
    }
    while let Some(length) = stream.skip_hole() {
        model.position += length as usize;
        drain(&mut stream, &mut model, input.isn);
    }
    assert_eq!((stream.waiting_bytes(), stream.waiting_segments()), (0, 0));
    assert!(
        model.bytes[model.position..]
            .iter()
            .all(|known| *known == Known::No)
    );
});
