//! Which workloads there are and whose an address was.

use std::collections::BTreeMap;
use std::net::IpAddr;

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value, json};

use super::super::capture::Span;
use super::super::error::ToolError;
use super::super::fault::Fault;
use super::super::hub::Shared;
use super::super::workloads::{Kind, Workload};
use super::Answer;
use super::args::Args;

/// Bytes a compiled name pattern may take.
const REGEX_SIZE: usize = 1 << 20;

/// Which workloads are wanted.
struct Wanted {
    name: Option<String>,
    namespace: Option<String>,
    namespaces: Vec<String>,
    pattern: Option<Regex>,
    labels: Vec<(String, String)>,
    kind: Option<Kind>,
    /// Existing at some time of it.
    during: Option<Span>,
    scope: Option<String>,
}

impl Wanted {
    fn read(hub: &Shared, args: &Args) -> Result<Self, ToolError> {
        let pattern =
            match args.text(&["name_regex"])? {
                Some(text) => Some(RegexBuilder::new(text).size_limit(REGEX_SIZE).build().map_err(
                    |error| {
                        ToolError::bad_request(format!(
                            "parameter `name_regex` is no regular expression: {error}"
                        ))
                    },
                )?),
                None => None,
            };
        let kind = match args.text(&["type"])? {
            None => None,
            Some("pod") => Some(Kind::Pod),
            Some("service") => Some(Kind::Service),
            Some(other) => {
                let message = format!("parameter `type` must be pod or service, not `{other}`");
                return Err(ToolError::bad_request(message));
            }
        };
        let snapshot = args
            .text(&["snapshot_id"])?
            .map(|reference| hub.snapshots.find(reference))
            .transpose()?;
        let during = match args.ms_as_us("timestamp")? {
            Some(at) => Some(Span {
                start_us: at,
                end_us: at.saturating_add(1),
            }),
            None => snapshot.map(|snapshot| snapshot.span),
        };
        Ok(Self {
            name: args.text(&["name"])?.map(str::to_owned),
            namespace: args.text(&["namespace"])?.map(str::to_owned),
            namespaces: args.texts("namespaces")?,
            pattern,
            labels: args.pairs("labels")?,
            kind,
            during,
            scope: hub.faults().namespace().map(str::to_owned),
        })
    }

    fn wants(&self, workload: &Workload) -> bool {
        let own = Span {
            start_us: workload.from_us(),
            end_us: workload.until_us(),
        };
        self.name.as_ref().is_none_or(|name| *name == workload.name)
            && self
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == workload.namespace)
            && self
                .scope
                .as_ref()
                .is_none_or(|namespace| *namespace == workload.namespace)
            && (self.namespaces.is_empty() || self.namespaces.contains(&workload.namespace))
            && self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(&workload.name))
            && self
                .labels
                .iter()
                .all(|(key, value)| workload.labels.get(key) == Some(value))
            && self.kind.is_none_or(|kind| kind == workload.kind)
            && self.during.is_none_or(|span| span.overlap(own).is_some())
    }
}

/// Since when something is known: its own beginning, else that of the data, Unix ms.
fn known_since(hub: &Shared, workload: &Workload) -> i64 {
    let data = hub.capture.span().map_or(0, |span| span.start_us);
    workload.from_us().max(data) / 1000
}

/// `list_workloads`.
pub(super) fn workloads(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let singular = args.text(&["name"])?.is_some();
    if singular && args.text(&["namespace"])?.is_none() {
        return Err(ToolError::bad_request(
            "parameter `namespace` is required beside `name`",
        ));
    }
    if hub.faults().has(&Fault::OlderDialect) && !singular && args.text(&["snapshot_id"])?.is_none() {
        return Err(ToolError::bad_request(
            "snapshot_id is required for filtered listing",
        ));
    }
    let wanted = Wanted::read(hub, args)?;
    // A snapshot from elsewhere has names of its own.
    let snapshot = args
        .text(&["snapshot_id"])?
        .map(|reference| hub.snapshots.find(reference))
        .transpose()?;
    let names = snapshot
        .as_ref()
        .map_or(&hub.capture.names, |snapshot| &snapshot.capture().names);
    let shown: Vec<Value> = names
        .workloads()
        .iter()
        .filter(|workload| wanted.wants(workload))
        .map(|workload| {
            let since = known_since(hub, workload);
            let ips: Vec<Value> = workload
                .ips
                .iter()
                .map(|ip| json!({"ip": ip, "timestamp": since}))
                .collect();
            let mut shown = Map::new();
            shown.insert("name".into(), json!(workload.name));
            shown.insert("namespace".into(), json!(workload.namespace));
            shown.insert("kind".into(), json!(workload.kind.as_str()));
            shown.insert("labels".into(), json!(workload.labels));
            shown.insert("ips".into(), json!(ips));
            for (name, value) in [("node", &workload.node), ("owner", &workload.owner)] {
                if let Some(value) = value {
                    shown.insert(name.into(), json!(value));
                }
            }
            if !workload.services.is_empty() {
                shown.insert("services".into(), json!(workload.services));
            }
            if !workload.ports.is_empty() {
                shown.insert("ports".into(), json!(workload.ports));
            }
            Value::Object(shown)
        })
        .collect();
    if singular && shown.is_empty() {
        let name = args.text(&["name"])?.unwrap_or_default();
        let namespace = args.text(&["namespace"])?.unwrap_or_default();
        return Err(ToolError::not_found(format!(
            "workload `{namespace}/{name}` not found"
        )));
    }
    Ok(json!({"total": shown.len(), "workloads": shown}).into())
}

/// `list_ips`. Addresses that only occur in a dissection are listed too, without records.
pub(super) fn ips(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let wanted = Wanted::read(hub, args)?;
    let snapshot = args
        .text(&["snapshot_id"])?
        .map(|reference| hub.snapshots.find(reference))
        .transpose()?;
    let names = snapshot
        .as_ref()
        .map_or(&hub.capture.names, |snapshot| &snapshot.capture().names);
    let record = |workload: &Workload| {
        let since = known_since(hub, workload);
        json!({"name": workload.name, "namespace": workload.namespace, "kind": workload.kind.as_str(), "timestamp": since})
    };
    let records = |ip: IpAddr| -> Vec<Value> {
        names
            .history(ip)
            .filter(|workload| wanted.wants(workload))
            .map(record)
            .collect()
    };
    if let Some(text) = args.text(&["ip"])? {
        let ip: IpAddr = text
            .parse()
            .map_err(|_| ToolError::bad_request(format!("parameter `ip` is no address: `{text}`")))?;
        let records = records(ip);
        if records.is_empty() && args.text(&["snapshot_id"])?.is_none() {
            return Err(ToolError::not_found(format!("no workload found for IP `{ip}`")));
        }
        return Ok(json!({"total": 1, "ips": [{"ip": ip, "records": records}]}).into());
    }
    let mut found: BTreeMap<IpAddr, Vec<Value>> = BTreeMap::new();
    for ip in names.ips() {
        let records = records(ip);
        if !records.is_empty() {
            found.insert(ip, records);
        }
    }
    let filtered = ["namespaces", "name_regex", "labels", "type"]
        .iter()
        .any(|name| args.0.contains_key(*name));
    if let (false, None, Some(reference)) = (filtered, hub.faults().namespace(), args.text(&["snapshot_id"])?)
    {
        let snapshot = hub.snapshots.find(reference)?;
        let seen = snapshot
            .dissections()
            .into_iter()
            .filter_map(|one| one.store().cloned())
            .next_back();
        for call in seen.iter().flat_map(|store| store.calls()) {
            for ip in [call.entry.src.ip, call.entry.dst.ip] {
                // That of an end without a known address.
                if !ip.is_unspecified() {
                    found.entry(ip).or_default();
                }
            }
        }
    }
    let shown: Vec<Value> = found
        .into_iter()
        .map(|(ip, records)| json!({"ip": ip, "records": records}))
        .collect();
    Ok(json!({"total": shown.len(), "ips": shown}).into())
}
