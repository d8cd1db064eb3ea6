//! What failing calls have in common that good ones have not.
//!
//! Every dimension on the wire is a contingency table of failing and good calls. A value is a common factor where
//! nearly all failing calls have it and it is much rarer among the good ones: ranked by lift, P(value | failing) /
//! P(value | good), which is what frequent-pattern mining calls the confidence's ratio to its expectation (S. Brin et al.,
//! "Dynamic Itemset Counting and Implication Rules", SIGMOD 1997).

use std::collections::{BTreeMap, BTreeSet};

use super::endpoint::{endpoint, path_template};
use crate::wire::decode::Call;

/// A value that the failing calls share, with the counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    pub dimension: Dimension,
    pub value: String,
    /// Failing calls with this value, and all of them.
    pub failing: (u64, u64),
    /// Good calls with this value, and all of them.
    pub good: (u64, u64),
}

/// Where on the wire a value stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    CalleePod,
    CallerPod,
    CalleeNode,
    CallerNode,
    Caller,
    ClientAddress,
    Endpoint,
    Method,
    Path,
    Query(String),
    Header(String),
    /// A field of a JSON body of the request.
    Body(String),
    /// A name asked of a resolver.
    Question,
}

impl std::fmt::Display for Dimension {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CalleePod => f.write_str("to the pod"),
            Self::CallerPod => f.write_str("from the pod"),
            Self::CalleeNode => f.write_str("to the node"),
            Self::CallerNode => f.write_str("from the node"),
            Self::Caller => f.write_str("from"),
            Self::ClientAddress => f.write_str("from the address"),
            Self::Endpoint => f.write_str("to the endpoint"),
            Self::Method => f.write_str("with the method"),
            Self::Path => f.write_str("to the path"),
            Self::Query(name) => write!(f, "with the query parameter {name} ="),
            Self::Header(name) => write!(f, "with the header {name}:"),
            Self::Body(name) => write!(f, "with {name} in the request's body ="),
            Self::Question => f.write_str("for the name"),
        }
    }
}

impl Factor {
    /// P(value | failing) / P(value | good), a half call added to the good ones.
    #[expect(clippy::cast_precision_loss, reason = "numbers of calls")]
    pub fn lift(&self) -> f64 {
        let failing = self.failing.0 as f64 / self.failing.1.max(1) as f64;
        let good = (self.good.0 as f64 + 0.5) / (self.good.1 as f64 + 1.0);
        failing / good
    }
}

/// Fewer failing calls share something by chance.
const FEWEST: usize = 5;

/// The factors that at least nine of ten failing calls share and that set them apart, the strongest first.
pub fn common_factors(failing: &[&Call], good: &[&Call]) -> Vec<Factor> {
    if failing.len() < FEWEST || good.len() < FEWEST {
        return Vec::new();
    }
    let mut counts: BTreeMap<(Dimension, String), (u64, u64)> = BTreeMap::new();
    for call in failing {
        for value in values(call) {
            counts.entry(value).or_default().0 += 1;
        }
    }
    for call in good {
        for value in values(call) {
            if let Some(count) = counts.get_mut(&value) {
                count.1 += 1;
            }
        }
    }
    let all = (failing.len() as u64, good.len() as u64);
    let mut factors: Vec<Factor> = counts
        .into_iter()
        .filter(|(_, (bad, _))| bad * 10 >= all.0 * 9)
        .map(|((dimension, value), (bad, fine))| Factor {
            dimension,
            value,
            failing: (bad, all.0),
            good: (fine, all.1),
        })
        .filter(|factor| factor.lift() >= LEAST_LIFT)
        .collect();
    // Among equals what is nearer to an instance comes first.
    factors.sort_by(|a, b| {
        b.lift()
            .total_cmp(&a.lift())
            .then_with(|| a.dimension.cmp(&b.dimension))
            .then_with(|| a.value.cmp(&b.value))
    });
    factors
}

/// Twice as frequent among failing calls, more exactly: of two instances that share the load one has a lift of two.
const LEAST_LIFT: f64 = 1.7;

/// Every value of a call that may set it apart.
fn values(call: &Call) -> BTreeSet<(Dimension, String)> {
    let mut values = BTreeSet::new();
    let mut put = |dimension: Dimension, value: Option<&str>| {
        const LONGEST: usize = 120;
        if let Some(value) = value.filter(|value| !value.is_empty() && value.len() <= LONGEST) {
            values.insert((dimension, value.to_owned()));
        }
    };
    put(Dimension::CalleePod, call.dst.pod.as_deref());
    put(Dimension::CallerPod, call.src.pod.as_deref());
    put(Dimension::CalleeNode, call.dst.node.as_deref());
    put(Dimension::CallerNode, call.src.node.as_deref());
    put(Dimension::Caller, call.src.service.as_deref());
    if call.src.service.as_deref().unwrap_or_default().is_empty() {
        put(Dimension::ClientAddress, call.src.ip.as_deref());
    }
    put(Dimension::Endpoint, endpoint(call).as_deref());
    put(Dimension::Method, call.method.as_deref());
    for question in &call.questions {
        put(Dimension::Question, Some(question));
    }
    if let Some(path) = &call.path {
        let (place, query) = path.split_once('?').unwrap_or((path, ""));
        if path_template(place) != place {
            put(Dimension::Path, Some(place));
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()).take(20) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            put(Dimension::Query(name.to_owned()), Some(value));
        }
    }
    for (name, value) in call.request_headers.iter().take(60) {
        let name = name.to_ascii_lowercase();
        if !UNIQUE.contains(&name.as_str()) {
            put(Dimension::Header(name), Some(value));
        }
    }
    if let Some(body) = call.request_body.as_deref() {
        fields(body, &mut put);
    }
    values
}

/// Headers that differ from call to call or follow from the rest.
const UNIQUE: [&str; 8] = [
    "date",
    "content-length",
    "traceparent",
    "x-request-id",
    "host",
    "authorization",
    "cookie",
    "if-none-match",
];

/// The scalar fields of a JSON body, two levels deep, by their dotted names.
fn fields(body: &str, put: &mut impl FnMut(Dimension, Option<&str>)) {
    fn walk(
        prefix: &str,
        value: &serde_json::Value,
        depth: usize,
        put: &mut impl FnMut(Dimension, Option<&str>),
    ) {
        const DEPTH: usize = 3;
        match value {
            serde_json::Value::Object(map) if depth < DEPTH => {
                for (name, value) in map.iter().take(40) {
                    let name = if prefix.is_empty() {
                        name.clone()
                    } else {
                        format!("{prefix}.{name}")
                    };
                    walk(&name, value, depth + 1, put);
                }
            }
            serde_json::Value::Array(list) if depth < DEPTH => {
                for value in list.iter().take(20) {
                    walk(&format!("{prefix}[]"), value, depth + 1, put);
                }
            }
            serde_json::Value::String(text) => put(Dimension::Body(prefix.to_owned()), Some(text)),
            serde_json::Value::Number(number) => {
                put(Dimension::Body(prefix.to_owned()), Some(&number.to_string()));
            }
            serde_json::Value::Bool(yes) => put(Dimension::Body(prefix.to_owned()), Some(&yes.to_string())),
            _ => {}
        }
    }
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(body) {
        walk("", &value, 0, put);
    }
}
