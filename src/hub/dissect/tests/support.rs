//! Makes packets.

use etherparse::PacketBuilder;

use crate::hub::dissect::{Dissector, Limits, Stats};
use crate::hub::entry::{DnsCall, Entry, HttpCall, Payload, TcpFlow};
use crate::hub::packet::{LinkType, RawPacket};

pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;

/// 2026-01-01T00:00:00Z, Unix µs.
pub(crate) const START: i64 = 1_767_225_600_000_000;

/// A TCP segment as a test wants it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a> {
    pub(crate) side: usize,
    pub(crate) seq: u32,
    pub(crate) ack: Option<u32>,
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    pub(crate) rst: bool,
    pub(crate) window: u16,
    pub(crate) payload: &'a [u8],
}

/// Packets between one client and one server, each 1 ms after the one before.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) packets: Vec<(i64, Vec<u8>)>,
    pub(crate) now_us: i64,
    /// Next sequence numbers of client and server.
    pub(crate) seq: [u32; 2],
    pub(crate) ports: [u16; 2],
    /// Bytes of each packet that are kept.
    pub(crate) snaplen: usize,
}

impl Default for Script {
    fn default() -> Self {
        let (packets, seq, ports) = (Vec::new(), [1_000, 9_000], [40_000, 8080]);
        Self {
            packets,
            now_us: START,
            seq,
            ports,
            snaplen: usize::MAX,
        }
    }
}

impl Script {
    /// A script that begins with a handshake.
    pub(crate) fn connected() -> Self {
        let mut script = Self::default();
        script.handshake();
        script
    }

    pub(crate) fn wait(&mut self, us: i64) -> &mut Self {
        self.now_us += us;
        self
    }

    /// A segment with the next sequence numbers.
    pub(crate) fn plain<'a>(&self, side: usize, payload: &'a [u8]) -> Raw<'a> {
        Raw {
            side,
            seq: self.seq[side],
            ack: Some(self.seq[1 - side]),
            syn: false,
            fin: false,
            rst: false,
            window: 1000,
            payload,
        }
    }

    /// Adds a segment without counting its bytes.
    pub(crate) fn raw(&mut self, raw: Raw<'_>) -> &mut Self {
        let ends = [[10, 0, 0, 1], [10, 0, 0, 2]];
        let mut step = PacketBuilder::ethernet2([2; 6], [3; 6])
            .ipv4(ends[raw.side], ends[1 - raw.side], 64)
            .tcp(
                self.ports[raw.side],
                self.ports[1 - raw.side],
                raw.seq,
                raw.window,
            );
        if let Some(ack) = raw.ack {
            step = step.ack(ack);
        }
        if raw.syn {
            step = step.syn();
        }
        if raw.fin {
            step = step.fin();
        }
        if raw.rst {
            step = step.rst();
        }
        let mut frame = Vec::new();
        step.write_to_vec(&mut frame, raw.payload).unwrap();
        self.packets.push((self.now_us, frame));
        self.now_us += 1_000;
        self
    }

    fn counted(&mut self, raw: Raw<'_>) -> &mut Self {
        let taken = raw.payload.len() + usize::from(raw.syn) + usize::from(raw.fin);
        self.raw(raw);
        self.seq[raw.side] = raw.seq.wrapping_add(u32::try_from(taken).unwrap());
        self
    }

    pub(crate) fn syn(&mut self) -> &mut Self {
        self.counted(Raw {
            syn: true,
            ack: None,
            ..self.plain(CLIENT, b"")
        })
    }

    pub(crate) fn syn_ack(&mut self) -> &mut Self {
        self.counted(Raw {
            syn: true,
            ..self.plain(SERVER, b"")
        })
    }

    pub(crate) fn handshake(&mut self) -> &mut Self {
        self.syn().syn_ack().ack(CLIENT)
    }

    pub(crate) fn ack(&mut self, side: usize) -> &mut Self {
        self.raw(self.plain(side, b""))
    }

    pub(crate) fn send(&mut self, side: usize, payload: impl AsRef<[u8]>) -> &mut Self {
        self.counted(self.plain(side, payload.as_ref()))
    }

    /// Bytes that were sent but not captured.
    pub(crate) fn lose(&mut self, side: usize, payload: impl AsRef<[u8]>) -> &mut Self {
        let length = u32::try_from(payload.as_ref().len()).unwrap();
        self.seq[side] = self.seq[side].wrapping_add(length);
        self
    }

    pub(crate) fn fin(&mut self, side: usize) -> &mut Self {
        self.counted(Raw {
            fin: true,
            ..self.plain(side, b"")
        })
    }

    pub(crate) fn rst(&mut self, side: usize) -> &mut Self {
        self.raw(Raw {
            rst: true,
            window: 0,
            ..self.plain(side, b"")
        })
    }

    /// Both sides close.
    pub(crate) fn close(&mut self) -> &mut Self {
        self.fin(CLIENT).fin(SERVER).ack(CLIENT)
    }

    /// A UDP datagram.
    pub(crate) fn udp(&mut self, side: usize, ports: [u16; 2], payload: &[u8]) -> &mut Self {
        let ends = [[10, 0, 0, 1], [10, 0, 0, 2]];
        let step = PacketBuilder::ethernet2([2; 6], [3; 6])
            .ipv4(ends[side], ends[1 - side], 64)
            .udp(ports[side], ports[1 - side]);
        let mut frame = Vec::new();
        step.write_to_vec(&mut frame, payload).unwrap();
        self.packets.push((self.now_us, frame));
        self.now_us += 1_000;
        self
    }

    pub(crate) fn run(&self) -> (Vec<Entry>, Stats) {
        self.run_with(Limits::default())
    }

    pub(crate) fn run_with(&self, limits: Limits) -> (Vec<Entry>, Stats) {
        let mut dissector = Dissector::new(limits);
        for (ts_us, frame) in &self.packets {
            let data = &frame[..frame.len().min(self.snaplen)];
            let original_len = u32::try_from(frame.len()).unwrap();
            dissector.packet(&RawPacket {
                ts_us: *ts_us,
                link: LinkType::ETHERNET,
                data,
                original_len,
            });
        }
        let entries = dissector.finish();
        (entries, dissector.stats())
    }

    /// The HTTP calls.
    pub(crate) fn calls(&self) -> Vec<(Entry, HttpCall)> {
        let (entries, _) = self.run();
        entries
            .into_iter()
            .filter_map(|entry| match &entry.payload {
                Payload::Http(call) => Some((entry.clone(), (**call).clone())),
                _ => None,
            })
            .collect()
    }

    /// The DNS calls.
    pub(crate) fn lookups(&self) -> Vec<(Entry, DnsCall)> {
        let (entries, _) = self.run();
        entries
            .into_iter()
            .filter_map(|entry| match &entry.payload {
                Payload::Dns(call) => Some((entry.clone(), (**call).clone())),
                _ => None,
            })
            .collect()
    }

    /// The connections.
    pub(crate) fn flows(&self) -> Vec<(Entry, TcpFlow)> {
        let (entries, _) = self.run();
        entries
            .into_iter()
            .filter_map(|entry| match &entry.payload {
                Payload::TcpFlow(flow) => Some((entry.clone(), (**flow).clone())),
                _ => None,
            })
            .collect()
    }

    /// The only connection.
    pub(crate) fn flow(&self) -> TcpFlow {
        let mut flows = self.flows();
        assert_eq!(flows.len(), 1, "{flows:#?}");
        flows.remove(0).1
    }
}

/// "METHOD target status complete" of each call.
pub(crate) fn lines(calls: &[(Entry, HttpCall)]) -> Vec<String> {
    calls
        .iter()
        .map(|(_, call)| {
            let whole = if call.complete { "" } else { " partial" };
            format!("{} {} {}{whole}", call.method, call.target, call.status)
        })
        .collect()
}
