//! Walks the records of a capture file: legacy pcap and pcapng.

use std::fmt::Display;

use pcap_parser::nom;
use pcap_parser::pcap::{
    PcapHeader, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified, parse_pcap_header,
};
use pcap_parser::pcapng::{Block, InterfaceDescriptionBlock, parse_block_be, parse_block_le};

use super::{CaptureProblem, LinkType, RawPacket};

/// Length of the global header of a legacy file, bytes.
const LEGACY_HEADER: usize = 24;
/// What libpcap accepts as the length of one packet, bytes (`MAXIMUM_SNAPLEN`).
const MAX_PACKET: usize = 262_144;
/// More interfaces than this in one section are not kept.
const MAX_INTERFACES: usize = 65_536;
/// The block that pcapng's packet block replaced; old files still have it.
const OLD_PACKET_BLOCK: u32 = 2;

/// How a file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Legacy {
        big_endian: bool,
        nanoseconds: bool,
        modified: bool,
        link: LinkType,
    },
    Ng,
}

impl Layout {
    /// Recognises the beginning of a file; `None` where it is neither format.
    pub(super) fn of(data: &[u8]) -> Option<Self> {
        if data.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            // the magic is text; only the byte-order magic behind the length makes it sure
            return match data.get(8..12)? {
                [0x1a, 0x2b, 0x3c, 0x4d] | [0x4d, 0x3c, 0x2b, 0x1a] => Some(Self::Ng),
                _ => None,
            };
        }
        let (_, header) = parse_pcap_header(data).ok()?;
        Some(Self::legacy(&header))
    }

    fn legacy(header: &PcapHeader) -> Self {
        Self::Legacy {
            big_endian: header.is_bigendian(),
            nanoseconds: header.is_nanosecond_precision(),
            modified: header.is_modified_format(),
            // the upper half holds flags about frame check sequences
            link: LinkType(u16::try_from(header.network.0 & 0xffff).unwrap_or_default()),
        }
    }
}

/// An interface of a pcapng section.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: LinkType,
    /// Units per second of its time stamps.
    units: u128,
    /// Seconds to add to its time stamps.
    offset: i64,
    /// Most bytes kept of a packet; 0 = all.
    snaplen: u32,
}

impl Interface {
    fn new(block: &InterfaceDescriptionBlock<'_>) -> Self {
        let exponent = u32::from(block.if_tsresol & 0x7f);
        // a power of 10, or of 2 where the upper bit is set; absurd exponents count as the default
        let units = if block.if_tsresol & 0x80 == 0 {
            10_u128.checked_pow(exponent)
        } else {
            1_u128.checked_shl(exponent)
        };
        Self {
            link: LinkType(u16::try_from(block.linktype.0).unwrap_or_default()),
            units: units.unwrap_or(1_000_000),
            offset: block.if_tsoffset,
            snaplen: block.snaplen,
        }
    }

    /// Unix µs of a time stamp in units of this interface.
    fn micros(&self, high: u32, low: u32) -> i64 {
        let stamp = (u128::from(high) << 32) | u128::from(low);
        let whole = stamp / self.units;
        // below 2^127 / 10^6 the product fits; beyond it the fraction is lost, not the program
        let fraction = (stamp % self.units)
            .checked_mul(1_000_000)
            .map_or(0, |scaled| scaled / self.units);
        let micros = whole.saturating_mul(1_000_000).saturating_add(fraction);
        i64::try_from(micros)
            .unwrap_or(i64::MAX)
            .saturating_add(self.offset.saturating_mul(1_000_000))
    }
}

/// The packets of a capture file, in its order.
#[derive(Clone, Debug)]
pub(super) struct Packets<'a> {
    data: &'a [u8],
    /// Where in `data` the next record starts.
    at: usize,
    layout: Layout,
    /// Byte order of the current pcapng section.
    big_endian: bool,
    interfaces: Vec<Interface>,
    last_ts_us: i64,
    problem: Option<CaptureProblem>,
}

impl<'a> Packets<'a> {
    pub(super) fn new(data: &'a [u8], layout: Layout) -> Self {
        let at = if layout == Layout::Ng {
            0
        } else {
            LEGACY_HEADER.min(data.len())
        };
        let (big_endian, interfaces) = (false, Vec::new());
        Self {
            data,
            at,
            layout,
            big_endian,
            interfaces,
            last_ts_us: 0,
            problem: None,
        }
    }

    /// What stopped the walk before the end of the file.
    pub(super) fn problem(&self) -> Option<&CaptureProblem> {
        self.problem.as_ref()
    }

    fn stop(&mut self, why: impl Into<String>) -> Option<RawPacket<'a>> {
        self.problem = Some(CaptureProblem {
            offset: self.at as u64,
            why: why.into(),
        });
        self.at = self.data.len();
        None
    }

    fn damaged<E: Display>(&mut self, err: &nom::Err<E>, left: usize) -> Option<RawPacket<'a>> {
        match err {
            nom::Err::Incomplete(_) => self.stop(format!(
                "the last record is cut off: only {left} bytes of it are there"
            )),
            nom::Err::Error(err) | nom::Err::Failure(err) => self.stop(format!("a damaged record: {err}")),
        }
    }

    fn next_legacy(
        &mut self,
        big_endian: bool,
        nanoseconds: bool,
        modified: bool,
        link: LinkType,
    ) -> Option<RawPacket<'a>> {
        let rest = self.data.get(self.at..).filter(|rest| !rest.is_empty())?;
        let parsed = match (modified, big_endian) {
            (true, _) => parse_pcap_frame_modified(rest),
            (false, true) => parse_pcap_frame_be(rest),
            (false, false) => parse_pcap_frame(rest),
        };
        let (after, frame) = match parsed {
            Ok(parsed) => parsed,
            Err(err) => {
                let claimed = claimed_length(rest, big_endian);
                if claimed > MAX_PACKET {
                    return self.stop(format!("a damaged record: it claims a packet of {claimed} bytes"));
                }
                return self.damaged(&err.map(|err| format!("{err:?}")), rest.len());
            }
        };
        if frame.data.len() > MAX_PACKET {
            return self.stop(format!(
                "a damaged record: it claims a packet of {} bytes",
                frame.data.len()
            ));
        }
        let micros = if nanoseconds {
            frame.ts_usec / 1000
        } else {
            frame.ts_usec
        };
        self.at = self.data.len() - after.len();
        Some(RawPacket {
            ts_us: i64::from(frame.ts_sec) * 1_000_000 + i64::from(micros),
            link,
            data: frame.data,
            original_len: frame.origlen,
        })
    }

    fn next_ng(&mut self) -> Option<RawPacket<'a>> {
        loop {
            let rest = self.data.get(self.at..).filter(|rest| !rest.is_empty())?;
            let parsed = if self.big_endian {
                parse_block_be(rest)
            } else {
                parse_block_le(rest)
            };
            let (after, block) = match parsed {
                Ok(parsed) => parsed,
                Err(err) => return self.damaged(&err.map(|err| format!("{err:?}")), rest.len()),
            };
            if after.len() >= rest.len() {
                return self.stop("a block of length 0");
            }
            let found = self.block(&block);
            if self.problem.is_some() {
                return None;
            }
            self.at = self.data.len() - after.len();
            if let Some(packet) = found {
                self.last_ts_us = packet.ts_us;
                return Some(packet);
            }
        }
    }

    fn block(&mut self, block: &Block<'a>) -> Option<RawPacket<'a>> {
        match block {
            Block::SectionHeader(header) => {
                self.big_endian = header.big_endian();
                self.interfaces.clear();
                None
            }
            Block::InterfaceDescription(interface) => {
                if self.interfaces.len() >= MAX_INTERFACES {
                    return self.stop(format!("more than {MAX_INTERFACES} interfaces in one section"));
                }
                self.interfaces.push(Interface::new(interface));
                None
            }
            Block::EnhancedPacket(packet) => {
                let (stamp, lengths) = ((packet.ts_high, packet.ts_low), (packet.caplen, packet.origlen));
                self.packet(packet.if_id, stamp, lengths, packet.data)
            }
            Block::SimplePacket(packet) => {
                // no time of its own and no captured length: the first interface's limit tells it
                let Some(interface) = self.interfaces.first().copied() else {
                    return self.stop("a packet of an interface that is not described");
                };
                let limit = if interface.snaplen == 0 {
                    u32::MAX
                } else {
                    interface.snaplen
                };
                let captured = usize::try_from(packet.origlen.min(limit)).unwrap_or(usize::MAX);
                Some(RawPacket {
                    ts_us: self.last_ts_us,
                    link: interface.link,
                    data: packet.data.get(..captured).unwrap_or(packet.data),
                    original_len: packet.origlen,
                })
            }
            // the parser reads the type as little-endian whatever the section is
            Block::Unknown(block)
                if block.block_type == OLD_PACKET_BLOCK
                    || (self.big_endian && block.block_type == OLD_PACKET_BLOCK.swap_bytes()) =>
            {
                self.old_packet(block.data)
            }
            _ => None,
        }
    }

    /// A packet block of pcapng drafts: interface and drop count share the first word.
    fn old_packet(&mut self, data: &'a [u8]) -> Option<RawPacket<'a>> {
        let big_endian = self.big_endian;
        let word = |at: usize| -> Option<u32> {
            let bytes = data.get(at..at + 4)?.try_into().ok()?;
            Some(if big_endian {
                u32::from_be_bytes(bytes)
            } else {
                u32::from_le_bytes(bytes)
            })
        };
        let (Some(first), Some(high), Some(low), Some(captured), Some(original), Some(rest)) =
            (word(0), word(4), word(8), word(12), word(16), data.get(20..))
        else {
            return self.stop("a damaged record: a packet block without room for its header");
        };
        let interface = if big_endian { first >> 16 } else { first & 0xffff };
        self.packet(interface, (high, low), (captured, original), rest)
    }

    fn packet(
        &mut self,
        interface: u32,
        (high, low): (u32, u32),
        (captured, original_len): (u32, u32),
        data: &'a [u8],
    ) -> Option<RawPacket<'a>> {
        let index = usize::try_from(interface).unwrap_or(usize::MAX);
        let Some(interface) = self.interfaces.get(index).copied() else {
            return self.stop(format!("a packet of interface {index}, which is not described"));
        };
        let captured = usize::try_from(captured).unwrap_or(usize::MAX);
        if captured > MAX_PACKET {
            return self.stop(format!(
                "a damaged record: it claims a packet of {captured} bytes"
            ));
        }
        let Some(data) = data.get(..captured) else {
            return self.stop("a damaged record: a packet longer than its block");
        };
        Some(RawPacket {
            ts_us: interface.micros(high, low),
            link: interface.link,
            data,
            original_len,
        })
    }
}

/// The packet length a legacy record header claims, bytes.
fn claimed_length(record: &[u8], big_endian: bool) -> usize {
    let Some(bytes) = record
        .get(8..12)
        .and_then(|bytes| <[u8; 4]>::try_from(bytes).ok())
    else {
        return 0;
    };
    let claimed = if big_endian {
        u32::from_be_bytes(bytes)
    } else {
        u32::from_le_bytes(bytes)
    };
    usize::try_from(claimed).unwrap_or(usize::MAX)
}

impl<'a> Iterator for Packets<'a> {
    type Item = RawPacket<'a>;

    fn next(&mut self) -> Option<RawPacket<'a>> {
        match self.layout {
            Layout::Legacy {
                big_endian,
                nanoseconds,
                modified,
                link,
            } => self.next_legacy(big_endian, nanoseconds, modified, link),
            Layout::Ng => self.next_ng(),
        }
    }
}
