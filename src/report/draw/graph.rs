//! The service graph of the incident.

use std::{collections::BTreeMap, fmt::Write};

use maud::{Markup, html};

use super::{
    Picture,
    place::{Place, place},
    round, short,
};
use crate::{
    investigation::words,
    report::{
        layout::{first_abnormal, named},
        model::Report,
        picture::{Amounts, GraphEdge, GraphNode, Role},
    },
    time::Clock,
};

/// A character of a name, and of a label.
const NAME: f64 = 7.3;
const LABEL: f64 = 6.1;
const BOX: f64 = 34.0;
/// Between layers, with labels and without.
const ROOMY: f64 = 134.0;
const NARROW: f64 = 54.0;
const MARGIN: f64 = 14.0;
/// Names longer than this are cut.
const LONGEST: usize = 22;
/// Where so few services call each other every edge says its numbers.
const ALL_LABELLED: usize = 4;

/// Where the columns of layers are.
struct Columns {
    /// (left, width) of each.
    places: Vec<(f64, f64)>,
}

impl Columns {
    fn left(&self, layer: usize) -> f64 {
        self.places.get(layer).map_or(0.0, |(left, _)| *left)
    }

    fn right(&self, layer: usize) -> f64 {
        self.places.get(layer).map_or(0.0, |(left, width)| left + width)
    }
}

/// A label with its place: lines of text around a middle.
struct Label {
    x: f64,
    y: f64,
    lines: Vec<String>,
}

impl Label {
    fn size(&self) -> (f64, f64) {
        let longest = self
            .lines
            .iter()
            .map(|line| line.chars().count())
            .max()
            .unwrap_or(0);
        (units(longest) * LABEL + 6.0, units(self.lines.len()) * 13.0 + 2.0)
    }

    fn meets(&self, other: &Self) -> bool {
        let ((w, h), (v, g)) = (self.size(), other.size());
        (self.x - other.x).abs() * 2.0 < w + v && (self.y - other.y).abs() * 2.0 < h + g
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of characters and lines")]
fn units(count: usize) -> f64 {
    count as f64
}

/// Draws the graph; `None` where nobody called anybody.
pub(in crate::report) fn graph(report: &Report, clock: &Clock) -> Option<Picture> {
    let graph = &report.graph;
    if graph.edges.is_empty() {
        return None;
    }
    let pairs: Vec<(usize, usize)> = graph.edges.iter().map(|edge| (edge.from, edge.to)).collect();
    let placed = place(graph.nodes.len(), &pairs);
    let labelled = |edge: &GraphEdge| edge.abnormal || edge.on_path || graph.edges.len() <= ALL_LABELLED;
    let columns = columns(report, &placed.nodes, &placed.routes, placed.layers, &labelled);
    let y = |place: &Place| MARGIN + place.across;
    let ports = ports(report, &placed.routes);
    let mut labels: Vec<Label> = Vec::new();
    let mut lines: Vec<(u8, Markup)> = Vec::new();
    for ((at, edge), route) in graph.edges.iter().enumerate().zip(&placed.routes) {
        let Some((path, middle)) = curve(route, &columns, ports.get(&at).copied().unwrap_or_default()) else {
            continue;
        };
        let (class, rank) = classed(report, edge);
        let said = told(report, edge);
        lines.push((
            rank,
            html! {
                path class=(class) d=(path) marker-end=(format!("url(#arrow-{class})")) {
                    title { (said) }
                }
            },
        ));
        if labelled(edge) {
            labels.push(settle(
                Label {
                    x: middle.0,
                    y: middle.1,
                    lines: numbers(report, edge, clock),
                },
                &labels,
            ));
        }
    }
    // What matters is drawn last, over the rest.
    lines.sort_by_key(|(rank, _)| *rank);
    let low = labels
        .iter()
        .map(|label| label.y + label.size().1 / 2.0)
        .fold(0.0, f64::max);
    let high = labels
        .iter()
        .map(|label| label.y - label.size().1 / 2.0)
        .fold(0.0, f64::min);
    let height = (placed.width + 2.0 * MARGIN).max(low + 4.0) - high;
    let body = html! {
        defs {
            @for class in ["healthy", "affected", "cause"] {
                marker id=(format!("arrow-{class}")) viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"
                    markerUnits="userSpaceOnUse" orient="auto" {
                    path class=(format!("tip {class}")) d="M0 0.5 8 4 0 7.5z" {}
                }
            }
        }
        g transform=(format!("translate(0 {})", round(-high))) {
            @for (_, line) in &lines { (line) }
            @for (node, place) in graph.nodes.iter().zip(&placed.nodes) {
                (vertex(node, columns.left(place.layer), columns.right(place.layer), y(place)))
            }
            @for label in &labels { (labelled_with(label)) }
        }
    };
    Some(Picture {
        width: columns.right(placed.layers.saturating_sub(1)) + MARGIN,
        height,
        title: in_words(report),
        body,
    })
}

/// Columns as wide as the names in them, with room for labels where there are any.
fn columns(
    report: &Report,
    nodes: &[Place],
    routes: &[Vec<Place>],
    layers: usize,
    labelled: &dyn Fn(&GraphEdge) -> bool,
) -> Columns {
    let mut places = Vec::new();
    let mut left = MARGIN;
    for layer in 0..layers {
        let longest = report
            .graph
            .nodes
            .iter()
            .zip(nodes)
            .filter(|(_, place)| place.layer == layer)
            .map(|(node, _)| {
                let below = under(node).chars().count() * 5 / 6;
                short(&node.name, LONGEST).chars().count().max(below)
            })
            .max()
            .unwrap_or(4);
        let width = units(longest) * NAME + 22.0;
        places.push((left, width));
        let roomy = report
            .graph
            .edges
            .iter()
            .zip(routes)
            .any(|(edge, route)| labelled(edge) && label_gap(route) == Some(layer));
        left += width + if roomy { ROOMY } else { NARROW };
    }
    Columns { places }
}

/// After which layer the label of an edge is: the first gap that it crosses.
fn label_gap(route: &[Place]) -> Option<usize> {
    match route {
        [first, second, ..] => Some(first.layer.min(second.layer)),
        _ => None,
    }
}

/// Where on the sides of boxes edges leave and arrive, so that they do not lie on each other: offsets from the middle.
fn ports(report: &Report, routes: &[Vec<Place>]) -> BTreeMap<usize, (f64, f64)> {
    /// How far across the other end is, the edge, and whether it leaves here.
    type End = (f64, usize, bool);
    const ROOM: f64 = 20.0;
    let mut sides: BTreeMap<(usize, bool), Vec<End>> = BTreeMap::new();
    for ((at, edge), route) in report.graph.edges.iter().enumerate().zip(routes) {
        if let [first, second, ..] = route.as_slice()
            && let [.., before, last] = route.as_slice()
        {
            let rightwards = first.layer < last.layer;
            sides
                .entry((edge.from, rightwards))
                .or_default()
                .push((second.across, at, true));
            sides
                .entry((edge.to, !rightwards))
                .or_default()
                .push((before.across, at, false));
        }
    }
    let mut ports: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for mut side in sides.into_values() {
        side.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        let step = ROOM / units(side.len());
        for (place, (_, at, leaves)) in side.iter().enumerate() {
            let offset = step * (units(place) + 0.5) - ROOM / 2.0;
            let port = ports.entry(*at).or_default();
            if *leaves {
                port.0 = offset;
            } else {
                port.1 = offset;
            }
        }
    }
    ports
}

/// The path of an edge and the middle of its first stretch.
fn curve(route: &[Place], columns: &Columns, ports: (f64, f64)) -> Option<(String, (f64, f64))> {
    let (first, last) = (route.first()?, route.last()?);
    let rightwards = first.layer < last.layer;
    let sides = |layer: usize| {
        if rightwards {
            (columns.left(layer), columns.right(layer))
        } else {
            (columns.right(layer), columns.left(layer))
        }
    };
    let ends = route.len() - 1;
    let height = |at: usize, place: &Place| {
        let port = match at {
            0 => ports.0,
            at if at == ends => ports.1,
            _ => 0.0,
        };
        MARGIN + place.across + port
    };
    let (mut x, mut y) = (sides(first.layer).1, height(0, first));
    let mut path = format!("M{} {}", round(x), round(y));
    let mut middle = None;
    for (at, place) in route.iter().enumerate().skip(1) {
        let (enter, leave) = sides(place.layer);
        let down = height(at, place);
        let half = f64::midpoint(x, enter);
        // Writing to a string cannot fail.
        let _ = write!(
            path,
            "C{} {} {} {} {} {}",
            round(half),
            round(y),
            round(half),
            round(down),
            round(enter),
            round(down)
        );
        middle.get_or_insert((half, f64::midpoint(y, down)));
        if at < ends {
            let _ = write!(path, "H{}", round(leave));
        }
        (x, y) = (leave, down);
    }
    Some((path, middle?))
}

/// Moves a label up or down to where it hides no other one.
fn settle(label: Label, others: &[Label]) -> Label {
    const TRIES: [f64; 9] = [0.0, -20.0, 20.0, -38.0, 38.0, -56.0, 56.0, -74.0, 74.0];
    let tried = TRIES.map(|shift| Label {
        x: label.x,
        y: label.y + shift,
        lines: label.lines.clone(),
    });
    let meets = |label: &Label| others.iter().filter(|other| label.meets(other)).count();
    tried.into_iter().min_by_key(meets).unwrap_or(label)
}

fn classed(report: &Report, edge: &GraphEdge) -> (&'static str, u8) {
    let to = report.graph.nodes.get(edge.to).map(|node| node.role);
    let from = report.graph.nodes.get(edge.from).map(|node| node.role);
    let changed = edge.abnormal || edge.on_path;
    if changed && (to == Some(Role::Cause) || from == Some(Role::Cause) && edge.on_path) {
        ("cause", 2)
    } else if changed {
        ("affected", 1)
    } else {
        ("healthy", 0)
    }
}

/// The second line of a box: the pod or node at fault, else the namespace.
fn under(node: &GraphNode) -> String {
    let text = match (&node.workload, &node.namespace, node.role) {
        (Some(workload), ..) => workload.clone(),
        (None, _, Role::Cause) => "the cause".to_owned(),
        (None, Some(namespace), _) => namespace.clone(),
        (None, None, Role::Outside) => "callers".to_owned(),
        (None, None, _) => "outside".to_owned(),
    };
    short(&text, LONGEST + 4)
}

fn vertex(node: &GraphNode, left: f64, right: f64, y: f64) -> Markup {
    let class = match node.role {
        Role::Cause => "node cause",
        Role::Affected => "node affected",
        Role::Healthy => "node healthy",
        Role::Outside => "node outside",
    };
    let middle = f64::midpoint(left, right);
    html! {
        g class=(class) {
            title { (short(&named(&node.name, node.namespace.as_deref()), 200)) }
            rect x=(round(left)) y=(round(y - BOX / 2.0)) width=(round(right - left)) height=(round(BOX)) rx="6" {}
            text class="name" text-anchor="middle" x=(round(middle)) y=(round(y - 1.0)) { (short(&node.name, LONGEST)) }
            text class="under" text-anchor="middle" x=(round(middle)) y=(round(y + 11.5)) { (under(node)) }
        }
    }
}

fn labelled_with(label: &Label) -> Markup {
    let (width, height) = label.size();
    let top = label.y - height / 2.0;
    html! {
        g class="label" {
            rect x=(round(label.x - width / 2.0)) y=(round(top)) width=(round(width)) height=(round(height)) rx="3" {}
            @for (at, line) in label.lines.iter().enumerate() {
                text class=(if at == 0 { "strong" } else { "line" }) text-anchor="middle" x=(round(label.x))
                    y=(round(top + 11.0 + units(at) * 13.0)) { (line) }
            }
        }
    }
}

/// Failing of all, latency before and after, when it was first abnormal.
fn numbers(report: &Report, edge: &GraphEdge, clock: &Clock) -> Vec<String> {
    let mut lines = vec![format!(
        "{} failing",
        words::of(edge.during.failing, edge.during.calls)
    )];
    lines.extend(latencies(edge));
    if let Some(first) = &edge.first_abnormal {
        let local = first_abnormal(report, first, clock);
        // UTC is in the table below the picture.
        let local = local.split(" (").next().unwrap_or_default();
        lines.push(local.to_owned());
    }
    lines
}

/// 95th percentiles before and during.
fn latencies(edge: &GraphEdge) -> Option<String> {
    // How long a connection lasts says nothing.
    if edge.protocol == "tcp" {
        return None;
    }
    let p95 = |amounts: &Amounts| amounts.p95_us.map(words::latency);
    match (p95(&edge.before), p95(&edge.during)) {
        (Some(before), Some(during)) => Some(format!("{before} → {during}")),
        (None, Some(during)) => Some(during),
        _ => None,
    }
}

/// Everything about one edge in a sentence.
fn told(report: &Report, edge: &GraphEdge) -> String {
    let name = |at: usize| {
        report
            .graph
            .nodes
            .get(at)
            .map_or_else(String::new, |node| short(&node.name, 60))
    };
    let latency = latencies(edge)
        .map(|text| format!(", p95 {text}"))
        .unwrap_or_default();
    format!(
        "{} → {} ({}): {} failing, {} before{latency}",
        name(edge.from),
        name(edge.to),
        edge.protocol,
        words::of(edge.during.failing, edge.during.calls),
        words::of(edge.before.failing, edge.before.calls)
    )
}

/// The picture for whoever does not see it.
fn in_words(report: &Report) -> String {
    let graph = &report.graph;
    let of = |role: Role| -> String {
        let names: Vec<String> = graph
            .nodes
            .iter()
            .filter(|node| node.role == role)
            .map(|node| short(&node.name, 60))
            .collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    let abnormal: Vec<String> = graph
        .edges
        .iter()
        .filter(|edge| edge.abnormal || edge.on_path)
        .take(12)
        .map(|edge| told(report, edge))
        .collect();
    format!(
        "Service graph of {} services. Cause: {}. Affected: {}. {}",
        graph.nodes.len(),
        of(Role::Cause),
        of(Role::Affected),
        abnormal.join("; ")
    )
}
