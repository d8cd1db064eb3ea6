//! What a plan may spend.

/// Calls and bytes of answers that are left. A plan spends them before it asks, by estimate, and settles with
/// what the answers had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub calls: u32,
    /// Bytes of answers.
    pub bytes: u64,
}

impl Budget {
    /// Whether this much more can be asked.
    pub(super) fn allows(&self, calls: u32, bytes: u64) -> bool {
        calls <= self.calls && bytes <= self.bytes
    }

    #[must_use]
    pub(super) fn less(self, calls: u32, bytes: u64) -> Self {
        Self {
            calls: self.calls.saturating_sub(calls),
            bytes: self.bytes.saturating_sub(bytes),
        }
    }

    /// What share of what is left this would take, calls and bytes added up: what makes a long list and many
    /// short questions comparable.
    #[expect(clippy::cast_precision_loss, reason = "calls and bytes stay far below 2^52")]
    pub(super) fn share(&self, calls: u64, bytes: u64) -> f64 {
        calls as f64 / f64::from(self.calls.max(1)) + bytes as f64 / self.bytes.max(1) as f64
    }
}
