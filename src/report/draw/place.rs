//! Where the services of a graph stand: layers by who calls whom, and few crossings.
//!
//! Layers are ours, so that an edge over several of them has a place in each (a dummy vertex) and its curve goes
//! around what stands between. The order within layers and the places in them are computed by `rust-sugiyama`
//! (K. Sugiyama et al., "Methods for visual understanding of hierarchical system structures", IEEE SMC 1981).

use std::collections::{BTreeMap, BTreeSet};

use rust_sugiyama::{
    configure::{Config, CrossingMinimization, RankingType},
    from_vertices_and_edges,
};

/// A place: in which layer, and how far across it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub layer: usize,
    pub across: f64,
}

/// Where everything stands. Layers are counted from the callers that nobody calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placement {
    pub nodes: Vec<Place>,
    /// For each edge the places from its tail to its head, both ends included; of an edge to itself none.
    pub routes: Vec<Vec<Place>>,
    pub layers: usize,
    /// Places across lie between 0 and this.
    pub width: f64,
}

/// How much of a layer a vertex takes, and an edge that passes.
const NODE: f64 = 52.0;
const PASSING: f64 = 18.0;
/// Between parts of the graph that nothing connects.
const APART: f64 = 26.0;
/// Swapping neighbours costs more than it brings beyond so many vertices.
const SWAPPED: usize = 120;

/// Places `count` vertices by their edges. Edges to unknown vertices have no route.
pub fn place(count: usize, edges: &[(usize, usize)]) -> Placement {
    let known: BTreeSet<(usize, usize)> = edges
        .iter()
        .copied()
        .filter(|(from, to)| from != to && *from < count && *to < count)
        .collect();
    let forward = without_cycles(count, &known);
    let layers = layers(count, &forward);
    // A chain of places for each pair, made of vertices of the drawn graph.
    let mut vertices: Vec<(usize, f64)> = layers.iter().map(|layer| (*layer, NODE)).collect();
    let mut links: Vec<(u32, u32)> = Vec::new();
    let mut chains: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (from, to) in &forward {
        let at = |node: &usize| layers.get(*node).copied().unwrap_or(0);
        let mut chain = vec![*from];
        for layer in at(from) + 1..at(to) {
            chain.push(vertices.len());
            vertices.push((layer, PASSING));
        }
        chain.push(*to);
        links.extend(chain.windows(2).filter_map(|pair| match pair {
            [a, b] => Some((u32::try_from(*a).ok()?, u32::try_from(*b).ok()?)),
            _ => None,
        }));
        chains.insert((*from, *to), chain);
    }
    let (across, width) = across(&vertices, &links);
    let place = |vertex: &usize| Place {
        layer: vertices.get(*vertex).map_or(0, |(layer, _)| *layer),
        across: across.get(*vertex).copied().unwrap_or(0.0),
    };
    let routes = edges
        .iter()
        .map(|(from, to)| {
            let along = chains.get(&(*from, *to));
            let against = chains.get(&(*to, *from));
            match (along, against) {
                (Some(chain), _) => chain.iter().map(place).collect(),
                (None, Some(chain)) => chain.iter().rev().map(place).collect(),
                (None, None) => Vec::new(),
            }
        })
        .collect();
    Placement {
        nodes: (0..count).map(|node| place(&node)).collect(),
        routes,
        layers: layers.iter().max().map_or(0, |layer| layer + 1),
        width,
    }
}

/// The edges, with those turned round that lead back to where they came from.
fn without_cycles(count: usize, edges: &BTreeSet<(usize, usize)>) -> BTreeSet<(usize, usize)> {
    let next = |node: usize| edges.range((node, 0)..=(node, usize::MAX)).map(|(_, to)| *to);
    let called: BTreeSet<usize> = edges.iter().map(|(_, to)| *to).collect();
    // Who calls and is not called comes first.
    let mut starts: Vec<usize> = (0..count).filter(|node| !called.contains(node)).collect();
    starts.extend((0..count).filter(|node| called.contains(node)));
    let (mut seen, mut open): (BTreeSet<usize>, BTreeSet<usize>) = (BTreeSet::new(), BTreeSet::new());
    let mut forward = BTreeSet::new();
    for start in starts {
        if !seen.insert(start) {
            continue;
        }
        open.insert(start);
        let mut stack: Vec<(usize, Vec<usize>)> = vec![(start, next(start).collect())];
        while let Some((node, left)) = stack.last_mut() {
            let node = *node;
            let Some(to) = left.pop() else {
                open.remove(&node);
                stack.pop();
                continue;
            };
            if open.contains(&to) {
                forward.insert((to, node));
                continue;
            }
            forward.insert((node, to));
            if seen.insert(to) {
                open.insert(to);
                stack.push((to, next(to).collect()));
            }
        }
    }
    forward
}

/// The layer of each vertex: one after the last of its callers; who is not called stands just before whom it calls.
fn layers(count: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<usize> {
    let mut waits: Vec<usize> = vec![0; count];
    for (_, to) in edges {
        if let Some(number) = waits.get_mut(*to) {
            *number += 1;
        }
    }
    let free = |waits: &[usize], node: usize| waits.get(node) == Some(&0);
    let mut ready: Vec<usize> = (0..count).filter(|node| free(&waits, *node)).collect();
    let sources = ready.clone();
    let mut layers: Vec<usize> = vec![0; count];
    while let Some(node) = ready.pop() {
        let after = layers.get(node).copied().unwrap_or(0) + 1;
        for (_, to) in edges.range((node, 0)..=(node, usize::MAX)) {
            if let (Some(layer), Some(number)) = (layers.get_mut(*to), waits.get_mut(*to)) {
                *layer = after.max(*layer);
                *number -= 1;
                if *number == 0 {
                    ready.push(*to);
                }
            }
        }
    }
    for source in sources {
        let first = edges
            .range((source, 0)..=(source, usize::MAX))
            .filter_map(|(_, to)| layers.get(*to).copied())
            .min();
        if let (Some(first), Some(layer)) = (first, layers.get_mut(source)) {
            *layer = first.saturating_sub(1);
        }
    }
    layers
}

/// How far across its layer each vertex stands, and the width of it all.
fn across(vertices: &[(usize, f64)], links: &[(u32, u32)]) -> (Vec<f64>, f64) {
    let sized: Vec<(u32, (f64, f64))> = (0_u32..)
        .zip(vertices)
        .map(|(id, (_, size))| (id, (*size, 1.0)))
        .collect();
    let config = Config {
        minimum_length: 1,
        vertex_spacing: 2.0,
        // Every link goes from one layer to the next: there is nothing to be added.
        dummy_vertices: false,
        // With links this short the shortest drawing has exactly our layers.
        ranking_type: RankingType::MinimizeEdgeLength,
        c_minimization: CrossingMinimization::Barycenter,
        transpose: vertices.len() <= SWAPPED,
        ..Config::default()
    };
    let mut parts = from_vertices_and_edges(&sized, links, &config);
    // The parts come in no particular order; the largest goes on top.
    parts.sort_by_key(|(places, ..)| {
        let first = places.iter().map(|(vertex, _)| *vertex).min();
        (std::cmp::Reverse(places.len()), first)
    });
    let mut across = vec![0.0; vertices.len()];
    let mut begin = 0.0;
    for (places, ..) in parts {
        let size = |vertex: usize| vertices.get(vertex).map_or(NODE, |(_, size)| *size);
        let low = places
            .iter()
            .map(|(vertex, (x, _))| x - size(*vertex) / 2.0)
            .fold(f64::INFINITY, f64::min);
        let high = places
            .iter()
            .map(|(vertex, (x, _))| x + size(*vertex) / 2.0)
            .fold(f64::NEG_INFINITY, f64::max);
        for (vertex, (x, _)) in places {
            if let Some(place) = across.get_mut(vertex) {
                *place = begin + x - low;
            }
        }
        begin += (high - low).max(0.0) + APART;
    }
    (across, (begin - APART).max(0.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_chain_is_a_row_and_a_cycle_is_turned_round() {
        let chain = place(3, &[(0, 1), (1, 2), (2, 0)]);
        let layers: Vec<usize> = chain.nodes.iter().map(|node| node.layer).collect();
        assert_eq!(layers, [0, 1, 2]);
        assert_eq!(chain.layers, 3);
        // The edge that leads back passes the layer between.
        assert_eq!(chain.routes[2].len(), 3);
        assert_eq!(chain.routes[2][0], chain.nodes[2]);
        assert_eq!(chain.routes[2][2], chain.nodes[0]);
    }

    #[test]
    fn nothing_and_single_services_have_a_place() {
        assert_eq!(place(0, &[]).layers, 0);
        let alone = place(2, &[(0, 0), (1, 7)]);
        assert_eq!(alone.nodes.len(), 2);
        assert_eq!(alone.routes, [Vec::new(), Vec::new()]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Nobody stands on somebody else, whatever calls whatever.
        #[test]
        fn nothing_overlaps(count in 1_usize..24, pairs in prop::collection::vec((0_usize..24, 0_usize..24), 0..70)) {
            let placed = place(count, &pairs);
            prop_assert_eq!(placed.nodes.len(), count);
            prop_assert_eq!(placed.routes.len(), pairs.len());
            for (at, a) in placed.nodes.iter().enumerate() {
                prop_assert!(a.across.is_finite() && a.across >= 0.0 && a.across <= placed.width);
                prop_assert!(a.layer < placed.layers);
                for b in placed.nodes.iter().skip(at + 1) {
                    prop_assert!(a.layer != b.layer || (a.across - b.across).abs() >= NODE - 1.0, "{:?} {:?}", a, b);
                }
            }
        }

        #[test]
        fn the_same_graph_is_the_same_picture(pairs in prop::collection::vec((0_usize..16, 0_usize..16), 0..40)) {
            prop_assert_eq!(place(16, &pairs), place(16, &pairs));
        }
    }
}
