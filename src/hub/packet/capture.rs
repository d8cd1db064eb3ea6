//! Capture files as a whole: opening, limits, damage.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use thiserror::Error;

use super::LinkType;
use super::blocks::{Layout, Packets};

/// A capture file may hold at most this much, decompressed, bytes.
pub const MAX_CAPTURE_BYTES: u64 = 4 << 30;

pub(in crate::hub) const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A packet as it lies in a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawPacket<'a> {
    /// When it was captured, Unix µs.
    pub ts_us: i64,
    pub link: LinkType,
    /// From the link header on, as far as it was kept.
    pub data: &'a [u8],
    /// Length on the wire, bytes.
    pub original_len: u32,
}

/// Why a capture file cannot be read at all.
#[derive(Debug, Error)]
pub enum CaptureError {
    #[error("could not read the capture `{name}`")]
    Read { name: String, source: io::Error },
    #[error("the capture `{name}` is larger than {limit} bytes; cut it, for example with `editcap -i 600`")]
    TooLarge { name: String, limit: u64 },
    #[error("`{name}` is no capture: it {found}; pcap and pcapng are read, also compressed with zstd")]
    NotACapture { name: String, found: String },
}

/// Where and why the reading of a file ended before its end. The packets before it are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureProblem {
    /// Offset in the (decompressed) file, bytes.
    pub offset: u64,
    pub why: String,
}

/// A capture file in memory.
#[derive(Clone, Debug)]
pub struct CaptureFile {
    name: String,
    data: Arc<Vec<u8>>,
    layout: Layout,
    packets: u64,
    span: Option<(i64, i64)>,
    problem: Option<CaptureProblem>,
}

/// Reads a capture file, decompressing it where it is zstd.
pub fn load(path: &Path) -> Result<CaptureFile, CaptureError> {
    let name = path.display().to_string();
    let read = |name: &str| -> io::Result<Result<Vec<u8>, CaptureError>> {
        let mut data = Vec::new();
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        if size > MAX_CAPTURE_BYTES {
            return Ok(Err(CaptureError::TooLarge {
                name: name.to_owned(),
                limit: MAX_CAPTURE_BYTES,
            }));
        }
        data.reserve_exact(usize::try_from(size).unwrap_or_default());
        // what is no regular file has no size that could be trusted
        (&mut file).take(MAX_CAPTURE_BYTES).read_to_end(&mut data)?;
        Ok(Ok(data))
    };
    match read(&name) {
        Ok(Ok(data)) => CaptureFile::from_bytes(&name, data),
        Ok(Err(err)) => Err(err),
        Err(source) => Err(CaptureError::Read { name, source }),
    }
}

impl CaptureFile {
    /// Reads a capture from memory, decompressing it where it is zstd. `name` is for messages.
    pub fn from_bytes(name: &str, data: Vec<u8>) -> Result<Self, CaptureError> {
        Self::with_limit(name, data, MAX_CAPTURE_BYTES)
    }

    /// The same with another limit than [`MAX_CAPTURE_BYTES`] for the decompressed size, bytes.
    pub fn with_limit(name: &str, data: Vec<u8>, limit: u64) -> Result<Self, CaptureError> {
        let (data, cut) = if data.starts_with(&ZSTD_MAGIC) {
            decompress(name, &data, limit)?
        } else if data.len() as u64 > limit {
            return Err(CaptureError::TooLarge {
                name: name.to_owned(),
                limit,
            });
        } else {
            (data, None)
        };
        let Some(layout) = Layout::of(&data) else {
            let found = cut.map_or_else(|| describe(&data), |cut| cut.why);
            return Err(CaptureError::NotACapture {
                name: name.to_owned(),
                found,
            });
        };
        let mut walk = Packets::new(&data, layout);
        let (mut packets, mut span) = (0, None);
        for packet in &mut walk {
            packets += 1;
            let (first, last) = span.unwrap_or((packet.ts_us, packet.ts_us));
            span = Some((packet.ts_us.min(first), packet.ts_us.max(last)));
        }
        let problem = cut.or_else(|| walk.problem().cloned());
        Ok(Self {
            name: name.to_owned(),
            data: Arc::new(data),
            layout,
            packets,
            span,
            problem,
        })
    }

    /// What the file is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The packets, in the order of the file (which is mostly, not always, that of time).
    pub fn packets(&self) -> impl Iterator<Item = RawPacket<'_>> {
        Packets::new(&self.data, self.layout)
    }

    /// Number of packets that can be read.
    pub fn packet_count(&self) -> u64 {
        self.packets
    }

    /// Time of the earliest and of the latest packet, Unix µs; `None` without packets.
    pub fn span(&self) -> Option<(i64, i64)> {
        self.span
    }

    /// What ended the reading before the end of the file.
    pub fn problem(&self) -> Option<&CaptureProblem> {
        self.problem.as_ref()
    }

    /// Size of the (decompressed) file, bytes.
    pub fn size(&self) -> u64 {
        self.data.len() as u64
    }
}

/// Decompresses the frames of a zstd file. Damage after the first bytes is a problem, no error:
/// what came before it is still good.
pub(in crate::hub) fn decompress(
    name: &str,
    mut source: &[u8],
    limit: u64,
) -> Result<(Vec<u8>, Option<CaptureProblem>), CaptureError> {
    let mut data = Vec::new();
    let stopped = |data: &Vec<u8>, why: String| {
        let why = format!("is a zstd file that cannot be decompressed further: {why}");
        CaptureProblem {
            offset: data.len() as u64,
            why,
        }
    };
    while !source.is_empty() {
        let mut decoder = match StreamingDecoder::new(&mut source) {
            Ok(decoder) => decoder,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                source = usize::try_from(length)
                    .ok()
                    .and_then(|length| source.get(length..))
                    .unwrap_or(&[]);
                continue;
            }
            Err(err) => {
                let problem = stopped(&data, err.to_string());
                return Ok((data, Some(problem)));
            }
        };
        let room = (limit + 1).saturating_sub(data.len() as u64);
        let read = (&mut decoder).take(room).read_to_end(&mut data);
        if data.len() as u64 > limit {
            return Err(CaptureError::TooLarge {
                name: name.to_owned(),
                limit,
            });
        }
        if let Err(err) = read {
            let problem = stopped(&data, err.to_string());
            return Ok((data, Some(problem)));
        }
    }
    Ok((data, None))
}

/// Says what a file that is no capture looks like.
fn describe(data: &[u8]) -> String {
    let known: [(&[u8], &str); 8] = [
        (
            &[0x1f, 0x8b],
            "is compressed with gzip: unpack it with `gunzip` first",
        ),
        (b"PK\x03\x04", "is a zip archive: unpack it first"),
        (
            &[0xfd, b'7', b'z', b'X', b'Z'],
            "is compressed with xz: unpack it with `unxz` first",
        ),
        (b"BZh", "is compressed with bzip2: unpack it with `bunzip2` first"),
        (
            &[0x04, 0x22, 0x4d, 0x18],
            "is compressed with lz4: unpack it with `unlz4` first",
        ),
        (
            b"snoop\0",
            "is a snoop capture: convert it with `editcap -F pcap`",
        ),
        (b"\x7fELF", "is a program"),
        (
            b"GMBU",
            "is a Network Monitor capture: convert it with `editcap -F pcap`",
        ),
    ];
    if data.is_empty() {
        return "is empty".to_owned();
    }
    if let Some((_, what)) = known.iter().find(|(magic, _)| data.starts_with(magic)) {
        return (*what).to_owned();
    }
    let head = data.get(..data.len().min(32)).unwrap_or_default();
    if head
        .iter()
        .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
    {
        return format!("begins with the text {:?}", String::from_utf8_lossy(head));
    }
    let hex: Vec<String> = head.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("begins with the bytes {}", hex.join(" "))
}

#[cfg(test)]
mod tests;
