//! The layout of the service graph: as many services and calls as a picture ever holds, and as few as usual.
//!
//! Prints how many times longer the large one takes than the small one, and what that is in milliseconds. The large one
//! is to stay under 50 ms, so that drawing is never what somebody waits for.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::time::{Duration, Instant};

use rca_agent::report::place;

fn main() {
    let (small, large) = (best(&edges(12, 24), 12), best(&edges(60, 200), 60));
    println!(
        "layout of 60 services and 200 edges: {:.1} ms, {:.0} times that of 12 and 24 ({:.2} ms)",
        large.as_secs_f64() * 1e3,
        large.as_secs_f64() / small.as_secs_f64(),
        small.as_secs_f64() * 1e3
    );
    divan::main();
}

/// Calls all over the graph, cycles among them.
fn edges(services: usize, count: usize) -> Vec<(usize, usize)> {
    (0..count)
        .map(|n| (n * 7 % services, (n * 13 + n / 3 + 1) % services))
        .collect()
}

fn best(edges: &[(usize, usize)], services: usize) -> Duration {
    const ROUNDS: u32 = 10;
    (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            divan::black_box(place(services, edges));
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

#[divan::bench(args = [(12, 24), (60, 200)])]
fn layout(bencher: divan::Bencher, (services, count): (usize, usize)) {
    let edges = edges(services, count);
    bencher.bench(|| place(services, &edges));
}
