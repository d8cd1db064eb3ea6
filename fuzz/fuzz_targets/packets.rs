//! Packets around what the fuzzer made, and what must hold for every entry.

use etherparse::PacketBuilder;
use rca_agent::hub::dissect::{Dissector, Limits};
use rca_agent::hub::entry::{Entry, Payload};
use rca_agent::hub::packet::{LinkType, RawPacket};

/// Limits low enough for the fuzzer to reach them.
pub fn limits() -> Limits {
    Limits {
        connections: 8,
        out_of_order_bytes: 2_000,
        out_of_order_segments: 20,
        buffered_bytes: 8_000,
        body_kept: 100,
        head_bytes: 1_000,
        headers: 10,
        waiting: 4,
        ..Limits::default()
    }
}

/// A conversation of two endpoints, packet by packet.
pub struct Conversation {
    dissector: Dissector,
    seq: [u32; 2],
    ports: [u16; 2],
    ts_us: i64,
}

impl Conversation {
    pub fn new(port: u16) -> Self {
        let dissector = Dissector::new(limits());
        Self {
            dissector,
            seq: [u32::MAX - 100, 7],
            ports: [40_000, port],
            ts_us: 1_000_000,
        }
    }

    /// Sends the next bytes of a side, `lost` ones not captured before them.
    pub fn tcp(&mut self, side: usize, payload: &[u8], lost: u32, fin: bool) {
        self.seq[side] = self.seq[side].wrapping_add(lost);
        let mut step = PacketBuilder::ipv4([10, 0, 0, side as u8], [10, 0, 0, 1 - side as u8], 64)
            .tcp(self.ports[side], self.ports[1 - side], self.seq[side], 1000)
            .ack(self.seq[1 - side]);
        if fin {
            step = step.fin();
        }
        let mut packet = Vec::new();
        step.write_to_vec(&mut packet, payload).unwrap();
        self.seq[side] = self.seq[side]
            .wrapping_add(payload.len() as u32)
            .wrapping_add(fin.into());
        self.packet(&packet);
    }

    pub fn udp(&mut self, side: usize, payload: &[u8]) {
        let step = PacketBuilder::ipv4([10, 0, 0, side as u8], [10, 0, 0, 1 - side as u8], 64)
            .udp(self.ports[side], self.ports[1 - side]);
        let mut packet = Vec::new();
        step.write_to_vec(&mut packet, payload).unwrap();
        self.packet(&packet);
    }

    fn packet(&mut self, data: &[u8]) {
        self.ts_us += 1_000;
        let original_len = data.len() as u32;
        self.dissector.packet(&RawPacket {
            ts_us: self.ts_us,
            link: LinkType::RAW,
            data,
            original_len,
        });
    }

    pub fn finish(mut self) {
        check(&self.dissector.finish(), &limits());
    }
}

/// What must hold for whatever was captured.
pub fn check(entries: &[Entry], limits: &Limits) {
    for entry in entries {
        assert!(entry.elapsed_us.is_none_or(|elapsed| elapsed >= 0), "{entry:?}");
        match &entry.payload {
            Payload::Http(call) => {
                for (body, headers) in [
                    (&call.request_body, &call.request_headers),
                    (&call.response_body, &call.response_headers),
                ] {
                    assert!(body.kept.len() <= limits.body_kept && body.kept.len() as u64 <= body.size);
                    assert!(headers.len() <= limits.headers);
                }
                assert!(!call.method.is_empty());
                assert_eq!(call.status == 0, entry.elapsed_us.is_none());
            }
            Payload::Dns(call) => assert_eq!(call.rcode.is_none(), entry.elapsed_us.is_none()),
            Payload::TcpFlow(flow) => assert!(flow.duration_us >= 0),
            Payload::Line(line) => panic!("packets hold no lines: {line:?}"),
        }
    }
}
