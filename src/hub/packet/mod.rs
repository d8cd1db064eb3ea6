//! Capture files and the packets in them: reading, writing, link and network headers.
//!
//! [`load`] opens a file, [`CaptureFile::packets`] walks it, [`headers::decode`] finds the TCP
//! segment or UDP datagram in a packet, [`write_pcap`] makes a file other tools read.

mod blocks;
mod capture;
pub mod fragments;
pub mod headers;
mod link;
mod write;

pub use capture::{CaptureError, CaptureFile, CaptureProblem, MAX_CAPTURE_BYTES, RawPacket, load};
pub(in crate::hub) use capture::{ZSTD_MAGIC, decompress};
pub use link::LinkType;
pub use write::{WriteError, write_pcap};
