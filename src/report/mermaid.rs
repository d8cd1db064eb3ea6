//! The service graph as Mermaid text, for Markdown that is shown where no picture can be.

use std::fmt::Write;

use super::{
    document::plain,
    picture::{Graph, GraphEdge, Role},
};
use crate::investigation::words;

/// Edges that such a text holds; the renderers of forges refuse long ones.
const EDGES: usize = 60;

/// A flow chart, the abnormal edges first; `None` where there is nothing to be shown.
pub(super) fn mermaid(graph: &Graph) -> Option<String> {
    let mut edges: Vec<&GraphEdge> = graph.edges.iter().collect();
    edges.sort_by_key(|edge| (!edge.on_path, !edge.abnormal));
    edges.truncate(EDGES);
    if edges.is_empty() {
        return None;
    }
    let mut out = String::from("flowchart LR\n");
    // Writing to a string cannot fail.
    for (at, node) in graph.nodes.iter().enumerate() {
        if !edges.iter().any(|edge| edge.from == at || edge.to == at) {
            continue;
        }
        let class = match node.role {
            Role::Cause => "cause",
            Role::Affected => "affected",
            Role::Healthy => "healthy",
            Role::Outside => "outside",
        };
        let place = node
            .workload
            .as_ref()
            .map(|workload| format!(" ({})", label(workload)))
            .unwrap_or_default();
        let _ = writeln!(out, "    n{at}[\"{}{place}\"]:::{class}", label(&node.name));
    }
    for edge in &edges {
        let counted = if edge.abnormal || edge.on_path {
            format!(
                "\"{}\"",
                label(&words::of(edge.during.failing, edge.during.calls))
            )
        } else {
            String::new()
        };
        let arrow = if counted.is_empty() {
            "-->".to_owned()
        } else {
            format!("==>|{counted}|")
        };
        let _ = writeln!(out, "    n{} {arrow} n{}", edge.from, edge.to);
    }
    out.push_str(
        "    classDef cause fill:#b42318,stroke:#7a271a,color:#ffffff\n    \
         classDef affected fill:#fdb022,stroke:#93370d,color:#1f1300\n    \
         classDef healthy fill:#eaecf0,stroke:#667085,color:#1d2939\n    \
         classDef outside fill:#ffffff,stroke:#667085,color:#1d2939,stroke-dasharray:4 3",
    );
    Some(out)
}

/// A text in quotes: whatever means something to Mermaid, to the HTML that it makes or to Markdown is a number.
fn label(text: &str) -> String {
    let mut out = String::new();
    for c in plain(text).chars() {
        match c {
            c if c.is_alphanumeric() || " -_.,:/()".contains(c) => out.push(c),
            c => {
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn a_label_stays_a_label() {
        assert_eq!(
            label("a\"]; click n0 \"javascript:x\""),
            "a#34;#93;#59; click n0 #34;javascript:x#34;"
        );
        assert_eq!(label("<b>`x`"), "#60;b#62;#96;x#96;");
    }
}
