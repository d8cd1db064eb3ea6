//! What of a server's numbers can be relied on.

use crate::wire::decode::CallList;

/// Learnt once a session and kept: give it to the next plan of the same session.
///
/// Only what was proven is used. Unproven numbers are those of a server that counts what it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counting {
    /// `total` counts every match, not only the rows of the answer. `None` before it was looked at.
    pub totals: Option<bool>,
    /// Statistics count every match, each under the service called.
    pub statistics: Option<bool>,
    /// A list that is cut holds the oldest matches, oldest first: so the next one can begin where it ends.
    pub oldest_first: Option<bool>,
    /// Size of a row of a list as seen so far, bytes.
    pub row_bytes: u64,
    /// Size of an answer of statistics, bytes.
    pub statistics_bytes: u64,
}

impl Default for Counting {
    fn default() -> Self {
        Self {
            totals: None,
            statistics: None,
            oldest_first: None,
            // An indented row of a cluster with names of usual length.
            row_bytes: 700,
            statistics_bytes: 16_000,
        }
    }
}

impl Counting {
    /// What two lists of the same calls prove: one that is complete, with at least two rows, and one of a single
    /// row.
    pub fn proven(complete: &CallList, single: &CallList) -> Self {
        let rows = u64::try_from(complete.calls.len()).unwrap_or(u64::MAX);
        let whole = !complete.truncated && complete.unreadable == 0 && rows >= 2;
        Self {
            totals: Some(whole && single.total == Some(rows)),
            statistics: Some(false),
            oldest_first: Some(whole && in_order(complete, single)),
            ..Self::default()
        }
    }

    /// Whether it was looked at.
    pub fn is_known(&self) -> bool {
        self.totals.is_some()
    }

    pub(super) fn by_totals(&self) -> bool {
        self.totals == Some(true)
    }

    pub(super) fn by_statistics(&self) -> bool {
        self.statistics == Some(true)
    }

    pub(super) fn in_order(&self) -> bool {
        self.oldest_first == Some(true)
    }

    /// Takes note of the size of a list.
    pub(super) fn saw_rows(&mut self, rows: usize, bytes: u64) {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        if rows >= 20 {
            self.row_bytes = (bytes / rows).max(1);
        }
    }

    pub(super) fn saw_statistics(&mut self, bytes: u64) {
        self.statistics_bytes = self.statistics_bytes.max(bytes);
        if bytes > 0 && self.statistics.is_none() {
            self.statistics_bytes = bytes;
        }
    }

    /// What lists of this many rows have, bytes.
    pub(super) fn list_bytes(&self, rows: u64) -> u64 {
        rows.saturating_mul(self.row_bytes).saturating_add(100)
    }

    /// How calls are counted, in words.
    pub fn words(&self) -> &'static str {
        match (self.totals, self.by_totals(), self.by_statistics()) {
            (None, ..) => "how the server counts is not known yet",
            (_, true, true) => "`total` counts every match, and the statistics count every service",
            (_, true, false) => "`total` counts every match",
            (_, false, true) => "`total` is not a count, but the statistics count every service",
            (_, false, false) => "the server counts nothing reliably: rows are counted",
        }
    }
}

/// Whether a complete list is in order, and a cut one of the same calls begins with its oldest.
pub(super) fn in_order(complete: &CallList, cut: &CallList) -> bool {
    let sorted = complete.calls.is_sorted_by(|a, b| a.ts <= b.ts);
    let (oldest, first) = (complete.calls.first(), cut.calls.first());
    // Where all began at once, their order tells nothing.
    let apart = complete.calls.last().map(|call| call.ts) > oldest.map(|call| call.ts);
    sorted && apart && first.is_some() && first.map(|call| &call.id) == oldest.map(|call| &call.id)
}
