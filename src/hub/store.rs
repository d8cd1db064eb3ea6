//! The entries of a dissection, found by time and by id.

use std::collections::HashMap;
use std::sync::Arc;

use super::call::Call;
use super::columns::{Columns, Row};
use super::entry::Payload;

/// All calls of one dissection, oldest first.
#[derive(Debug, Default)]
pub struct Store {
    calls: Vec<Call>,
    columns: Columns,
    by_id: HashMap<Box<str>, u32>,
    /// The connection entry of each `NODE/STREAM`.
    flows: HashMap<Box<str>, u32>,
}

impl Store {
    /// Takes calls sorted by time.
    pub fn new(calls: Vec<Call>) -> Self {
        let by_id = (0u32..)
            .zip(&calls)
            .map(|(at, call)| (call.id.clone(), at))
            .collect();
        let flows = (0u32..)
            .zip(&calls)
            .filter(|(_, call)| matches!(call.entry.payload, Payload::TcpFlow(_)))
            .map(|(at, call)| (Box::from(call.stream()), at))
            .collect();
        Self {
            columns: Columns::of(&calls),
            calls,
            by_id,
            flows,
        }
    }

    /// All calls, oldest first.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The calls that began in `[start, end)`, Unix µs, as filters see them.
    pub(super) fn rows(&self, start_us: Option<i64>, end_us: Option<i64>) -> impl Iterator<Item = Row<'_>> {
        let start = start_us.map_or(0, |bound| self.columns.first_at(bound));
        let end = end_us.map_or(self.calls.len(), |bound| self.columns.first_at(bound));
        let calls = self.calls.get(start..end).unwrap_or_default();
        self.columns.rows(calls, start)
    }

    /// The call with that id.
    pub fn get(&self, id: &str) -> Option<&Call> {
        let at = self.by_id.get(id)?;
        self.calls.get(usize::try_from(*at).ok()?)
    }

    /// The connection that carried `call`.
    pub fn flow_of(&self, call: &Call) -> Option<&Call> {
        let at = self.flows.get(call.stream())?;
        self.calls.get(usize::try_from(*at).ok()?)
    }

    /// How many entries there are of each protocol, by name; what is dissected from packets is always named.
    pub fn protocol_counts(&self) -> Vec<(&'static str, u64)> {
        let mut counts = vec![("http", 0), ("dns", 0), ("tcp", 0)];
        for call in &self.calls {
            let protocol = call.protocol();
            match counts.iter_mut().find(|(name, _)| *name == protocol) {
                Some((_, count)) => *count += 1,
                None => counts.push((protocol, 1)),
            }
        }
        counts
    }
}

/// Shared with the queries that run over it.
pub type SharedStore = Arc<Store>;
