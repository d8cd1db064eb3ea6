//! Bodies: where they end, and what of them is kept.

use crate::hub::entry::Body;

/// The longest line of a chunk size with its extensions, or of a trailer, bytes.
const MAX_LINE: u32 = 16 << 10;
/// All trailer lines of one message, bytes.
const MAX_TRAILERS: u32 = 64 << 10;

/// How the end of a body is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunks),
    /// When the sender closes.
    UntilClose,
}

/// Where in the chunked coding (RFC 9112, 7.1) a body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// In the line with the size.
    Size {
        value: u64,
        digits: u32,
        length: u32,
        ended: bool,
    },
    /// So many bytes of the chunk are still to come.
    Data(u64),
    /// In the line end after a chunk.
    DataEnd,
    /// In the lines after the last chunk: length of this line, and of all.
    Trailer { line: u32, all: u32 },
}

impl Chunks {
    const START: Self = Self::Size {
        value: 0,
        digits: 0,
        length: 0,
        ended: false,
    };
}

/// What a piece of data did to a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All of it belongs to the body, which goes on.
    More,
    /// The body ends after so many bytes.
    Done(usize),
    /// After so many bytes it is no valid body any more.
    Broken(usize),
}

impl Framing {
    pub(super) fn chunked() -> Self {
        Self::Chunked(Chunks::START)
    }

    /// Whether there is nothing to come.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::Length(0)
    }

    /// Takes what of `data` belongs to the body, and keeps it up to `limit` bytes.
    pub(super) fn feed(&mut self, data: &[u8], body: &mut Body, limit: usize) -> Progress {
        match self {
            Self::UntilClose => {
                keep(body, data, limit);
                Progress::More
            }
            Self::Length(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(data.len());
                keep(body, data.get(..taken).unwrap_or_default(), limit);
                *left -= taken as u64;
                if *left == 0 {
                    Progress::Done(taken)
                } else {
                    Progress::More
                }
            }
            Self::Chunked(chunks) => chunks.feed(data, body, limit),
        }
    }

    /// Bridges `length` missing bytes where they are certain to lie within the body's data: whether
    /// that was possible.
    pub(super) fn skip(&mut self, length: u64, body: &mut Body) -> bool {
        match self {
            Self::Length(left) | Self::Chunked(Chunks::Data(left)) if length <= *left => *left -= length,
            Self::UntilClose if length != u64::MAX => {}
            _ => return false,
        }
        if let Self::Chunked(chunks @ Chunks::Data(0)) = self {
            *chunks = Chunks::DataEnd;
        }
        body.size = body.size.saturating_add(length);
        true
    }
}

fn keep(body: &mut Body, data: &[u8], limit: usize) {
    // once bytes are missing in what is kept, later ones would stand in the wrong place
    let contiguous = body.kept.len() as u64 == body.size;
    body.size = body.size.saturating_add(data.len() as u64);
    let room = limit.saturating_sub(body.kept.len()).min(data.len());
    if contiguous && room > 0 {
        body.kept.extend_from_slice(data.get(..room).unwrap_or_default());
    }
}

impl Chunks {
    fn feed(&mut self, data: &[u8], body: &mut Body, limit: usize) -> Progress {
        let mut at = 0;
        while let Some(&byte) = data.get(at) {
            match self {
                Self::Data(left) => {
                    let rest = data.get(at..).unwrap_or_default();
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    keep(body, rest.get(..taken).unwrap_or_default(), limit);
                    *left -= taken as u64;
                    at += taken;
                    if *left == 0 {
                        *self = Self::DataEnd;
                    }
                    continue;
                }
                Self::DataEnd => match byte {
                    b'\r' => {}
                    b'\n' => *self = Self::START,
                    _ => return Progress::Broken(at),
                },
                Self::Size {
                    value,
                    digits,
                    length,
                    ended,
                } => {
                    *length += 1;
                    match char::from(byte).to_digit(16) {
                        Some(digit) if !*ended && *digits < 16 => {
                            *value = (*value << 4) | u64::from(digit);
                            *digits += 1;
                        }
                        _ if byte == b'\n' && *digits > 0 => {
                            *self = match *value {
                                0 => Self::Trailer { line: 0, all: 0 },
                                size => Self::Data(size),
                            };
                        }
                        // the extension, or the spaces some servers pad with
                        _ if *digits > 0
                            && *length < MAX_LINE
                            && (*ended || matches!(byte, b';' | b' ' | b'\t' | b'\r')) =>
                        {
                            *ended = true;
                        }
                        _ => return Progress::Broken(at),
                    }
                }
                Self::Trailer { line, all } => {
                    *all += 1;
                    match byte {
                        b'\n' if *line == 0 => return Progress::Done(at + 1),
                        b'\n' => *line = 0,
                        b'\r' => {}
                        _ => *line += 1,
                    }
                    if *line > MAX_LINE || *all > MAX_TRAILERS {
                        return Progress::Broken(at);
                    }
                }
            }
            at += 1;
        }
        Progress::More
    }
}
