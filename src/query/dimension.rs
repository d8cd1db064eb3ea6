//! By what calls are told apart.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kfl::{FieldId, FilterTerm};
use crate::wire::decode::{Call, Peer, Stats};

/// A property of a call that a histogram is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// The service called.
    DstService,
    /// The service that called.
    SrcService,
    /// The namespace called.
    DstNamespace,
    /// The hundreds of the HTTP status; 0 where no response was seen.
    StatusClass,
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DstService => "service called",
            Self::SrcService => "calling service",
            Self::DstNamespace => "namespace called",
            Self::StatusClass => "status class",
        })
    }
}

/// A value of a dimension.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Both empty: whatever no service stands for.
    Service {
        namespace: String,
        name: String,
    },
    Namespace(String),
    /// 0 to 9.
    Class(u16),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service { name, .. } if name.is_empty() => f.write_str("no service"),
            Self::Service { namespace, name } if namespace.is_empty() => f.write_str(name),
            Self::Service { namespace, name } => write!(f, "{namespace}/{name}"),
            Self::Namespace(name) if name.is_empty() => f.write_str("no namespace"),
            Self::Namespace(name) => f.write_str(name),
            Self::Class(0) => f.write_str("no response"),
            Self::Class(class) => write!(f, "{class}xx"),
        }
    }
}

impl Value {
    /// What calls have that no service answers.
    pub(super) fn no_service() -> Self {
        Self::Service {
            namespace: String::new(),
            name: String::new(),
        }
    }
}

impl Dimension {
    /// The value that a listed call has.
    pub(super) fn of(self, call: &Call) -> Value {
        match self {
            Self::DstService => service(&call.dst),
            Self::SrcService => service(&call.src),
            Self::DstNamespace => Value::Namespace(call.dst.namespace.clone().unwrap_or_default()),
            Self::StatusClass => {
                let status = call.status.unwrap_or(0).clamp(0, 999);
                Value::Class(u16::try_from(status / 100).unwrap_or(0))
            }
        }
    }

    /// All values there are, where they can be named without asking.
    pub(super) fn values(self) -> Option<Vec<Value>> {
        match self {
            Self::StatusClass => Some([5, 4, 0, 2, 3, 1].map(Value::Class).into()),
            Self::DstService | Self::SrcService | Self::DstNamespace => None,
        }
    }

    /// The terms of calls that have this value. No value restricts nothing.
    fn terms(self, value: &Value) -> Vec<FilterTerm> {
        let text = |field: FieldId, value: &str| FilterTerm::equals(field, value).ok();
        match (self, value) {
            (Self::DstService, Value::Service { namespace, name }) => {
                let name = text(FieldId::DST_SERVICE_NAME, name);
                let namespace = (!namespace.is_empty()).then(|| text(FieldId::DST_NAMESPACE, namespace));
                name.into_iter().chain(namespace.flatten()).collect()
            }
            (Self::SrcService, Value::Service { namespace, name }) => {
                let name = text(FieldId::SRC_SERVICE_NAME, name);
                let namespace = (!namespace.is_empty()).then(|| text(FieldId::SRC_NAMESPACE, namespace));
                name.into_iter().chain(namespace.flatten()).collect()
            }
            (Self::DstNamespace, Value::Namespace(name)) => {
                text(FieldId::DST_NAMESPACE, name).into_iter().collect()
            }
            (Self::StatusClass, Value::Class(0)) => {
                FilterTerm::equals(FieldId::STATUS_CODE, 0).into_iter().collect()
            }
            (Self::StatusClass, Value::Class(class)) => {
                vec![FilterTerm::status_class(u8::try_from(*class).unwrap_or(5))]
            }
            _ => Vec::new(),
        }
    }
}

fn service(peer: &Peer) -> Value {
    match peer.service.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => Value::Service {
            namespace: peer.namespace.clone().unwrap_or_default(),
            name: name.to_owned(),
        },
        None => Value::no_service(),
    }
}

/// What statistics count of each service called, and in all. `None` where they do not add up: then services are
/// missing, or something else is counted beside them.
pub(super) fn counted(stats: &Stats) -> Option<(u64, BTreeMap<Value, u64>)> {
    let total = stats.total_calls?;
    let mut by: BTreeMap<Value, u64> = BTreeMap::new();
    for service in &stats.services {
        let value = Value::Service {
            namespace: service.namespace.clone().unwrap_or_default(),
            name: service.service.clone(),
        };
        let calls = service.calls?;
        if calls > 0 {
            let sum = by.entry(value).or_default();
            *sum = sum.checked_add(calls)?;
        }
    }
    let sum = by
        .values()
        .try_fold(0_u64, |sum, calls| sum.checked_add(*calls))?;
    (sum == total).then_some((total, by))
}

/// What a region of a histogram has in one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    Any,
    Is(Value),
    /// Everything but these.
    Not(Vec<Value>),
}

impl Hold {
    /// The one value it has.
    pub(super) fn value(&self) -> Option<&Value> {
        match self {
            Self::Is(value) => Some(value),
            Self::Any | Self::Not(_) => None,
        }
    }
}

/// The terms that restrict a filter to a group.
pub(super) fn group_terms(dimensions: &[Dimension], group: &[Hold]) -> Vec<FilterTerm> {
    let mut all = Vec::new();
    for (dimension, hold) in dimensions.iter().zip(group) {
        match hold {
            Hold::Any => {}
            Hold::Is(value) => all.extend(dimension.terms(value)),
            Hold::Not(values) => all.extend(
                values
                    .iter()
                    .filter_map(|value| FilterTerm::all(&dimension.terms(value)))
                    .map(|term| term.negated()),
            ),
        }
    }
    all
}
