//! Link layers: what lies between the wire and the IP packet.

use std::fmt;

/// What the first bytes of a captured packet are, as numbered by the
/// [registry of link-layer header types](https://www.tcpdump.org/linktypes.html).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: an address family in the byte order of the capturing machine.
    pub const NULL: Self = Self(0);
    pub const ETHERNET: Self = Self(1);
    /// PPP, with or without the HDLC-like address and control bytes.
    pub const PPP: Self = Self(9);
    /// Raw IP under the number some BSDs wrote.
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP under the number OpenBSD wrote.
    pub const RAW_OPENBSD: Self = Self(14);
    /// Raw IP, version from the first nibble.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: an address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux "cooked" capture, as of `tcpdump -i any`.
    pub const LINUX_SLL: Self = Self(113);
    pub const IPV4: Self = Self(228);
    pub const IPV6: Self = Self(229);
    /// Linux "cooked" capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::NULL | Self::LOOP => "BSD loopback",
            Self::ETHERNET => "Ethernet",
            Self::PPP => "PPP",
            Self::RAW | Self::RAW_BSD | Self::RAW_OPENBSD => "raw IP",
            Self::LINUX_SLL => "Linux cooked capture",
            Self::IPV4 => "raw IPv4",
            Self::IPV6 => "raw IPv6",
            Self::LINUX_SLL2 => "Linux cooked capture v2",
            Self(other) => return write!(f, "link type {other}"),
        };
        f.write_str(name)
    }
}

/// What is left of a packet when its link header is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stripped<'a> {
    Ip(&'a [u8]),
    /// Something else, such as ARP.
    Other,
    /// Too short for its own link header.
    Malformed,
    /// A link layer that is not read.
    Unsupported,
}

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;

/// Removes the link header of `data`, with VLAN tags, MPLS labels and `PPPoE` where there are any.
pub(super) fn strip(link: LinkType, data: &[u8]) -> Stripped<'_> {
    let stripped = match link {
        LinkType::ETHERNET => u16_at(data, 12).and_then(|kind| Some((kind, data.get(14..)?))),
        LinkType::LINUX_SLL => u16_at(data, 14).and_then(|kind| Some((kind, data.get(16..)?))),
        LinkType::LINUX_SLL2 => u16_at(data, 0).and_then(|kind| Some((kind, data.get(20..)?))),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => {
            return by_version(data);
        }
        // the address family differs between systems (IPv6 alone has four numbers), the version does not
        LinkType::NULL | LinkType::LOOP => return data.get(4..).map_or(Stripped::Malformed, by_version),
        LinkType::PPP => {
            let body = data.strip_prefix(&[0xff, 0x03]).unwrap_or(data);
            return ppp(body);
        }
        _ => return Stripped::Unsupported,
    };
    stripped.map_or(Stripped::Malformed, |(kind, rest)| ethertype(kind, rest))
}

/// The IP packet behind an ethertype; also used for what tunnels carry.
pub(super) fn ethertype(mut kind: u16, mut data: &[u8]) -> Stripped<'_> {
    // a tag costs at least four bytes, so this ends; no real frame has more than a few
    for _ in 0..8 {
        match kind {
            ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => return by_version(data),
            // 802.1Q, 802.1ad and the older numbers of stacked tags
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => match (u16_at(data, 2), data.get(4..)) {
                (Some(inner), Some(rest)) => (kind, data) = (inner, rest),
                _ => return Stripped::Malformed,
            },
            // MPLS: bit 8 of a label word marks the bottom of the stack
            0x8847 | 0x8848 => match (data.get(2), data.get(4..)) {
                (Some(flags), Some(rest)) if flags & 1 == 1 => return by_version(rest),
                (Some(_), Some(rest)) => data = rest,
                _ => return Stripped::Malformed,
            },
            // PPPoE session
            0x8864 => return data.get(6..).map_or(Stripped::Malformed, ppp),
            _ => return Stripped::Other,
        }
    }
    Stripped::Other
}

fn ppp(data: &[u8]) -> Stripped<'_> {
    match (data.first(), u16_at(data, 0)) {
        (_, Some(0x0021 | 0x0057)) => data.get(2..).map_or(Stripped::Malformed, by_version),
        // the compressed form of the protocol field
        (Some(0x21 | 0x57), _) => data.get(1..).map_or(Stripped::Malformed, by_version),
        (Some(_), _) => Stripped::Other,
        (None, _) => Stripped::Malformed,
    }
}

fn by_version(data: &[u8]) -> Stripped<'_> {
    match data.first().map(|byte| byte >> 4) {
        Some(4 | 6) => Stripped::Ip(data),
        Some(_) => Stripped::Other,
        None => Stripped::Malformed,
    }
}

pub(super) fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    let bytes = data.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

/// An Ethernet frame around the IP packet in `data`, or `None` where there is none. Ethernet frames
/// are returned as they are. The MAC addresses of other link types are unknown and become zero.
pub(super) fn to_ethernet(link: LinkType, data: &[u8]) -> Option<Vec<u8>> {
    if link == LinkType::ETHERNET {
        return Some(data.to_vec());
    }
    let Stripped::Ip(packet) = strip(link, data) else {
        return None;
    };
    let kind = if packet.first()? >> 4 == 4 {
        ETHERTYPE_IPV4
    } else {
        ETHERTYPE_IPV6
    };
    let mut frame = Vec::with_capacity(packet.len() + 14);
    frame.extend_from_slice(&[0; 12]);
    frame.extend_from_slice(&kind.to_be_bytes());
    frame.extend_from_slice(packet);
    Some(frame)
}
