//! What the answers of a turn tell.

use std::collections::BTreeMap;

use super::super::dimension::counted;
use super::super::gap::Reason;
use super::super::question::middle;
use super::super::reply::Reply;
use super::cost::{Way, halves};
use super::job::{Job, Listing};
use super::region::{Known, Region};
use super::{Cell, Histogram};
use crate::wire::decode::Call;

impl Histogram {
    /// Takes the replies to the turn's jobs, whose answers had `bytes` in all.
    pub(super) fn settle(&mut self, replies: Vec<Reply>, bytes: u64) {
        let jobs = std::mem::take(&mut self.jobs);
        let planned: u64 = jobs.iter().map(|job| job.bytes(&self.counting)).sum();
        self.budget.bytes = self.budget.bytes.saturating_add(planned).saturating_sub(bytes);
        let mut replies = replies.into_iter();
        for job in jobs {
            let own: Vec<Reply> = replies.by_ref().take(job.calls()).collect();
            match job {
                Job::Measure(region, way) => match self.measured(way, own.first()) {
                    Ok(known) => self.open.push((region, Some(known))),
                    Err(Fault::Inconsistent) => self.open.push((region, None)),
                    Err(Fault::Failed(why)) => self.gap(&region, None, Reason::Failed(why)),
                },
                Job::Family {
                    whole,
                    parent,
                    asked,
                    rest,
                    way,
                } => self.divided(whole, parent, asked, rest, way, &own),
                Job::List(listing) => {
                    if let Some(reply) = own.into_iter().next() {
                        self.listed(listing, &reply);
                    }
                }
            }
        }
    }

    fn measured(&mut self, way: Way, reply: Option<&Reply>) -> Result<Known, Fault> {
        let Some(reply) = reply else {
            return Err(Fault::Failed("there was no answer".to_owned()));
        };
        match way {
            Way::Totals => {
                let list = reply.calls().map_err(Fault::Failed)?;
                let total = list.total.ok_or_else(|| {
                    Fault::Failed("the server left out how many calls there are".to_owned())
                })?;
                Ok(Known::of(total))
            }
            Way::Statistics => {
                self.counting.saw_statistics(reply.bytes);
                let Some((total, by)) = reply.statistics().and_then(counted) else {
                    // What cannot be added up is not relied on any more.
                    self.counting.statistics = Some(false);
                    return Err(Fault::Inconsistent);
                };
                Ok(Known { total, by: Some(by) })
            }
        }
    }

    fn divided(
        &mut self,
        whole: Region,
        parent: Known,
        asked: Vec<Region>,
        rest: Region,
        way: Way,
        replies: &[Reply],
    ) {
        let mut parts = Vec::new();
        for reply in replies {
            match self.measured(way, Some(reply)) {
                Ok(known) => parts.push(known),
                Err(Fault::Inconsistent) => {
                    self.open.push((whole, Some(parent)));
                    return;
                }
                Err(Fault::Failed(why)) => {
                    return self.gap(&whole, Some(parent.total), Reason::Failed(why));
                }
            }
        }
        let Some(left) = parent.without(&parts) else {
            let came = parts
                .iter()
                .fold(0_u64, |sum, part| sum.saturating_add(part.total));
            let reason = Reason::Disagree {
                expected: parent.total,
                came,
            };
            return self.gap(&whole, Some(parent.total), reason);
        };
        // The last one is decided on first: in the order of time.
        self.open.push((rest, Some(left)));
        self.open
            .extend(asked.into_iter().zip(parts.into_iter().map(Some)).rev());
    }

    fn listed(&mut self, mut listing: Listing, reply: &Reply) {
        let list = match reply.calls() {
            Ok(list) => list,
            Err(why) => return self.gap(&listing.region, listing.known, Reason::Failed(why)),
        };
        self.counting.saw_rows(list.calls.len(), reply.bytes);
        let window = listing.region.window;
        let calls: Vec<&Call> = list
            .calls
            .iter()
            .filter(|call| window.contains(call.ts))
            .collect();
        for call in &calls {
            for (seen, dimension) in self.seen.iter_mut().zip(&self.dimensions) {
                *seen.entry(dimension.of(call)).or_default() += 1;
            }
        }
        let shown = |id: &String| calls.iter().any(|call| &call.id == id);
        if !listing.again.iter().all(shown) {
            // It does not go on where it ended: the order was not what it seemed.
            self.counting.oldest_first = Some(false);
            return self.halve(listing);
        }
        if list.truncated {
            // Without order the rows of a cut list say nothing; with it, its last millisecond may be cut.
            let newest = calls.last().map(|call| call.ts).filter(|last| {
                self.counting.in_order() && *last > listing.from && calls.is_sorted_by(|a, b| a.ts <= b.ts)
            });
            let Some(until) = newest else {
                return self.halve(listing);
            };
            self.sort_in(&mut listing.cells, calls.iter().filter(|call| call.ts < until));
            listing.again = calls
                .iter()
                .filter(|call| call.ts == until)
                .map(|call| call.id.clone())
                .collect();
            listing.from = until;
            listing.unreadable = listing.unreadable.saturating_add(list.unreadable);
            let known = listing.known;
            return self.ask(Job::List(listing), known);
        }
        self.sort_in(&mut listing.cells, calls.iter());
        listing.unreadable = listing.unreadable.saturating_add(list.unreadable);
        self.complete(listing);
    }

    fn sort_in<'c, 'a: 'c>(&self, into: &mut BTreeMap<Cell, u64>, calls: impl Iterator<Item = &'c &'a Call>) {
        for call in calls {
            let cell = Cell {
                bin: self.bin_of(call.ts),
                values: self
                    .dimensions
                    .iter()
                    .map(|dimension| dimension.of(call))
                    .collect(),
            };
            *into.entry(cell).or_default() += 1;
        }
    }

    /// A region whose calls were all listed.
    fn complete(&mut self, listing: Listing) {
        let rows: u64 = listing.cells.values().sum();
        for (cell, calls) in listing.cells {
            *self.cells.entry(cell).or_default() += calls;
        }
        if listing.unreadable > 0 {
            self.gap(
                &listing.region,
                Some(listing.unreadable),
                Reason::Unreadable(listing.unreadable),
            );
        } else if let Some(expected) = listing.known.filter(|known| *known != rows) {
            let reason = Reason::Disagree { expected, came: rows };
            self.gap(&listing.region, Some(expected), reason);
        }
    }

    /// A list that was cut: each half again.
    fn halve(&mut self, listing: Listing) {
        let region = listing.region;
        let Some(at) = middle(&region.window) else {
            return self.gap(&region, listing.known, Reason::TooDense);
        };
        let (before, after) = halves(&region, at);
        self.open.push((after, None));
        self.open.push((before, None));
    }
}

/// Why a number is not there.
enum Fault {
    /// The answer contradicts itself.
    Inconsistent,
    Failed(String),
}
