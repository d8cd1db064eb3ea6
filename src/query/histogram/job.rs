//! What one turn asks.

use std::collections::BTreeMap;

use super::super::MAX_ROWS;
use super::super::counting::Counting;
use super::super::dimension::Dimension;
use super::super::question::Question;
use super::Cell;
use super::cost::Way;
use super::region::{Known, Region};
use crate::time::{Utc, Window};
use crate::wire::Operation;

/// Operations that belong together.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// How many calls a region has.
    Measure(Region, Way),
    /// The parts of a region but one, which is what is left of `parent`.
    Family {
        whole: Region,
        parent: Known,
        asked: Vec<Region>,
        rest: Region,
        way: Way,
    },
    List(Listing),
}

/// A list, page by page where the server's order allows it.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    pub(super) region: Region,
    /// How many rows are expected.
    pub(super) known: Option<u64>,
    /// Where the next page begins.
    pub(super) from: Utc,
    /// Ids that the next page has to show again: those of the last millisecond.
    pub(super) again: Vec<String>,
    /// What earlier pages showed.
    pub(super) cells: BTreeMap<Cell, u64>,
    pub(super) unreadable: u64,
}

impl Job {
    pub(super) fn list(region: Region, known: Option<u64>) -> Self {
        Self::List(Listing {
            from: region.window.start,
            region,
            known,
            again: Vec::new(),
            cells: BTreeMap::new(),
            unreadable: 0,
        })
    }

    pub(super) fn calls(&self) -> usize {
        match self {
            Self::Family { asked, .. } => asked.len(),
            Self::Measure(..) | Self::List(_) => 1,
        }
    }

    /// How it counts, and with how many calls; `None` for lists.
    pub(super) fn way(&self) -> Option<(Way, usize)> {
        match self {
            Self::Measure(_, way) => Some((*way, 1)),
            Self::Family { way, asked, .. } => Some((*way, asked.len())),
            Self::List(_) => None,
        }
    }

    /// What the answers will have, estimated.
    pub(super) fn bytes(&self, counting: &Counting) -> u64 {
        match self {
            Self::List(listing) => {
                let counted: u64 = listing.cells.values().sum();
                let rows = listing
                    .known
                    .map_or(u64::from(MAX_ROWS), |known| known.saturating_sub(counted));
                counting.list_bytes(rows.min(u64::from(MAX_ROWS)))
            }
            Self::Measure(_, way) => way.bytes(counting),
            Self::Family { asked, way, .. } => {
                way.bytes(counting) * u64::try_from(asked.len()).unwrap_or(u64::MAX)
            }
        }
    }

    /// The whole of what it is about.
    pub(super) fn region(&self) -> Region {
        match self {
            Self::Measure(region, _) => region.clone(),
            Self::Family { whole, .. } => whole.clone(),
            Self::List(listing) => listing.region.clone(),
        }
    }

    pub(super) fn operations(&self, question: &Question, dimensions: &[Dimension]) -> Vec<Operation> {
        match self {
            Self::Measure(region, way) => vec![way.operation(question, dimensions, region)],
            Self::Family { asked, way, .. } => asked
                .iter()
                .map(|region| way.operation(question, dimensions, region))
                .collect(),
            Self::List(listing) => {
                let window = Window {
                    start: listing.from,
                    end: listing.region.window.end,
                };
                vec![question.list(window, dimensions, &listing.region.group, MAX_ROWS)]
            }
        }
    }
}
