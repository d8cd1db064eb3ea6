//! Network and transport headers: from a captured packet to a TCP segment or a UDP datagram.

use std::net::IpAddr;

use etherparse::{IpFragOffset, Ipv6ExtensionSlice, LaxIpSlice, TcpSlice, UdpSlice};

use super::link::{self, Stripped};
use super::{LinkType, RawPacket};

/// IP in IP, GRE, VXLAN and Geneve inside each other at most this deep.
const MAX_TUNNELS: u8 = 3;
/// VXLAN's port, and the one Linux (flannel) used before it had one.
const VXLAN_PORTS: [u16; 2] = [4789, 8472];
const GENEVE_PORT: u16 = 6081;
/// IP protocol numbers.
const IPIP: u8 = 4;
const TCP: u8 = 6;
const UDP: u8 = 17;
const IPV6_IN_IP: u8 = 41;
const GRE: u8 = 47;

/// Why nothing of a packet is dissected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Skip {
    /// ARP and the like.
    NotIp,
    /// A link layer that is not read.
    UnsupportedLink,
    /// Headers that are too short or contradict themselves.
    Malformed,
    /// A piece of a packet whose other pieces are still missing, or never came.
    Fragment,
    /// ICMP and the like.
    OtherTransport,
    /// UDP that is not DNS.
    OtherUdp,
    /// Multicast DNS: announcements nobody waits for.
    MulticastDns,
    /// The same packet captured once more, as happens on `any` and on bridges.
    Duplicate,
}

/// Flags of a TCP header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    pub const FIN: u8 = 1;
    pub const SYN: u8 = 2;
    pub const RST: u8 = 4;
    pub const ACK: u8 = 16;

    /// Whether all of `bits` are set.
    pub fn has(self, bits: u8) -> bool {
        self.0 & bits == bits
    }

    /// Whether any of `bits` is set.
    pub fn any(self, bits: u8) -> bool {
        self.0 & bits != 0
    }
}

/// A TCP segment. Its addresses are in the [`Decoded`] around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    pub seq: u32,
    pub ack: u32,
    pub flags: TcpFlags,
    /// As in the header, not scaled.
    pub window: u16,
    /// As far as it was captured.
    pub payload: &'a [u8],
    /// Bytes of payload that were on the wire but not captured.
    pub cut: u32,
}

/// What of the transport layer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport<'a> {
    Tcp(Segment<'a>),
    Udp(&'a [u8]),
}

/// A TCP segment or UDP datagram with its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub src_port: u16,
    pub dst_port: u16,
    /// Identification of the IPv4 header; 0 for IPv6.
    pub ip_id: u16,
    pub transport: Transport<'a>,
}

/// A fragment of an IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub id: u32,
    pub protocol: u8,
    pub offset: IpFragOffset,
    /// Whether more fragments follow.
    pub more: bool,
    pub payload: &'a [u8],
}

/// What a packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    Whole(Decoded<'a>),
    Piece(Fragment<'a>),
}

/// Finds the TCP segment or UDP datagram in a captured packet, inside tunnels too.
pub fn decode<'a>(packet: &RawPacket<'a>) -> Result<Content<'a>, Skip> {
    ip_of(link::strip(packet.link, packet.data)).and_then(|data| ip(data, MAX_TUNNELS))
}

/// The same for the payload of an IP packet that came in pieces.
pub fn decode_reassembled<'a>(fragment: &Fragment<'_>, payload: &'a [u8]) -> Result<Decoded<'a>, Skip> {
    let packet = Ip {
        src: fragment.src,
        dst: fragment.dst,
        // all pieces had it; IPv6's has 32 bits and is no identification of a packet
        id: if fragment.src.is_ipv4() {
            u16::try_from(fragment.id).unwrap_or_default()
        } else {
            0
        },
        protocol: fragment.protocol,
        payload,
        cut: 0,
    };
    match transport(&packet, 0)? {
        Content::Whole(decoded) => Ok(decoded),
        Content::Piece(_) => Err(Skip::Malformed),
    }
}

fn ip_of(stripped: Stripped<'_>) -> Result<&[u8], Skip> {
    match stripped {
        Stripped::Ip(data) => Ok(data),
        Stripped::Other => Err(Skip::NotIp),
        Stripped::Malformed => Err(Skip::Malformed),
        Stripped::Unsupported => Err(Skip::UnsupportedLink),
    }
}

/// An IP packet as far as the layers above care.
struct Ip<'a> {
    src: IpAddr,
    dst: IpAddr,
    id: u16,
    protocol: u8,
    payload: &'a [u8],
    /// Bytes at the end that were not captured.
    cut: usize,
}

fn ip(data: &[u8], tunnels: u8) -> Result<Content<'_>, Skip> {
    let (slice, _) = LaxIpSlice::from_slice(data).map_err(|_| Skip::Malformed)?;
    // what LaxIpSlice returns borrows from itself in part; offsets into `data` do not
    let (src, dst, found) = (slice.source_addr(), slice.destination_addr(), slice.payload());
    let payload = found.payload;
    let (id, on_wire) = match &slice {
        LaxIpSlice::Ipv4(v4) => {
            let header = v4.header();
            if found.fragmented {
                return Ok(Content::Piece(Fragment {
                    src,
                    dst,
                    id: u32::from(header.identification()),
                    protocol: found.ip_number.0,
                    offset: header.fragments_offset(),
                    more: header.more_fragments(),
                    payload,
                }));
            }
            (header.identification(), usize::from(header.total_len()))
        }
        LaxIpSlice::Ipv6(v6) => {
            if found.fragmented {
                let mut extensions = v6.extensions().clone().into_iter();
                let fragment = extensions.find_map(|extension| match extension {
                    Ipv6ExtensionSlice::Fragment(fragment) => Some(fragment),
                    _ => None,
                });
                let fragment = fragment.ok_or(Skip::Fragment)?;
                return Ok(Content::Piece(Fragment {
                    src,
                    dst,
                    id: fragment.identification(),
                    protocol: found.ip_number.0,
                    offset: fragment.fragment_offset(),
                    more: fragment.more_fragments(),
                    payload,
                }));
            }
            (0, usize::from(v6.header().payload_length()) + 40)
        }
    };
    let cut = if found.incomplete {
        on_wire.saturating_sub(data.len())
    } else {
        0
    };
    transport(
        &Ip {
            src,
            dst,
            id,
            protocol: found.ip_number.0,
            payload,
            cut,
        },
        tunnels,
    )
}

fn transport<'a>(packet: &Ip<'a>, tunnels: u8) -> Result<Content<'a>, Skip> {
    let inside = tunnels.checked_sub(1);
    let (src_port, dst_port, transport) = match packet.protocol {
        TCP => {
            let tcp = TcpSlice::from_slice(packet.payload).map_err(|_| Skip::Malformed)?;
            let header = tcp.header_slice().len();
            let segment = Segment {
                seq: tcp.sequence_number(),
                ack: tcp.acknowledgment_number(),
                flags: TcpFlags(packet.payload.get(13).copied().unwrap_or_default()),
                window: tcp.window_size(),
                payload: packet.payload.get(header..).unwrap_or_default(),
                cut: u32::try_from(packet.cut).unwrap_or(u32::MAX),
            };
            (tcp.source_port(), tcp.destination_port(), Transport::Tcp(segment))
        }
        UDP => {
            let udp = UdpSlice::from_slice_lax(packet.payload).map_err(|_| Skip::Malformed)?;
            let length = udp.payload().len();
            let payload = packet.payload.get(8..8 + length).unwrap_or_default();
            let port = udp.destination_port();
            if let Some(tunnels) = inside
                && (VXLAN_PORTS.contains(&port) || port == GENEVE_PORT)
                && let Ok(content) = overlay(port, payload, tunnels)
            {
                return Ok(content);
            }
            (udp.source_port(), port, Transport::Udp(payload))
        }
        IPIP | IPV6_IN_IP => return ip(packet.payload, inside.ok_or(Skip::OtherTransport)?),
        GRE => return gre(packet.payload, inside.ok_or(Skip::OtherTransport)?),
        _ => return Err(Skip::OtherTransport),
    };
    let Ip {
        src, dst, id: ip_id, ..
    } = *packet;
    Ok(Content::Whole(Decoded {
        src,
        dst,
        src_port,
        dst_port,
        ip_id,
        transport,
    }))
}

/// VXLAN (RFC 7348) or Geneve (RFC 8926).
fn overlay(port: u16, data: &[u8], tunnels: u8) -> Result<Content<'_>, Skip> {
    let inner = if port == GENEVE_PORT {
        // the length of its options counts words; the type is an ethertype, 0x6558 = Ethernet
        let options = usize::from(data.first().ok_or(Skip::Malformed)? & 0x3f) * 4;
        let kind = link::u16_at(data, 2).ok_or(Skip::Malformed)?;
        let rest = data.get(8 + options..).ok_or(Skip::Malformed)?;
        if kind == 0x6558 {
            link::strip(LinkType::ETHERNET, rest)
        } else {
            link::ethertype(kind, rest)
        }
    } else {
        // the flag that says its network identifier is valid must be set, reserved bytes are 0
        let header = data.get(..8).ok_or(Skip::Malformed)?;
        if header.first() != Some(&0x08) || header.get(1..4) != Some(&[0; 3]) {
            return Err(Skip::Malformed);
        }
        link::strip(LinkType::ETHERNET, data.get(8..).unwrap_or_default())
    };
    ip_of(inner).and_then(|data| ip(data, tunnels))
}

/// GRE (RFC 2784, with the key and sequence of RFC 2890).
fn gre(data: &[u8], tunnels: u8) -> Result<Content<'_>, Skip> {
    let flags = data.first().copied().ok_or(Skip::Malformed)?;
    let kind = link::u16_at(data, 2).ok_or(Skip::Malformed)?;
    // version 1 is PPTP, routing is obsolete
    if data.get(1).is_none_or(|version| version & 7 != 0) || flags & 0x40 != 0 {
        return Err(Skip::OtherTransport);
    }
    let optional = [0x80, 0x20, 0x10].iter().filter(|bit| flags & **bit != 0).count();
    let rest = data.get(4 + 4 * optional..).ok_or(Skip::Malformed)?;
    let inner = if kind == 0x6558 {
        link::strip(LinkType::ETHERNET, rest)
    } else {
        link::ethertype(kind, rest)
    };
    ip_of(inner).and_then(|data| ip(data, tunnels))
}

#[cfg(test)]
mod tests;
