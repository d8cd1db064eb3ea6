use etherparse::{IpFragOffset, Ipv4Header, PacketBuilder, VlanId, ip_number};

use super::{Content, Decoded, Skip, TcpFlags, Transport, decode, decode_reassembled};
use crate::hub::packet::fragments::Fragments;
use crate::hub::packet::{LinkType, RawPacket};

fn decoded(link: LinkType, data: &[u8]) -> Result<Content<'_>, Skip> {
    decode(&RawPacket {
        ts_us: 0,
        link,
        data,
        original_len: u32::try_from(data.len()).unwrap(),
    })
}

fn whole(link: LinkType, data: &[u8]) -> Decoded<'_> {
    match decoded(link, data) {
        Ok(Content::Whole(decoded)) => decoded,
        other => panic!("{other:?}"),
    }
}

/// A raw IPv4 packet with a TCP segment that says "hi".
fn tcp() -> Vec<u8> {
    let mut packet = Vec::new();
    let step = PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .tcp(1, 2, 77, 500)
        .ack(88)
        .psh();
    step.write_to_vec(&mut packet, b"hi").unwrap();
    packet
}

fn says_hi(decoded: &Decoded<'_>) {
    assert_eq!(
        (decoded.src, decoded.dst),
        ([10, 0, 0, 1].into(), [10, 0, 0, 2].into())
    );
    assert_eq!((decoded.src_port, decoded.dst_port), (1, 2));
    let Transport::Tcp(segment) = decoded.transport else {
        panic!("{decoded:?}")
    };
    assert_eq!(
        (
            segment.seq,
            segment.ack,
            segment.window,
            segment.payload,
            segment.cut
        ),
        (77, 88, 500, &b"hi"[..], 0)
    );
    assert!(
        segment.flags.has(TcpFlags::ACK) && !segment.flags.any(TcpFlags::SYN | TcpFlags::FIN | TcpFlags::RST)
    );
}

#[test]
fn every_link_layer() {
    let ip = tcp();
    let behind = |header: &[u8]| [header, &ip[..]].concat();
    let cases: Vec<(LinkType, Vec<u8>)> = vec![
        (LinkType::ETHERNET, behind(&[&[9; 12][..], &[8, 0]].concat())),
        // an 802.1Q tag, two of them (802.1ad), MPLS with two labels, PPPoE
        (
            LinkType::ETHERNET,
            behind(&[&[9; 12][..], &[0x81, 0, 0, 5, 8, 0]].concat()),
        ),
        (
            LinkType::ETHERNET,
            behind(&[&[9; 12][..], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0]].concat()),
        ),
        (
            LinkType::ETHERNET,
            behind(&[&[9; 12][..], &[0x88, 0x47, 0, 0, 0x10, 64, 0, 0, 0x21, 64]].concat()),
        ),
        (
            LinkType::ETHERNET,
            behind(&[&[9; 12][..], &[0x88, 0x64, 0x11, 0, 0, 1, 0, 44, 0, 0x21]].concat()),
        ),
        (LinkType::LINUX_SLL, behind(&[&[0; 14][..], &[8, 0]].concat())),
        (LinkType::LINUX_SLL2, behind(&[&[8, 0][..], &[0; 18]].concat())),
        (
            LinkType::LINUX_SLL2,
            behind(&[&[0x81, 0][..], &[0; 18], &[0, 7, 8, 0]].concat()),
        ),
        (LinkType::RAW, behind(&[])),
        (LinkType::RAW_BSD, behind(&[])),
        (LinkType::IPV4, behind(&[])),
        (LinkType::NULL, behind(&[2, 0, 0, 0])),
        (LinkType::LOOP, behind(&[0, 0, 0, 2])),
        (LinkType::PPP, behind(&[0xff, 3, 0, 0x21])),
        (LinkType::PPP, behind(&[0x21])),
    ];
    for (link, data) in cases {
        says_hi(&whole(link, &data));
        // cut anywhere, it is refused or shorter, and never a panic
        for end in 0..data.len() {
            match decoded(link, &data[..end]) {
                Ok(Content::Whole(Decoded {
                    transport: Transport::Tcp(segment),
                    ..
                })) => {
                    assert_eq!(
                        segment.payload.len() + segment.cut as usize,
                        2,
                        "{link} cut at {end}"
                    );
                }
                other => assert!(other.is_err(), "{link} cut at {end}: {other:?}"),
            }
        }
    }
}

#[test]
fn padding_is_no_payload_and_a_missing_length_is_the_captures() {
    let mut padded = tcp();
    padded.extend([0; 9]);
    says_hi(&whole(LinkType::RAW, &padded));
    // with segmentation offload the length field may be 0
    let mut offloaded = tcp();
    offloaded[2..4].copy_from_slice(&[0, 0]);
    says_hi(&whole(LinkType::RAW, &offloaded));
}

#[test]
fn udp_and_ipv6_with_extension_headers() {
    let mut udp = Vec::new();
    PacketBuilder::ethernet2([1; 6], [2; 6])
        .single_vlan(VlanId::try_new(5).unwrap())
        .ipv6([1; 16], [2; 16], 64)
        .udp(53, 4000)
        .write_to_vec(&mut udp, b"answer")
        .unwrap();
    let found = whole(LinkType::ETHERNET, &udp);
    assert_eq!(
        (found.src_port, found.dst_port, found.transport),
        (53, 4000, Transport::Udp(b"answer"))
    );
    assert_eq!((found.src, found.ip_id), ([1; 16].into(), 0));

    // hop-by-hop options (RFC 8200, 4.3) in front of the UDP header: type 0 of IPv6 at 6
    let ip = &udp[18..];
    let mut extended = [&ip[..40], &[17, 0, 1, 4, 0, 0, 0, 0], &ip[40..]].concat();
    extended[6] = 0;
    let length = u16::try_from(extended.len() - 40).unwrap();
    extended[4..6].copy_from_slice(&length.to_be_bytes());
    assert_eq!(
        whole(LinkType::IPV6, &extended).transport,
        Transport::Udp(b"answer")
    );
}

#[test]
fn tunnels_are_looked_into() {
    let inner = tcp();
    let outer = |protocol: u8, payload: &[u8]| {
        let mut packet = Vec::new();
        let header = Ipv4Header::new(
            u16::try_from(payload.len()).unwrap(),
            64,
            protocol.into(),
            [1; 4],
            [2; 4],
        )
        .unwrap();
        header.write(&mut packet).unwrap();
        packet.extend_from_slice(payload);
        packet
    };
    let datagram = |port: u16, payload: &[u8]| {
        let mut packet = Vec::new();
        PacketBuilder::ipv4([1; 4], [2; 4], 64)
            .udp(5555, port)
            .write_to_vec(&mut packet, payload)
            .unwrap();
        packet
    };
    let frame = [&[9; 12][..], &[8, 0], &inner].concat();
    let cases = [
        outer(4, &inner),
        outer(47, &[&[0, 0, 8, 0][..], &inner].concat()),
        outer(47, &[&[0x20, 0, 0x65, 0x58, 0, 0, 0, 1][..], &frame].concat()),
        datagram(4789, &[&[8, 0, 0, 0, 0, 0, 7, 0][..], &frame].concat()),
        datagram(8472, &[&[8, 0, 0, 0, 0, 0, 7, 0][..], &frame].concat()),
        datagram(
            6081,
            &[&[1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 1, 1, 1][..], &frame].concat(),
        ),
        outer(4, &outer(4, &inner)),
    ];
    for packet in &cases {
        says_hi(&whole(LinkType::RAW, packet));
    }
    let deep = (0..10).fold(inner, |packet, _| outer(4, &packet));
    assert_eq!(decoded(LinkType::RAW, &deep), Err(Skip::OtherTransport));
    // no VXLAN, whatever its port
    assert_eq!(
        whole(LinkType::RAW, &datagram(4789, b"hello")).transport,
        Transport::Udp(b"hello")
    );
}

#[test]
fn fragments_are_put_together_in_any_order() {
    let whole_packet = {
        let mut packet = Vec::new();
        PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .udp(53, 99)
            .write_to_vec(&mut packet, &[7; 100])
            .unwrap();
        packet
    };
    let payload = &whole_packet[20..];
    let piece = |from: usize, to: usize| {
        let mut header = Ipv4Header::new(
            u16::try_from(to - from).unwrap(),
            64,
            ip_number::UDP,
            [10, 0, 0, 1],
            [10, 0, 0, 2],
        )
        .unwrap();
        header.identification = 42;
        header.dont_fragment = false;
        header.more_fragments = to < payload.len();
        header.fragment_offset = IpFragOffset::try_new(u16::try_from(from / 8).unwrap()).unwrap();
        let mut packet = Vec::new();
        header.write(&mut packet).unwrap();
        packet.extend_from_slice(&payload[from..to]);
        packet
    };
    let pieces = [piece(48, 96), piece(96, 108), piece(0, 48)];
    let mut fragments = Fragments::default();
    let mut complete = None;
    for packet in &pieces {
        assert_eq!(complete, None);
        let Ok(Content::Piece(fragment)) = decoded(LinkType::RAW, packet) else {
            panic!("no fragment")
        };
        complete = fragments.add(&fragment, 0).map(|payload| (fragment.id, payload));
        if let Some((_, payload)) = &complete {
            let found = decode_reassembled(&fragment, payload).unwrap();
            assert_eq!((found.src_port, found.transport), (53, Transport::Udp(&[7; 100])));
        }
    }
    assert_eq!(complete.map(|(id, payload)| (id, payload.len())), Some((42, 108)));
}

#[test]
fn what_is_not_dissected_has_a_reason() {
    let arp = [&[9; 12][..], &[8, 6], &[0; 28]].concat();
    assert_eq!(decoded(LinkType::ETHERNET, &arp), Err(Skip::NotIp));
    assert_eq!(decoded(LinkType::ETHERNET, &[1, 2, 3]), Err(Skip::Malformed));
    assert_eq!(decoded(LinkType(105), &arp), Err(Skip::UnsupportedLink));
    let mut ping = Vec::new();
    PacketBuilder::ipv4([1; 4], [2; 4], 3)
        .icmpv4_echo_request(1, 2)
        .write_to_vec(&mut ping, &[])
        .unwrap();
    assert_eq!(decoded(LinkType::RAW, &ping), Err(Skip::OtherTransport));
    let mut short = tcp();
    short[32] = 0xf0;
    assert_eq!(
        decoded(LinkType::RAW, &short),
        Err(Skip::Malformed),
        "a header longer than the packet"
    );
}
