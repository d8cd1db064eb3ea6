//! Which workload had which address when: answers of `list_workloads` and `list_ips`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    DecodeError,
    field::{Fields, pairs, text},
};
use crate::time::Utc;

/// A list of workloads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadList {
    pub workloads: Vec<Workload>,
    pub total: Option<u64>,
}

/// A pod, a service or whatever else has addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// "pod", "service", in lower case.
    pub kind: Option<String>,
    pub name: String,
    pub namespace: Option<String>,
    pub node: Option<String>,
    pub labels: Vec<(String, String)>,
    pub ips: Vec<IpSeen>,
}

/// An address and when it was seen to belong to the workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpSeen {
    pub ip: String,
    pub at: Option<Utc>,
}

/// What is known of one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpIdentity {
    pub ip: String,
    pub owners: Vec<IpOwner>,
}

/// A workload that had an address, and when it was seen to have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpOwner {
    pub name: String,
    pub namespace: Option<String>,
    pub kind: Option<String>,
    pub at: Option<Utc>,
}

/// Reads `{workloads: […], total}`, the list alone, or a single workload.
pub fn workloads(answer: &Value) -> Result<WorkloadList, DecodeError> {
    let fields = Fields::of(answer);
    let items = match (answer, fields) {
        (Value::Array(items), _) => items.as_slice(),
        (_, Some(fields)) if fields.has(&["workloads"]) => fields.list(&["workloads"]),
        (_, Some(fields)) if fields.has(&["name"]) => std::slice::from_ref(answer),
        _ => {
            return Err(DecodeError::field(
                "the list of workloads",
                "workloads",
                "a list",
                answer,
            ));
        }
    };
    Ok(WorkloadList {
        workloads: items.iter().filter_map(workload).collect(),
        total: fields.and_then(|f| f.count(&["total"])),
    })
}

fn workload(value: &Value) -> Option<Workload> {
    let fields = Fields::of(value)?;
    Some(Workload {
        kind: fields.text(&["kind", "type"]).map(|k| k.to_lowercase()),
        name: fields.text(&["name"])?,
        namespace: fields.text(&["namespace", "ns"]),
        node: fields.text(&["node", "node_name"]),
        labels: fields.get(&["labels"]).map(pairs).unwrap_or_default(),
        ips: match fields.get(&["ips", "ip"]) {
            Some(Value::Array(ips)) => ips.iter().filter_map(ip_seen).collect(),
            Some(one) => ip_seen(one).into_iter().collect(),
            None => Vec::new(),
        },
    })
}

fn ip_seen(value: &Value) -> Option<IpSeen> {
    if let Some(fields) = Fields::of(value) {
        return Some(IpSeen {
            ip: fields.text(&["ip"])?,
            at: fields.instant(&["timestamp", "ts"]),
        });
    }
    Some(IpSeen {
        ip: text(value)?,
        at: None,
    })
}

/// Reads `{ips: [{ip, records: […]}], total}`, the list alone, or a single address.
pub fn ips(answer: &Value) -> Result<Vec<IpIdentity>, DecodeError> {
    let items = match (answer, Fields::of(answer)) {
        (Value::Array(items), _) => items.as_slice(),
        (_, Some(fields)) if fields.has(&["ips"]) => fields.list(&["ips"]),
        (_, Some(fields)) if fields.has(&["ip"]) => std::slice::from_ref(answer),
        _ => {
            return Err(DecodeError::field(
                "the list of addresses",
                "ips",
                "a list",
                answer,
            ));
        }
    };
    Ok(items.iter().filter_map(identity).collect())
}

fn identity(value: &Value) -> Option<IpIdentity> {
    let fields = Fields::of(value)?;
    let owners = match fields.get(&["records", "owners", "workloads"]) {
        Some(Value::Array(records)) => records.iter().filter_map(owner).collect(),
        // Without records the address may carry its one owner itself.
        _ => owner(value).into_iter().collect(),
    };
    Some(IpIdentity {
        ip: fields.text(&["ip"])?,
        owners,
    })
}

fn owner(value: &Value) -> Option<IpOwner> {
    let fields = Fields::of(value)?;
    Some(IpOwner {
        name: fields.text(&["name"])?,
        namespace: fields.text(&["namespace", "ns"]),
        kind: fields.text(&["kind", "type"]).map(|k| k.to_lowercase()),
        at: fields.instant(&["timestamp", "ts"]),
    })
}
