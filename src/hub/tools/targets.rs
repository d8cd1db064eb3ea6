//! What a query ranges over.

use std::sync::Arc;

use super::super::call::Call;
use super::super::error::ToolError;
use super::super::filter::Filter;
use super::super::hub::Shared;
use super::super::snapshot::{Phase, Snapshot};
use super::super::store::SharedStore;
use super::args::Args;

/// Names under which tools take a snapshot, the usual one first.
pub(super) const SNAPSHOT: [&str; 3] = ["snapshot_id", "id", "snapshot"];

/// The snapshot a tool was given.
pub(super) fn snapshot(hub: &Shared, args: &Args, names: &[&str]) -> Result<Arc<Snapshot>, ToolError> {
    hub.snapshots.find(args.required(names)?)
}

/// The dissected snapshot a query names by `snapshot_id` or by `db` (SNAPSHOT/DISSECTION); without, live traffic is asked,
/// of which there is `None` where nothing is dissected as it comes.
pub(super) fn store(hub: &Shared, args: &Args) -> Result<Option<SharedStore>, ToolError> {
    let (reference, name) = match (args.text(&["db"])?, args.text(&["snapshot_id", "snapshot"])?) {
        (Some(db), _) => db
            .split_once('/')
            .map_or((db, None), |(snapshot, name)| (snapshot, Some(name))),
        (None, Some(reference)) => (reference, None),
        (None, None) => return Ok(hub.live_calls().cloned()),
    };
    let snapshot = hub.snapshots.find(reference)?;
    dissected(&snapshot, name).map(Some)
}

/// The calls of a snapshot's completed dissection.
pub(super) fn dissected(snapshot: &Snapshot, name: Option<&str>) -> Result<SharedStore, ToolError> {
    let all = snapshot.dissections();
    let fits = |wanted: &str| name.is_none_or(|name| name == wanted);
    let completed = all
        .iter()
        .rev()
        .filter(|one| fits(&one.name))
        .find_map(|one| one.store());
    if let Some(store) = completed {
        return Ok(Arc::clone(store));
    }
    let state = match snapshot.dissection(name).map(|one| (one.phase(), one.progress())) {
        None => "it has not been dissected; start that with `start_snapshot_dissection`".to_owned(),
        Some((Phase::Failed(why), _)) => format!("its dissection failed: {why}"),
        Some((_, progress)) => format!("its dissection is at {progress} %; wait until it is completed"),
    };
    Err(ToolError::conflict(format!(
        "snapshot `{}` cannot be queried: {state}",
        snapshot.name
    )))
}

/// A filter with a window and the scope of the role.
pub(super) struct Query {
    store: SharedStore,
    filter: Filter,
    start_us: Option<i64>,
    end_us: Option<i64>,
    namespace: Option<String>,
}

impl Query {
    /// Reads `kfl`, `start` and `end`; `None` where live traffic is asked and none is dissected.
    pub(super) fn read(hub: &Shared, args: &Args) -> Result<Option<Self>, ToolError> {
        // A wrong filter is refused whether or not there is anything to filter.
        let filter = Filter::compile(
            args.text(&["kfl"])?.unwrap_or_default(),
            hub.options.kfl_errors,
            hub.now_us(),
        )?;
        let (start_us, end_us) = (args.ms_as_us("start")?, args.ms_as_us("end")?);
        let namespace = hub.faults().namespace().map(str::to_owned);
        Ok(store(hub, args)?.map(|store| Self {
            store,
            filter,
            start_us,
            end_us,
            namespace,
        }))
    }

    /// The matching calls, oldest first.
    pub(super) fn calls(&self) -> impl Iterator<Item = &Call> {
        self.store
            .rows(self.start_us, self.end_us)
            .filter(|row| visible(row.call, self.namespace.as_deref()) && self.filter.matches(row))
            .map(|row| row.call)
    }
}

/// Whether a role limited to `namespace` is shown the call.
pub(super) fn visible(call: &Call, namespace: Option<&str>) -> bool {
    namespace.is_none_or(|scope| call.ends.namespaces.iter().any(|own| own == scope))
}
