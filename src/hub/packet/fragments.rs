//! Puts fragmented IP packets together again, within limits.

use std::collections::HashMap;
use std::net::IpAddr;

use etherparse::IpNumber;
use etherparse::defrag::IpDefragBuf;

use super::headers::Fragment;

/// Packets being put together at the same time; a fragmented packet is at most 64 KiB.
const MAX_OPEN: usize = 256;
/// How long one may take, µs (RFC 791 suggests 15 s, Linux uses 30 s).
const MAX_AGE_US: i64 = 30_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    protocol: u8,
}

/// Fragmented packets of which some pieces are still missing.
#[derive(Debug, Default)]
pub struct Fragments {
    open: HashMap<Key, (i64, IpDefragBuf)>,
}

impl Fragments {
    /// Adds a fragment; gives the payload of the whole packet when it was the last missing one.
    pub fn add(&mut self, fragment: &Fragment<'_>, ts_us: i64) -> Option<Vec<u8>> {
        let Fragment {
            src,
            dst,
            id,
            protocol,
            ..
        } = *fragment;
        let key = Key {
            src,
            dst,
            id,
            protocol,
        };
        if !self.open.contains_key(&key) && self.open.len() >= MAX_OPEN {
            self.make_room(ts_us);
        }
        let (_, pieces) = self.open.entry(key).or_insert_with(|| {
            (
                ts_us,
                IpDefragBuf::new(IpNumber(fragment.protocol), Vec::new(), Vec::new()),
            )
        });
        // contradicting pieces: none of them can be trusted
        let added = pieces.add(fragment.offset, fragment.more, fragment.payload);
        if added.is_ok() && !pieces.is_complete() {
            return None;
        }
        let (_, whole) = self.open.remove(&key)?;
        added.ok().map(|()| whole.take_bufs().0)
    }

    /// Drops what is too old, and the oldest where nothing is.
    fn make_room(&mut self, now_us: i64) {
        self.open
            .retain(|_, (begun, _)| now_us.saturating_sub(*begun) < MAX_AGE_US);
        if self.open.len() >= MAX_OPEN
            && let Some(oldest) = self
                .open
                .iter()
                .min_by_key(|(key, (begun, _))| (*begun, key.id))
                .map(|(key, _)| *key)
        {
            self.open.remove(&oldest);
        }
    }
}
