//! Whether to list a region, or to split it and how.

use super::super::counting::Counting;
use super::super::dimension::{Dimension, Hold, Value};
use super::super::gap::Reason;
use super::super::question::{Question, middle};
use super::super::{Budget, MAX_ROWS};
use super::job::Job;
use super::region::{Known, Region};
use super::{Cell, Histogram};
use crate::time::Window;
use crate::wire::Operation;

/// How a region is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By a list of one row and its `total`.
    Totals,
    /// By statistics, which tell the services called apart.
    Statistics,
}

impl Way {
    /// What counts a region.
    pub(super) fn operation(
        self,
        question: &Question,
        dimensions: &[Dimension],
        region: &Region,
    ) -> Operation {
        match self {
            Self::Statistics => question.statistics(region.window, dimensions, &region.group),
            Self::Totals => question.count(region.window, dimensions, &region.group),
        }
    }

    pub(super) fn bytes(self, counting: &Counting) -> u64 {
        match self {
            Self::Totals => counting.list_bytes(1),
            Self::Statistics => counting.statistics_bytes,
        }
    }
}

/// Parts that a long stretch is split into at once, and values counted at once.
const PARTS: usize = 4;

/// From this many bins on a stretch is split into [`PARTS`], so that a turn has several questions.
const LONG: usize = 16;

/// Share of what is left, calls and bytes added up, that the list of one region may take.
const LARGEST_LIST: f64 = 0.4;

/// Rows of a list that neighbours are joined for. A little less than the most: a `total` may be as of earlier.
const JOINED_ROWS: u64 = MAX_ROWS as u64;

impl Histogram {
    /// What is left beyond the lists that are already decided on.
    fn free(&self) -> Budget {
        let rows: u64 = self.listing.iter().filter_map(|(_, known)| *known).sum();
        let unknown = self.listing.iter().filter(|(_, known)| known.is_none()).count();
        let pages = rows.div_ceil(u64::from(MAX_ROWS)) + u64::try_from(unknown).unwrap_or(0);
        self.budget.less(
            u32::try_from(pages).unwrap_or(u32::MAX),
            self.counting.list_bytes(rows),
        )
    }

    /// How the region can be counted, if at all.
    fn way(&self, region: &Region) -> Option<Way> {
        let others_decided = region
            .group
            .iter()
            .zip(&self.dimensions)
            .all(|(hold, dimension)| *dimension == Dimension::DstService || hold.value().is_some());
        let named = region
            .group
            .iter()
            .zip(&self.dimensions)
            .any(|(hold, dimension)| {
                *dimension == Dimension::DstService
                    && match hold {
                        Hold::Any => !self.nameless,
                        Hold::Is(_) => false,
                        Hold::Not(values) => !self.nameless || values.contains(&Value::no_service()),
                    }
            });
        if self.counting.by_statistics() && others_decided && named {
            Some(Way::Statistics)
        } else if self.counting.by_totals() {
            Some(Way::Totals)
        } else if self.counting.by_statistics() {
            Some(Way::Statistics)
        } else {
            None
        }
    }

    /// Whether a list of this many rows can be made whole.
    fn listable(&self, rows: u64) -> bool {
        rows <= u64::from(MAX_ROWS) || self.counting.in_order()
    }

    /// Whether all that is open can be listed within half of what is left: then there is nothing to think about.
    fn all_listable(&self, rows: u64) -> bool {
        let free = self.free();
        let open: u64 = self
            .open
            .iter()
            .filter_map(|(_, known)| known.as_ref().map(|known| known.total))
            .sum();
        let rows = rows.saturating_add(open);
        let pages = rows.div_ceil(u64::from(MAX_ROWS)).saturating_mul(2);
        u32::try_from(pages)
            .is_ok_and(|pages| free.allows(pages, self.counting.list_bytes(rows).saturating_mul(2)))
    }

    /// What becomes of a region: nothing, cells, a list, or parts.
    pub(super) fn decide(
        &mut self,
        region: Region,
        known: Option<Known>,
        waiting: &mut Vec<(Region, Option<Known>)>,
    ) {
        let way = self.way(&region);
        let Some(mut known) = known else {
            match way {
                Some(way) => self.ask(Job::Measure(region, way), None),
                None => self.ask(Job::list(region, None), None),
            }
            return;
        };
        if known.total == 0 {
            return;
        }
        let (first, end) = self.bins_of(&region.window);
        let bins = end.saturating_sub(first).max(1);
        let region = self.narrowed(region, &mut known);
        if bins == 1 && self.settled(first, &region, &known) {
            return;
        }
        let rows = known.total;
        let cheaper = match way {
            None => true,
            Some(way) => {
                let free = self.free();
                let questions = self.questions(&region, &known, bins, way);
                let counting = free.share(questions, questions.saturating_mul(way.bytes(&self.counting)));
                let pages = rows.div_ceil(u64::from(MAX_ROWS));
                let listing = free.share(pages, self.counting.list_bytes(rows));
                // Splitting finds out more than it costs where calls are many: a list has to be much cheaper, and
                // none may take most of what is left.
                listing * 2.0 <= counting && listing <= LARGEST_LIST
            }
        };
        if self.listable(rows) && (cheaper || self.all_listable(rows)) {
            self.listing.push((region, Some(rows)));
            return;
        }
        self.split(region, known, bins, way, waiting);
    }

    /// Where all calls are of one service, the region is.
    fn narrowed(&self, region: Region, known: &mut Known) -> Region {
        let at = self
            .dimensions
            .iter()
            .position(|dimension| *dimension == Dimension::DstService);
        let only = known
            .by
            .as_ref()
            .filter(|by| by.len() == 1)
            .and_then(|by| by.keys().next());
        match (at, only) {
            (Some(at), Some(value)) => {
                let region = region.holding(at, Hold::Is(value.clone()));
                known.by = None;
                region
            }
            _ => region,
        }
    }

    /// Puts what is known into cells, where it says all about a single bin.
    fn settled(&mut self, bin: usize, region: &Region, known: &Known) -> bool {
        if let Some(values) = region.values() {
            *self.cells.entry(Cell { bin, values }).or_default() += known.total;
            return true;
        }
        let (Some(by), Some(at)) = (&known.by, region.undecided()) else {
            return false;
        };
        let open = region.group.iter().filter(|hold| hold.value().is_none()).count();
        if open > 1 || self.dimensions.get(at) != Some(&Dimension::DstService) {
            return false;
        }
        for (value, calls) in by {
            let decided = region.holding(at, Hold::Is(value.clone()));
            if let Some(values) = decided.values() {
                *self.cells.entry(Cell { bin, values }).or_default() += calls;
            }
        }
        true
    }

    /// How many questions the cells of a region would take, as far as can be guessed.
    fn questions(&self, region: &Region, known: &Known, bins: usize, way: Way) -> u64 {
        let values: usize = if way == Way::Statistics {
            1
        } else {
            region
                .group
                .iter()
                .zip(&self.seen)
                .filter(|(hold, _)| hold.value().is_none())
                .map(|(_, seen)| {
                    known
                        .by
                        .as_ref()
                        .map_or(seen.len(), std::collections::BTreeMap::len)
                        .max(3)
                })
                .product()
        };
        let cells = u64::try_from(bins.saturating_mul(values)).unwrap_or(u64::MAX);
        cells.min(known.total).saturating_sub(1).max(1)
    }

    fn split(
        &mut self,
        region: Region,
        known: Known,
        bins: usize,
        way: Option<Way>,
        waiting: &mut Vec<(Region, Option<Known>)>,
    ) {
        if bins > 1 {
            let parts = self.stretches(&region, bins);
            return self.family(region, known, parts, way);
        }
        if let Some(at) = region.undecided() {
            let candidates = self.candidates(&region, at, &known);
            if !candidates.is_empty() && way.is_some() {
                return self.by_value(region, known.total, at, &candidates);
            }
            if candidates.is_empty() && !self.listing.is_empty() && way.is_some() {
                // What is listed meanwhile will show which values there are.
                waiting.push((region, Some(known)));
                return;
            }
        }
        if self.listable(known.total) {
            self.listing.push((region, Some(known.total)));
            return;
        }
        let Some(at) = middle(&region.window) else {
            return self.gap(&region, Some(known.total), Reason::TooDense);
        };
        let (before, after) = halves(&region, at);
        self.family(region, known, vec![before, after], way);
    }

    /// The stretches between bins that a region is split into.
    fn stretches(&self, region: &Region, bins: usize) -> Vec<Region> {
        let (first, end) = self.bins_of(&region.window);
        let parts = if bins >= LONG { PARTS } else { 2 };
        let bound = |part: usize| {
            let bin = first + bins * part / parts;
            if part == 0 {
                region.window.start
            } else if part == parts || bin >= end {
                region.window.end
            } else {
                self.bin_start(bin)
            }
        };
        (0..parts)
            .map(|part| Window {
                start: bound(part),
                end: bound(part + 1),
            })
            .filter(|window| window.start < window.end)
            .map(|window| region.during(window))
            .collect()
    }

    /// Values that calls of the region may have, the likely ones first.
    fn candidates(&self, region: &Region, at: usize, known: &Known) -> Vec<Value> {
        let Some(dimension) = self.dimensions.get(at) else {
            return Vec::new();
        };
        let seen = self.seen.get(at);
        let weight = |value: &Value| seen.and_then(|seen| seen.get(value)).copied().unwrap_or(0);
        let mut values: Vec<Value> = match (&known.by, dimension.values()) {
            (Some(by), _) if *dimension == Dimension::DstService => by.keys().cloned().collect(),
            (_, Some(all)) => all,
            _ => seen.into_iter().flat_map(|seen| seen.keys().cloned()).collect(),
        };
        if let Some(Hold::Not(excluded)) = region.group.get(at) {
            values.retain(|value| !excluded.contains(value));
        }
        values.sort_by_key(|value| std::cmp::Reverse(weight(value)));
        values
    }

    /// Counts the likely values; the others are what is left.
    fn by_value(&mut self, region: Region, total: u64, at: usize, candidates: &[Value]) {
        let excluded = match region.group.get(at) {
            Some(Hold::Not(values)) => values.clone(),
            _ => Vec::new(),
        };
        let all_named = self
            .dimensions
            .get(at)
            .is_some_and(|dimension| dimension.values().is_some());
        let (asked, last) = match candidates {
            // The last of all values needs no question.
            [only] if all_named => {
                self.open
                    .push((region.holding(at, Hold::Is(only.clone())), Some(Known::of(total))));
                return;
            }
            some => {
                let asked = some.get(..PARTS.min(some.len())).unwrap_or_default();
                let last = (all_named && asked.len() == some.len()).then(|| asked.last().cloned());
                (asked, last.flatten())
            }
        };
        let mut excluded_then = excluded;
        excluded_then.extend(asked.iter().cloned());
        let mut parts: Vec<Region> = asked
            .iter()
            .filter(|value| last.as_ref() != Some(*value))
            .map(|value| region.holding(at, Hold::Is(value.clone())))
            .collect();
        parts.push(match last {
            Some(last) => region.holding(at, Hold::Is(last)),
            None => region.holding(at, Hold::Not(excluded_then)),
        });
        let way = if self.counting.by_totals() {
            Some(Way::Totals)
        } else {
            self.way(&region)
        };
        self.family(region, Known::of(total), parts, way);
    }

    /// Asks about all parts but the last.
    fn family(&mut self, whole: Region, parent: Known, mut parts: Vec<Region>, way: Option<Way>) {
        let Some(way) = way else {
            self.open.extend(parts.into_iter().map(|part| (part, None)));
            return;
        };
        let Some(rest) = parts.pop() else { return };
        let total = parent.total;
        let job = Job::Family {
            whole,
            parent,
            asked: parts,
            rest,
            way,
        };
        self.ask(job, Some(total));
    }

    /// Joins neighbours that are to be listed.
    pub(super) fn merge(&mut self) {
        let in_order = self.counting.in_order();
        let mut joined: Vec<(Region, Option<u64>)> = Vec::new();
        self.listing.sort_by_key(|(region, _)| region.window.start);
        for (region, known) in std::mem::take(&mut self.listing) {
            let neighbour = joined.iter_mut().find(|(other, rows)| {
                let fits = rows
                    .zip(known)
                    .is_some_and(|(a, b)| in_order || a.saturating_add(b) <= JOINED_ROWS);
                other.group == region.group && other.window.end == region.window.start && fits
            });
            match neighbour {
                Some((other, rows)) => {
                    other.window.end = region.window.end;
                    *rows = rows.zip(known).map(|(a, b)| a.saturating_add(b));
                }
                None => joined.push((region, known)),
            }
        }
        self.listing = joined;
    }
}

/// Both sides of a moment inside a region.
pub(super) fn halves(region: &Region, at: crate::time::Utc) -> (Region, Region) {
    let before = region.during(Window {
        start: region.window.start,
        end: at,
    });
    let after = region.during(Window {
        start: at,
        end: region.window.end,
    });
    (before, after)
}
