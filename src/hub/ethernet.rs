//! Packets of any link layer as Ethernet frames, which is what packet filters are compiled for.

use std::borrow::Cow;

use super::packet::{LinkType, RawPacket};

/// A packet as an Ethernet frame; `None` where its link layer is not read.
///
/// The compiler knows IPv6 and ARP only in Ethernet, so other packets get a header with zero addresses:
/// `ether host` matches none of them, and `less` and `greater` count that header.
pub(super) fn as_ethernet<'p>(packet: &RawPacket<'p>) -> Option<Cow<'p, [u8]>> {
    let data = packet.data;
    let typed = |at: usize, body: usize| {
        Some((
            u16::from_be_bytes(*data.get(at..)?.first_chunk()?),
            data.get(body..)?,
        ))
    };
    let versioned = |body: usize| {
        let network = data.get(body..)?;
        let ether_type = if network.first()? >> 4 == 6 {
            0x86dd
        } else {
            0x0800
        };
        Some((ether_type, network))
    };
    let (ether_type, network) = match packet.link {
        LinkType::ETHERNET => return Some(Cow::Borrowed(data)),
        LinkType::LINUX_SLL => typed(14, 16),
        LinkType::LINUX_SLL2 => typed(0, 20),
        LinkType::NULL | LinkType::LOOP => versioned(4),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => {
            versioned(0)
        }
        _ => None,
    }?;
    let mut frame = Vec::with_capacity(network.len() + 14);
    frame.extend_from_slice(&[0; 12]);
    frame.extend_from_slice(&ether_type.to_be_bytes());
    frame.extend_from_slice(network);
    Some(Cow::Owned(frame))
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;
    use crate::bpf::PacketFilter;

    fn syn() -> Vec<u8> {
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4([10, 1, 1, 5], [10, 1, 2, 6], 64)
            .tcp(4000, 8080, 1, 1000)
            .syn()
            .write(&mut frame, &[])
            .unwrap();
        frame
    }

    #[test]
    fn the_same_filters_hold_without_an_ethernet_header() {
        let frame = syn();
        let packet = |link, data| RawPacket {
            ts_us: 0,
            link,
            data,
            original_len: 100,
        };
        let v4 = PacketFilter::compile("host 10.1.1.5 and tcp port 8080").unwrap();
        let cooked = [&[0; 14][..], &[8, 0], &frame[14..]].concat();
        let cooked2 = [&[8, 0][..], &[0; 18], &frame[14..]].concat();
        for (link, data) in [
            (LinkType::RAW, &frame[14..]),
            (LinkType::LINUX_SLL, &cooked),
            (LinkType::LINUX_SLL2, &cooked2),
        ] {
            assert!(v4.matches(&as_ethernet(&packet(link, data)).unwrap()), "{link}");
        }
        let mut v6 = Vec::new();
        PacketBuilder::ipv6([1; 16], [2; 16], 64)
            .udp(53, 54)
            .write(&mut v6, &[1])
            .unwrap();
        let frame = as_ethernet(&packet(LinkType::RAW, &v6)).unwrap();
        assert!(
            PacketFilter::compile("ip6 and udp port 53")
                .unwrap()
                .matches(&frame)
        );
        assert_eq!(as_ethernet(&packet(LinkType::LINUX_SLL, &[1])), None);
    }
}
