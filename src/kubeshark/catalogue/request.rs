//! Says each operation in the parameters that a tool has.

use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Map, Value};

use super::{
    CatalogueError, names,
    schema::{Parameter, Tool},
};
use crate::{
    time::{Utc, Window},
    wire::{CallForm, Operation, Scope, SnapshotRef},
};

/// How far from now a window may end and still be said as a duration that ends now.
const ENDS_NOW_WITHIN: TimeDelta = TimeDelta::minutes(5);

/// The arguments of one call, being put together.
struct Ask<'t> {
    tool: &'t Tool,
    arguments: Map<String, Value>,
}

/// The arguments with which `tool` performs `operation`, not yet checked against its schema.
#[expect(
    clippy::too_many_lines,
    reason = "one table of all operations reads better than its pieces"
)]
pub(super) fn arguments(
    tool: &Tool,
    operation: &Operation,
    now: Utc,
) -> Result<Map<String, Value>, CatalogueError> {
    let mut ask = Ask {
        tool,
        arguments: Map::new(),
    };
    match operation {
        Operation::CheckStatus
        | Operation::DataBoundaries
        | Operation::L7DataBoundaries
        | Operation::ListSnapshots
        | Operation::CloudStorageStatus
        | Operation::LiveDissectionStatus
        | Operation::EnableLiveDissection => {}
        Operation::CreateSnapshot { name, window, nodes } => {
            ask.need(names::SNAPSHOT_NAME, name.as_str(), "the snapshot's name")?;
            ask.recorded_window(*window, now)?;
            ask.nodes(nodes)?;
        }
        Operation::GetSnapshot { snapshot }
        | Operation::UploadSnapshot { snapshot }
        | Operation::DownloadSnapshot { snapshot } => ask.snapshot(names::SNAPSHOT, snapshot, None)?,
        Operation::ListDissections { snapshot } => {
            // Servers that list all dissections at once name the snapshot in each.
            if ask.tool.declared(names::SNAPSHOT).is_some() {
                ask.snapshot(names::SNAPSHOT, snapshot, None)?;
            }
        }
        Operation::StartDissection { snapshot, name } => {
            ask.snapshot(names::SNAPSHOT, snapshot, Some(name))?;
            ask.offer(names::DISSECTION, name.as_str());
        }
        Operation::DissectionStatus { snapshot, dissection } => {
            ask.snapshot(names::SNAPSHOT, snapshot, dissection.as_deref())?;
            if let Some(name) = dissection {
                ask.offer(names::DISSECTION, name.as_str());
            }
        }
        Operation::ApiStats { scope } => ask.scope(scope)?,
        Operation::CountCalls { scope } => {
            ask.scope(scope)?;
            ask.limit(1)?;
            ask.choose(names::FORMAT, &["compact"]);
        }
        Operation::ListCalls { scope, limit, form } => {
            ask.scope(scope)?;
            ask.limit(*limit)?;
            ask.choose(
                names::FORMAT,
                match form {
                    CallForm::Compact => &["compact"],
                    CallForm::Full => &["full", "raw"],
                    CallForm::Raw => &["raw", "full"],
                },
            );
        }
        Operation::CallDetail {
            scope,
            call,
            node_id,
            max_payload_bytes,
        } => {
            ask.need(names::CALL_ID, call.as_str(), "the call's id")?;
            if let Some(snapshot) = &scope.snapshot {
                ask.looked_into(snapshot, scope.dissection.as_deref())?;
            }
            if let Some(node) = node_id {
                ask.offer(names::NODE_ID, node.as_str());
            }
            ask.offer(names::PAYLOAD, true);
            ask.offer(names::FLOW, true);
            ask.offer(names::MAX_PAYLOAD, *max_payload_bytes);
        }
        Operation::ListFlows { limit } => {
            ask.limit(*limit)?;
            ask.choose(names::AGGREGATE, &["service"]);
        }
        Operation::ListWorkloads {
            snapshot,
            namespaces,
            name,
            name_regex,
            kind,
            labels,
        } => {
            if let Some(snapshot) = snapshot {
                ask.looked_into(snapshot, None)?;
            }
            ask.namespaces(namespaces, name.is_some())?;
            ask.need_some(names::WORKLOAD, name.as_deref(), "a workload's name")?;
            ask.need_some(names::NAME_REGEX, name_regex.as_deref(), "a pattern of names")?;
            ask.need_some(names::KIND, kind.as_deref(), "the kind of workload")?;
            if !labels.is_empty() {
                let labels: Map<String, Value> = labels
                    .iter()
                    .map(|(key, value)| (key.clone(), Value::String(value.clone())))
                    .collect();
                ask.need(names::LABELS, labels, "labels")?;
            }
        }
        Operation::ListIps {
            snapshot,
            ip,
            namespaces,
        } => {
            if let Some(snapshot) = snapshot {
                ask.looked_into(snapshot, None)?;
            }
            ask.need_some(names::IP, ip.as_deref(), "an address")?;
            ask.namespaces(namespaces, false)?;
        }
        Operation::ExportPcap {
            snapshot,
            nodes,
            bpf,
            window,
        } => {
            ask.snapshot(names::SNAPSHOT, snapshot, None)?;
            ask.nodes(nodes)?;
            ask.need_some(names::BPF, bpf.as_deref(), "a BPF filter")?;
            if let Some(window) = window
                && !ask.window(*window)
            {
                return Err(ask.inexpressible("a time window"));
            }
        }
        Operation::DownloadFile { path, dest } => {
            ask.need(names::PATH, path.as_str(), "the file's path")?;
            ask.need(names::DEST, dest.as_str(), "where the file is to be put")?;
        }
        Operation::CloudJobStatus { job } => ask.need(names::JOB, job.as_str(), "the job's id")?,
    }
    Ok(ask.arguments)
}

impl Ask<'_> {
    fn inexpressible(&self, what: &'static str) -> CatalogueError {
        CatalogueError::Inexpressible {
            tool: self.tool.schema.name.clone(),
            what,
        }
    }

    fn put(&mut self, parameter: Parameter<'_>, value: Value) {
        self.arguments.insert(parameter.name.to_owned(), value);
    }

    /// Sets what the operation cannot do without.
    fn need(
        &mut self,
        names: names::Names,
        value: impl Into<Value>,
        what: &'static str,
    ) -> Result<(), CatalogueError> {
        let parameter = self
            .tool
            .parameter(names)
            .ok_or_else(|| self.inexpressible(what))?;
        let value = parameter.fit(value.into());
        self.arguments.insert(parameter.name.to_owned(), value);
        Ok(())
    }

    /// The same for what is not always wanted: what is wanted must be sayable, or the answer would
    /// be to another question.
    fn need_some(
        &mut self,
        names: names::Names,
        value: Option<&str>,
        what: &'static str,
    ) -> Result<(), CatalogueError> {
        value.map_or(Ok(()), |value| self.need(names, value, what))
    }

    /// Sets what only some servers take, where the schema declares it and it is still free.
    fn offer(&mut self, names: names::Names, value: impl Into<Value>) {
        let free: Vec<&'static str> = names
            .iter()
            .copied()
            .filter(|name| !self.arguments.contains_key(*name))
            .collect();
        if let Some(parameter) = self.tool.declared(&free) {
            let value = parameter.fit(value.into());
            self.arguments.insert(parameter.name.to_owned(), value);
        }
    }

    /// Sets the first of `wanted` that the schema's list of values has.
    fn choose(&mut self, names: names::Names, wanted: &[&'static str]) {
        if let Some(word) = self
            .tool
            .declared(names)
            .and_then(|parameter| parameter.choice(wanted))
        {
            self.offer(names, word);
        }
    }

    fn limit(&mut self, limit: u32) -> Result<(), CatalogueError> {
        let parameter = self
            .tool
            .parameter(names::LIMIT)
            .ok_or_else(|| self.inexpressible("a limit"))?;
        let value = parameter.at_most(limit);
        self.arguments.insert(parameter.name.to_owned(), value);
        Ok(())
    }

    /// Sets the snapshot under one of `names`: by name, by SNAPSHOT/DISSECTION, or by id.
    fn snapshot(
        &mut self,
        names: names::Names,
        snapshot: &SnapshotRef,
        dissection: Option<&str>,
    ) -> Result<(), CatalogueError> {
        let tool = self.tool;
        let parameter = tool
            .parameter(names)
            .ok_or_else(|| self.inexpressible("a snapshot"))?;
        let value = match (parameter.name, dissection) {
            ("db", Some(dissection)) => format!("{}/{dissection}", snapshot.id),
            ("db", None) => return Err(self.inexpressible("a snapshot without its dissection's name")),
            (name, _) if names::BY_NAME.contains(&name) => snapshot.name.clone(),
            _ => snapshot.id.clone(),
        };
        self.put(parameter, parameter.fit(Value::from(value)));
        Ok(())
    }

    /// Sets the snapshot that is looked into. Without it the answer would be about live traffic.
    fn looked_into(
        &mut self,
        snapshot: &SnapshotRef,
        dissection: Option<&str>,
    ) -> Result<(), CatalogueError> {
        self.snapshot(names::QUERIED_SNAPSHOT, snapshot, dissection)
    }

    /// Sets which calls are meant. A server without window parameters gets the window as terms of
    /// the filter, after the more selective ones.
    fn scope(&mut self, scope: &Scope) -> Result<(), CatalogueError> {
        if let Some(snapshot) = &scope.snapshot {
            self.looked_into(snapshot, scope.dissection.as_deref())?;
        }
        let filter = match scope.window {
            Some(window) if !self.window(window) => with_window(&scope.filter, window),
            _ => scope.filter.clone(),
        };
        let required = self
            .tool
            .declared(names::FILTER)
            .is_some_and(|p| self.tool.requires(p.name));
        if filter.trim().is_empty() && !required {
            return Ok(());
        }
        self.need(names::FILTER, filter, "a KFL filter")
    }

    /// Sets a start and an end, where the schema declares both.
    fn window(&mut self, window: Window) -> bool {
        let tool = self.tool;
        let (Some(start), Some(end)) = (tool.declared(names::START), tool.declared(names::END)) else {
            return false;
        };
        self.put(start, start.time(window.start, false));
        self.put(end, end.time(window.end, true));
        true
    }

    /// Sets the window of a snapshot to be made: a start and an end, or a duration that ends now.
    fn recorded_window(&mut self, window: Window, now: Utc) -> Result<(), CatalogueError> {
        if self.window(window) {
            return Ok(());
        }
        if now - window.end > ENDS_NOW_WITHIN {
            return Err(self.inexpressible("a window that does not end now"));
        }
        let seconds = (now - window.start).num_seconds().max(0);
        let minutes = seconds / 60 + i64::from(seconds % 60 != 0);
        self.need(names::DURATION, format!("{}m", minutes.max(1)), "a time window")
    }

    fn nodes(&mut self, nodes: &[String]) -> Result<(), CatalogueError> {
        if nodes.is_empty() {
            return Ok(());
        }
        self.need(names::NODES, nodes.to_vec(), "a choice of nodes")
    }

    /// Sets the namespaces: the list, or the one that a single namespace parameter takes. A lookup
    /// of one workload by name takes the latter.
    fn namespaces(&mut self, namespaces: &[String], singular: bool) -> Result<(), CatalogueError> {
        match namespaces {
            [] => Ok(()),
            [one] if singular && self.tool.parameter(names::NAMESPACE).is_some() => {
                self.need(names::NAMESPACE, one.as_str(), "a namespace")
            }
            [one] if self.tool.declared(names::NAMESPACES).is_none() => {
                self.need(names::NAMESPACE, one.as_str(), "a namespace")
            }
            many => self.need(names::NAMESPACES, many.to_vec(), "several namespaces"),
        }
    }
}

/// `filter` narrowed to a window, in KFL.
fn with_window(filter: &str, window: Window) -> String {
    let text = |at: Utc| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let terms = format!(
        r#"timestamp >= timestamp("{}") && timestamp < timestamp("{}")"#,
        text(window.start),
        text(window.end)
    );
    if filter.trim().is_empty() {
        terms
    } else {
        format!("({filter}) && {terms}")
    }
}
