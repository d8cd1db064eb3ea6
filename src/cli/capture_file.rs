//! A capture file on this machine: how large it is, its hash, and what is in it.

use std::{fs::File, io::Read, path::Path};

use sha2::{Digest, Sha256};

use crate::{error::AppError, hub::Capture, journal, time::Utc};

/// The file as it lies here.
pub(super) struct Local {
    pub(super) size: u64,
    pub(super) sha256: String,
    pub(super) packets: Option<u64>,
    /// Of the first and the last packet.
    pub(super) span: Option<(Utc, Utc)>,
}

/// Size and hash of a file, where it lies on this machine.
pub(super) fn hashed(path: &Path) -> Result<Option<(u64, String)>, AppError> {
    let Ok(mut file) = File::open(path) else {
        return Ok(None);
    };
    let unreadable = |error: std::io::Error| {
        AppError::environment(format!("could not read `{}`", path.display())).because(&error)
    };
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(unreadable)? {
            0 => break,
            read => {
                size += read as u64;
                hash.update(buffer.get(..read).unwrap_or_default());
            }
        }
    }
    Ok(Some((size, journal::hex(&hash.finalize()))))
}

/// What lies in a file that a server wrote; `None` where it cannot be opened here.
pub(super) fn local(path: &Path) -> Result<Option<Local>, AppError> {
    let Some((size, sha256)) = hashed(path)? else {
        return Ok(None);
    };
    // What the server left is read as any capture is: a file that nobody can open is told here.
    let capture = Capture::open(path).ok();
    let at = |micros| Utc::from_timestamp_micros(micros);
    Ok(Some(Local {
        size,
        sha256,
        packets: capture.as_ref().map(Capture::packet_count),
        span: capture
            .and_then(|capture| capture.span())
            .and_then(|span| Some((at(span.start_us)?, at(span.end_us)?))),
    }))
}
