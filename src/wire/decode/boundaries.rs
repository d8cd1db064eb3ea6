//! What the nodes still hold: answers of `get_data_boundaries` and `get_l7_data_boundaries`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DecodeError, field::Fields};
use crate::time::Window;

/// From when to when there is data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boundaries {
    /// Over all nodes; `None` where there is no data at all.
    pub cluster: Option<Window>,
    pub nodes: Vec<NodeBoundaries>,
    /// Whether live dissection is on; only newer servers say it.
    pub dissection_enabled: Option<bool>,
    /// What the server says is wrong with the data, a sentence each; only the embedded hub does.
    pub problems: Vec<String>,
}

/// From when to when one node has data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeBoundaries {
    pub name: String,
    /// `None` where the node holds nothing.
    pub window: Option<Window>,
}

/// Problems kept; more say the same.
const MAX_PROBLEMS: usize = 20;

const OLDEST: &[&str] = &["oldest_ts", "oldest", "start_ts", "start"];
const NEWEST: &[&str] = &["newest_ts", "newest", "end_ts", "end"];

/// Reads `{cluster: {oldest_ts, newest_ts}, nodes: [{name, oldest_ts, newest_ts}]}`, times in Unix
/// ms. Without a cluster window the nodes' common hull is taken.
pub fn boundaries(answer: &Value) -> Result<Boundaries, DecodeError> {
    const WHAT: &str = "the answer about the data's boundaries";
    let fields =
        Fields::of(answer).ok_or_else(|| DecodeError::shape(WHAT, "an object with `cluster`", answer))?;
    if !fields.has(&["cluster", "nodes"]) && !fields.has(OLDEST) {
        return Err(DecodeError::field(
            WHAT,
            "cluster",
            "an object with `oldest_ts` and `newest_ts`",
            answer,
        ));
    }
    let nodes: Vec<NodeBoundaries> = match fields.get(&["nodes"]) {
        Some(Value::Array(nodes)) => nodes.iter().filter_map(node).collect(),
        // A map of node name to boundaries says the same.
        Some(by_name) => Fields::of(by_name)
            .into_iter()
            .flat_map(Fields::iter)
            .map(|(name, value)| NodeBoundaries {
                name: name.clone(),
                window: Fields::of(value).and_then(|f| f.window(OLDEST, NEWEST)),
            })
            .collect(),
        None => Vec::new(),
    };
    let stated = fields
        .object(&["cluster"])
        .unwrap_or(fields)
        .window(OLDEST, NEWEST);
    let cluster = stated.or_else(|| hull(nodes.iter().filter_map(|n| n.window)));
    Ok(Boundaries {
        cluster,
        nodes,
        dissection_enabled: fields.flag(&["dissection_enabled"]),
        problems: fields
            .list(&["problems"])
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .take(MAX_PROBLEMS)
            .collect(),
    })
}

fn node(value: &Value) -> Option<NodeBoundaries> {
    let fields = Fields::of(value)?;
    let name = fields.text(&["name", "node", "node_name"])?;
    Some(NodeBoundaries {
        name,
        window: fields.window(OLDEST, NEWEST),
    })
}

/// The smallest window that holds all of `windows`.
fn hull(windows: impl Iterator<Item = Window>) -> Option<Window> {
    windows.reduce(|a, b| Window {
        start: a.start.min(b.start),
        end: a.end.max(b.end),
    })
}
