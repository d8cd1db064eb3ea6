//! A stretch of time, half open, in UTC.

use chrono::{DateTime, TimeDelta};
use serde::{Deserialize, Serialize};

/// A point in time.
pub type Utc = DateTime<chrono::Utc>;

/// A stretch of time: `start` belongs to it, `end` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub start: Utc,
    pub end: Utc,
}

impl Window {
    /// The length; zero where the end does not follow the start.
    pub fn length(&self) -> TimeDelta {
        (self.end - self.start).max(TimeDelta::zero())
    }

    /// Whether `at` lies inside.
    pub fn contains(&self, at: Utc) -> bool {
        self.start <= at && at < self.end
    }

    /// Whether all of `other` lies inside.
    pub fn covers(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// What both have in common, or `None` where that is nothing.
    pub fn overlap(&self, other: &Self) -> Option<Self> {
        let (start, end) = (self.start.max(other.start), self.end.min(other.end));
        (start < end).then_some(Self { start, end })
    }

    /// From the beginning of the earlier to the end of the later.
    #[must_use]
    pub fn hull(&self, other: &Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// What lies in this one and not in `other`: nothing, one part or two.
    pub fn without(&self, other: &Self) -> Vec<Self> {
        let before = Self {
            start: self.start,
            end: self.end.min(other.start),
        };
        let after = Self {
            start: self.start.max(other.end),
            end: self.end,
        };
        [before, after]
            .into_iter()
            .filter(|part| part.start < part.end)
            .collect()
    }

    /// The same stretch with `buffer` more on both sides.
    #[must_use]
    pub fn widened(&self, buffer: TimeDelta) -> Self {
        Self {
            start: self.start.checked_sub_signed(buffer).unwrap_or(self.start),
            end: self.end.checked_add_signed(buffer).unwrap_or(self.end),
        }
    }
}
