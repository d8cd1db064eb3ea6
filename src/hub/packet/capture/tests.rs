use std::io::Write;

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::{CaptureError, CaptureFile, load};
use crate::hub::packet::{LinkType, RawPacket, write_pcap};

/// One packet in its owned form: time, link type, bytes, length on the wire.
type Packet = (i64, u16, Vec<u8>, u32);

fn packets(file: &CaptureFile) -> Vec<Packet> {
    file.packets()
        .map(|packet| {
            (
                packet.ts_us,
                packet.link.0,
                packet.data.to_vec(),
                packet.original_len,
            )
        })
        .collect()
}

fn open(data: &[u8]) -> CaptureFile {
    CaptureFile::from_bytes("node-1.pcap", data.to_vec()).unwrap()
}

/// A legacy file by hand, in any byte order, with µs or ns.
fn legacy(big_endian: bool, magic: u32, records: &[(u32, u32, &[u8])]) -> Vec<u8> {
    let word = |value: u32| {
        if big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let version = if big_endian { [0, 2, 0, 4] } else { [2, 0, 4, 0] };
    let mut file = [word(magic), version, [0; 4], [0; 4], word(65_535), word(1)].concat();
    for (seconds, fraction, data) in records {
        let length = u32::try_from(data.len()).unwrap();
        for value in [*seconds, *fraction, length, length + 10] {
            file.extend_from_slice(&word(value));
        }
        file.extend_from_slice(data);
    }
    file
}

/// A pcapng block, padded.
fn block(big_endian: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let word = |value: u32| {
        if big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let padding = vec![0; (4 - body.len() % 4) % 4];
    let length = word(u32::try_from(12 + body.len() + padding.len()).unwrap());
    [&word(kind)[..], &length, body, &padding, &length].concat()
}

/// The parts of blocks, in a byte order.
fn words(big_endian: bool, values: &[u32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| {
            if big_endian {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            }
        })
        .collect()
}

fn section(big_endian: bool) -> Vec<u8> {
    let version = if big_endian { 1 << 16 } else { 1 };
    block(
        big_endian,
        0x0a0d_0d0a,
        &words(big_endian, &[0x1a2b_3c4d, version, u32::MAX, u32::MAX]),
    )
}

/// An interface with a time resolution, as option 9 says it.
fn interface(big_endian: bool, link: u16, snaplen: u32, resolution: Option<u8>) -> Vec<u8> {
    let short = |value: u16| {
        if big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let mut body = [short(link), short(0)].concat();
    body.extend(words(big_endian, &[snaplen]));
    if let Some(resolution) = resolution {
        body.extend([short(9), short(1)].concat());
        body.extend([resolution, 0, 0, 0]);
        body.extend([0; 4]);
    }
    block(big_endian, 1, &body)
}

fn enhanced(big_endian: bool, interface: u32, stamp: u64, data: &[u8]) -> Vec<u8> {
    let (high, low) = (
        u32::try_from(stamp >> 32).unwrap(),
        u32::try_from(stamp & 0xffff_ffff).unwrap(),
    );
    let length = u32::try_from(data.len()).unwrap();
    let mut body = words(big_endian, &[interface, high, low, length, length]);
    body.extend_from_slice(data);
    block(big_endian, 6, &body)
}

#[test]
fn legacy_files_of_both_byte_orders_and_resolutions() {
    for big_endian in [false, true] {
        let micros = open(&legacy(
            big_endian,
            0xa1b2_c3d4,
            &[(10, 999_999, b"ab"), (9, 5, b"")],
        ));
        assert_eq!(
            packets(&micros),
            [
                (10_999_999, 1, b"ab".to_vec(), 12),
                (9_000_005, 1, Vec::new(), 10)
            ],
            "big endian: {big_endian}"
        );
        assert_eq!(
            (micros.packet_count(), micros.span(), micros.problem()),
            (2, Some((9_000_005, 10_999_999)), None)
        );
        let nanos = open(&legacy(big_endian, 0xa1b2_3c4d, &[(10, 999_999_999, b"ab")]));
        assert_eq!(packets(&nanos)[0].0, 10_999_999);
    }
}

#[test]
fn pcapng_with_several_interfaces_and_resolutions() {
    for big_endian in [false, true] {
        let mut file = section(big_endian);
        file.extend(interface(big_endian, 1, 0, None));
        file.extend(interface(big_endian, 113, 4, Some(9)));
        // 2^-10 of a second
        file.extend(interface(big_endian, 276, 0, Some(0x8a)));
        file.extend(enhanced(big_endian, 0, 5_000_001, b"micro"));
        file.extend(enhanced(big_endian, 1, 6_000_000_999, b"nano"));
        file.extend(enhanced(big_endian, 2, 7 * 1024 + 512, b"binary"));
        // a block nobody knows
        file.extend(block(big_endian, 0x0bad, b"whatever"));
        // a simple packet has no time of its own
        let mut simple = words(big_endian, &[6]);
        simple.extend_from_slice(b"simple");
        file.extend(block(big_endian, 3, &simple));
        // an old packet block: interface 1, no drops
        let first = if big_endian { 1 << 16 } else { 1 };
        let mut old = words(big_endian, &[first, 1, 3_705_032_704, 3, 9]);
        old.extend_from_slice(b"old");
        file.extend(block(big_endian, 2, &old));
        // a new section forgets the interfaces, and may have the other byte order
        file.extend(section(!big_endian));
        file.extend(interface(!big_endian, 101, 0, Some(3)));
        file.extend(enhanced(!big_endian, 0, 9_001, b"raw"));
        let file = open(&file);
        assert_eq!(file.problem(), None);
        assert_eq!(
            packets(&file),
            [
                (5_000_001, 1, b"micro".to_vec(), 5),
                (6_000_000, 113, b"nano".to_vec(), 4),
                (7_500_000, 276, b"binary".to_vec(), 6),
                (7_500_000, 1, b"simple".to_vec(), 6),
                (8_000_000, 113, b"old".to_vec(), 9),
                (9_001_000, 101, b"raw".to_vec(), 3),
            ],
            "big endian: {big_endian}"
        );
    }
}

#[test]
fn a_truncated_file_gives_what_is_whole() {
    let whole = legacy(false, 0xa1b2_c3d4, &[(1, 0, b"first"), (2, 0, b"second")]);
    for end in 24 + 16 + 5 + 1..whole.len() {
        let file = open(&whole[..end]);
        let problem = file.problem().unwrap();
        assert_eq!((file.packet_count(), problem.offset), (1, 45), "cut at {end}");
        assert!(problem.why.contains("cut off"), "{problem:?}");
    }
    let ng = [
        section(false),
        interface(false, 1, 0, None),
        enhanced(false, 0, 1, b"one"),
    ]
    .concat();
    let cut = open(&[&ng[..], &enhanced(false, 0, 2, b"two")[..20]].concat());
    assert_eq!(
        (cut.packet_count(), cut.problem().unwrap().offset),
        (1, ng.len() as u64)
    );
}

#[test]
fn a_damaged_file_gives_what_is_before_the_damage() {
    let mut file = legacy(false, 0xa1b2_c3d4, &[(1, 0, b"first"), (2, 0, b"second")]);
    file[45 + 8..45 + 12].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    let damaged = open(&file);
    assert_eq!(damaged.packet_count(), 1);
    assert_eq!(
        damaged.problem().unwrap().why,
        "a damaged record: it claims a packet of 2147483647 bytes"
    );
    let strange = [section(false), enhanced(false, 3, 1, b"x")].concat();
    assert_eq!(
        open(&strange).problem().unwrap().why,
        "a packet of interface 3, which is not described"
    );
}

#[test]
fn what_is_no_capture_is_refused_with_what_it_is() {
    let refuse = |data: &[u8]| {
        CaptureFile::from_bytes("x.pcap", data.to_vec())
            .unwrap_err()
            .to_string()
    };
    let known = |found: &str| {
        format!("`x.pcap` is no capture: it {found}; pcap and pcapng are read, also compressed with zstd")
    };
    assert_eq!(refuse(b""), known("is empty"));
    assert_eq!(
        refuse(b"\x1f\x8b\x08\x00"),
        known("is compressed with gzip: unpack it with `gunzip` first")
    );
    assert_eq!(
        refuse(b"{\"format\": 1}\n"),
        known("begins with the text \"{\\\"format\\\": 1}\\n\"")
    );
    assert_eq!(
        refuse(&[0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3, 4]),
        known("begins with the bytes de ad be ef 00 01 02 03")
    );
    // the pcapng magic alone is line ends
    assert_eq!(
        refuse(b"\n\r\r\nhello there"),
        known("begins with the text \"\\n\\r\\r\\nhello there\"")
    );
}

#[test]
fn zstd_is_decompressed_and_its_damage_told() {
    let mut plain = legacy(false, 0xa1b2_c3d4, &[]);
    for second in 0..20_000_u32 {
        let body: Vec<u8> = second.to_le_bytes().iter().cycle().take(40).copied().collect();
        let record = legacy(false, 0xa1b2_c3d4, &[(second, 0, &body)]);
        plain.extend_from_slice(&record[24..]);
    }
    let packed = compress_to_vec(&plain[..], CompressionLevel::Fastest);
    let file = open(&packed);
    assert_eq!(
        (file.packet_count(), file.problem(), file.size()),
        (20_000, None, plain.len() as u64)
    );

    // a file of two frames, with one to be skipped between them
    let half = 24 + 56 * 100;
    let frames = [
        compress_to_vec(&plain[..half], CompressionLevel::Fastest),
        vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3],
        compress_to_vec(&plain[half..], CompressionLevel::Fastest),
    ];
    assert_eq!(open(&frames.concat()).packet_count(), 20_000);

    let cut = open(&packed[..packed.len() / 2]);
    assert!(
        (1..20_000).contains(&cut.packet_count()),
        "{}",
        cut.packet_count()
    );
    assert!(cut.problem().unwrap().why.contains("zstd"), "{:?}", cut.problem());

    let junk = CaptureFile::from_bytes("x.pcap.zst", vec![0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff]).unwrap_err();
    assert!(
        junk.to_string().contains("zstd file that cannot be decompressed"),
        "{junk}"
    );
}

#[test]
fn a_file_larger_than_the_limit_is_refused() {
    let plain = legacy(false, 0xa1b2_c3d4, &[(1, 0, &[7; 5000])]);
    let packed = compress_to_vec(&plain[..], CompressionLevel::Fastest);
    for data in [plain, packed] {
        let refused = CaptureFile::with_limit("big.pcap", data, 1000).unwrap_err();
        assert!(
            matches!(refused, CaptureError::TooLarge { limit: 1000, .. }),
            "{refused}"
        );
    }
}

#[test]
fn files_are_loaded_by_their_content_not_their_name() {
    let written = write_pcap(&[RawPacket {
        ts_us: 5,
        link: LinkType::RAW,
        data: b"E",
        original_len: 1,
    }])
    .unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&compress_to_vec(&written[..], CompressionLevel::Fastest))
        .unwrap();
    let loaded = load(file.path()).unwrap();
    assert_eq!(
        (loaded.packet_count(), loaded.name()),
        (1, file.path().to_str().unwrap())
    );
    let missing = load(&file.path().join("nowhere")).unwrap_err();
    assert!(
        missing.to_string().starts_with("could not read the capture `"),
        "{missing}"
    );
}
