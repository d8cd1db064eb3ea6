//! Parts of a histogram.

use std::collections::BTreeMap;

use super::super::dimension::{Hold, Value};
use crate::time::Window;

/// A stretch of time by a group of values, one hold a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) window: Window,
    pub(super) group: Vec<Hold>,
}

impl Region {
    pub(super) fn during(&self, window: Window) -> Self {
        Self {
            window,
            group: self.group.clone(),
        }
    }

    pub(super) fn holding(&self, at: usize, hold: Hold) -> Self {
        let mut region = self.clone();
        if let Some(place) = region.group.get_mut(at) {
            *place = hold;
        }
        region
    }

    /// The values, where there is one in every dimension.
    pub(super) fn values(&self) -> Option<Vec<Value>> {
        self.group.iter().map(|hold| hold.value().cloned()).collect()
    }

    /// The first dimension without a single value.
    pub(super) fn undecided(&self) -> Option<usize> {
        self.group.iter().position(|hold| hold.value().is_none())
    }
}

/// What is known to be in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) total: u64,
    /// By service called, where statistics told.
    pub(super) by: Option<BTreeMap<Value, u64>>,
}

impl Known {
    pub(super) fn of(total: u64) -> Self {
        Self { total, by: None }
    }

    /// What is left when the parts are taken away; `None` where they are more than the whole.
    pub(super) fn without(&self, parts: &[Known]) -> Option<Self> {
        let mut total = self.total;
        let mut by = self.by.clone();
        for part in parts {
            total = total.checked_sub(part.total)?;
            by = match (by, &part.by) {
                (Some(mut left), Some(part)) => {
                    for (value, calls) in part {
                        let of = left.get_mut(value)?;
                        *of = of.checked_sub(*calls)?;
                    }
                    left.retain(|_, calls| *calls > 0);
                    Some(left)
                }
                _ => None,
            };
        }
        Some(Self { total, by })
    }
}
