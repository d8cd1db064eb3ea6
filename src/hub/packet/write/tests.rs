use super::{WriteError, write_pcap};
use crate::hub::packet::{CaptureFile, LinkType, RawPacket};

fn raw(ts_us: i64, link: LinkType, data: &[u8]) -> RawPacket<'_> {
    RawPacket {
        ts_us,
        link,
        data,
        original_len: u32::try_from(data.len()).unwrap() + 5,
    }
}

#[test]
fn what_is_written_is_read_again() {
    let packets = [
        raw(1_700_000_000_123_456, LinkType::LINUX_SLL2, b"one"),
        raw(1_700_000_000_123_457, LinkType::LINUX_SLL2, b""),
    ];
    let file = CaptureFile::from_bytes("x", write_pcap(&packets).unwrap()).unwrap();
    assert_eq!(file.packets().collect::<Vec<_>>(), packets);
    assert_eq!(
        CaptureFile::from_bytes("x", write_pcap(&[]).unwrap())
            .unwrap()
            .packet_count(),
        0
    );
}

#[test]
fn mixed_link_types_become_ethernet() {
    let ethernet = [&[1; 12][..], &[0x08, 0x06], b"arp"].concat();
    let cooked = [&[0; 14][..], &[0x86, 0xdd], b"\x60six"].concat();
    let packets = [
        raw(1, LinkType::ETHERNET, &ethernet),
        raw(2, LinkType::LINUX_SLL, &cooked),
        raw(3, LinkType::RAW, b"\x45four"),
    ];
    let file = CaptureFile::from_bytes("x", write_pcap(&packets).unwrap()).unwrap();
    let written: Vec<_> = file
        .packets()
        .map(|packet| (packet.link, packet.data.to_vec()))
        .collect();
    let framed = |kind: [u8; 2], packet: &[u8]| [&[0; 12][..], &kind, packet].concat();
    assert_eq!(
        written,
        [
            (LinkType::ETHERNET, ethernet.clone()),
            (LinkType::ETHERNET, framed([0x86, 0xdd], b"\x60six")),
            (LinkType::ETHERNET, framed([0x08, 0x00], b"\x45four")),
        ]
    );
    assert_eq!(file.packets().nth(2).unwrap().original_len, 5 + 14 + 5);
}

#[test]
fn what_cannot_become_ethernet_is_refused() {
    let packets = [raw(1, LinkType::RAW, b"\x45"), raw(2, LinkType(105), b"wireless")];
    let refused = write_pcap(&packets).unwrap_err();
    assert_eq!(
        refused,
        WriteError::MixedLinks {
            first: LinkType::RAW,
            other: LinkType(105)
        }
    );
    assert_eq!(
        refused.to_string(),
        "could not write packets of different link types (raw IP and link type 105) to one file: \
         a packet of link type 105 holds no IP packet to put into an Ethernet frame"
    );
}
