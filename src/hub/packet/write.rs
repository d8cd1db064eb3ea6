//! Writes capture files.

use thiserror::Error;

use super::link::to_ethernet;
use super::{LinkType, RawPacket};

/// Why packets cannot be written to one file.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    #[error(
        "could not write packets of different link types ({first} and {other}) to one file: \
         a packet of {other} holds no IP packet to put into an Ethernet frame"
    )]
    MixedLinks { first: LinkType, other: LinkType },
}

/// A legacy pcap file (µs, little-endian) of `packets` in the given order.
///
/// Such a file has one link type. Where packets differ in it, as those of several nodes may, all become
/// Ethernet frames, with zero MAC addresses where the capture had none.
pub fn write_pcap(packets: &[RawPacket<'_>]) -> Result<Vec<u8>, WriteError> {
    let first = packets.first().map_or(LinkType::ETHERNET, |packet| packet.link);
    let mixed = packets.iter().any(|packet| packet.link != first);
    let link = if mixed { LinkType::ETHERNET } else { first };

    let bytes: usize = packets.iter().map(|packet| packet.data.len() + 30).sum();
    let mut file = Vec::with_capacity(bytes + 24);
    file.extend_from_slice(&0xa1b2_c3d4_u32.to_le_bytes());
    file.extend_from_slice(&2_u16.to_le_bytes());
    file.extend_from_slice(&4_u16.to_le_bytes());
    file.extend_from_slice(&[0; 8]);
    file.extend_from_slice(&262_144_u32.to_le_bytes());
    file.extend_from_slice(&u32::from(link.0).to_le_bytes());

    for packet in packets {
        if mixed && packet.link != LinkType::ETHERNET {
            let frame = to_ethernet(packet.link, packet.data).ok_or(WriteError::MixedLinks {
                first,
                other: packet.link,
            })?;
            let lost = packet.original_len.saturating_sub(len_u32(packet.data));
            record(
                &mut file,
                packet.ts_us,
                &frame,
                len_u32(&frame).saturating_add(lost),
            );
        } else {
            record(
                &mut file,
                packet.ts_us,
                packet.data,
                packet.original_len.max(len_u32(packet.data)),
            );
        }
    }
    Ok(file)
}

fn record(file: &mut Vec<u8>, ts_us: i64, data: &[u8], original_len: u32) {
    // the format has 32 unsigned bits for seconds: 1970 to 2106
    let seconds = u32::try_from(ts_us.div_euclid(1_000_000).max(0)).unwrap_or(u32::MAX);
    let micros = u32::try_from(ts_us.rem_euclid(1_000_000)).unwrap_or_default();
    for word in [seconds, micros, len_u32(data), original_len] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    file.extend_from_slice(data);
}

fn len_u32(data: &[u8]) -> u32 {
    u32::try_from(data.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
