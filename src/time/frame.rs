//! What a wall time is read against: a zone with its rules, or a fixed offset.

use chrono::{FixedOffset, NaiveDateTime};

use super::zone::{Zone, instant, long_offset};
use super::{Utc, zone};

/// A zone, or a fixed offset such as `+02:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Zone(Zone),
    Fixed(FixedOffset),
}

/// When a clock shows a given wall time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WallTime {
    Once(Utc),
    /// The clocks were set back over it.
    Twice {
        first: Utc,
        second: Utc,
    },
    /// The clocks were set forward over it.
    Skipped {
        /// Where a clock that was not set forward shows it.
        forward: Utc,
        /// The moment the clocks were set forward.
        change: Utc,
        /// Where a clock that was set forward too early shows it.
        backward: Utc,
    },
}

impl WallTime {
    /// The earliest instant meant, skipped times taken forward.
    pub(super) fn earliest(self) -> Utc {
        match self {
            Self::Once(at) | Self::Twice { first: at, .. } | Self::Skipped { forward: at, .. } => at,
        }
    }

    /// The latest instant meant, skipped times taken forward.
    pub(super) fn latest(self) -> Utc {
        match self {
            Self::Once(at) | Self::Twice { second: at, .. } | Self::Skipped { forward: at, .. } => at,
        }
    }

    /// The first instant at which the clock shows this time or a later one of that day.
    pub(super) fn reached(self) -> Utc {
        match self {
            Self::Once(at) | Self::Twice { first: at, .. } | Self::Skipped { change: at, .. } => at,
        }
    }
}

impl Frame {
    pub(super) fn local(self, at: Utc) -> NaiveDateTime {
        match self {
            Self::Zone(zone) => zone.local(at),
            Self::Fixed(offset) => at
                .naive_utc()
                .checked_add_offset(offset)
                .unwrap_or_else(|| at.naive_utc()),
        }
    }

    pub(super) fn on(self, wall: NaiveDateTime) -> WallTime {
        match self {
            Self::Zone(zone) => zone.on(wall),
            Self::Fixed(offset) => WallTime::Once(instant(wall, offset)),
        }
    }

    /// The letters or offset this clock would be labelled with at `at`.
    pub(super) fn label(self, at: Utc) -> String {
        match self {
            Self::Zone(zone) => zone.abbreviation(at),
            Self::Fixed(offset) => zone::short_offset(offset),
        }
    }

    /// What the frame is called: `America/New_York`, `UTC+02:00`.
    pub(super) fn name(self) -> String {
        match self {
            Self::Zone(zone) => zone.name().to_owned(),
            Self::Fixed(offset) => long_offset(offset),
        }
    }
}
