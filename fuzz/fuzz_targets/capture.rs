//! Any bytes as a capture file, through the whole dissector.
#![no_main]

mod packets;

use libfuzzer_sys::fuzz_target;
use rca_agent::hub::dissect::Dissector;
use rca_agent::hub::packet::{CaptureFile, RawPacket, write_pcap};

fuzz_target!(|data: &[u8]| {
    let Ok(capture) = CaptureFile::with_limit("fuzz", data.to_vec(), 8 << 20) else {
        return;
    };
    let mut dissector = Dissector::new(packets::limits());
    let mut entries = Vec::new();
    let mut all: Vec<RawPacket<'_>> = Vec::new();
    for packet in capture.packets() {
        dissector.packet(&packet);
        dissector.drain(&mut entries);
        all.push(packet);
    }
    entries.extend(dissector.finish());
    packets::check(&entries, &packets::limits());
    assert_eq!(all.len() as u64, capture.packet_count());
    assert_eq!(dissector.stats().packets, capture.packet_count());
    // what can be written can be read
    if let Ok(written) = write_pcap(&all) {
        let again = CaptureFile::from_bytes("again", written).expect("a capture of our own");
        assert_eq!(
            (again.packet_count(), again.problem()),
            (capture.packet_count(), None)
        );
    }
});
