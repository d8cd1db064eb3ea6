//! What was captured and dissected, a strip a node and a cell a minute.

use maud::html;

use super::{
    Picture,
    axis::{share, ticks},
    round, short,
};
use crate::{
    report::{layout::moment, model::Coverage, model::Stretch},
    time::{Clock, Window},
};

const LEFT: f64 = 130.0;
const WIDTH: f64 = 560.0;
const ROW: f64 = 24.0;
const CELL: f64 = 14.0;

/// The strips of all nodes over everything that was recorded or asked about; `None` without nodes.
#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of rows, minutes and calls of a list"
)]
pub(in crate::report) fn strip(coverage: &Coverage, clock: &Clock) -> Option<Picture> {
    let window = |stretch: &Stretch| {
        Some(Window {
            start: moment(&stretch.start)?,
            end: moment(&stretch.end)?,
        })
    };
    let asked = window(&coverage.asked)?;
    let shown = coverage
        .dissected
        .as_ref()
        .and_then(window)
        .map_or(asked, |dissected| dissected.hull(&asked));
    if coverage.nodes.is_empty() {
        return None;
    }
    let x = |part: f64| LEFT + WIDTH * part.clamp(0.0, 1.0);
    let height = ROW * coverage.nodes.len() as f64;
    let most = coverage
        .nodes
        .iter()
        .flat_map(|node| &node.calls)
        .copied()
        .max()
        .unwrap_or(0)
        .max(1);
    let minutes = coverage.minutes_from.as_deref().and_then(moment);
    let body = html! {
        rect class="asked" x=(round(x(share(&shown, asked.start)))) y="0"
            width=(round(x(share(&shown, asked.end)) - x(share(&shown, asked.start)))) height=(round(height + 4.0)) {}
        @for (row, node) in coverage.nodes.iter().enumerate() {
            @let y = ROW * row as f64 + 6.0;
            text class="name" x="0" y=(round(y + 11.0)) { (short(&node.node, 17)) }
            @for (stretch, class) in [(&node.captured, "captured"), (&node.dissected, "dissected")] {
                @if let Some(held) = stretch.as_ref().and_then(window) {
                    @let (from, to) = (x(share(&shown, held.start)), x(share(&shown, held.end)));
                    rect class=(class) x=(round(from)) y=(round(y)) width=(round((to - from).max(1.0))) height=(round(CELL)) {}
                }
            }
            @if let Some(first) = minutes {
                @for (minute, calls) in node.calls.iter().enumerate() {
                    @let from = first + chrono::TimeDelta::minutes(i64::try_from(minute).unwrap_or(0));
                    @let (left, right) = (x(share(&shown, from)), x(share(&shown, from + chrono::TimeDelta::minutes(1))));
                    @if *calls > 0 && right > left {
                        // A logarithm: a quiet minute is still a minute in which something was seen.
                        @let depth = 0.25 + 0.75 * (*calls as f64).ln_1p() / (most as f64).ln_1p();
                        rect class="traffic" x=(round(left)) y=(round(y)) width=(round((right - left - 1.0).max(0.5)))
                            height=(round(CELL)) fill-opacity=(format!("{depth:.2}")) {
                            title { (format!("{}, {}: {calls} calls", short(&node.node, 40), clock.day_time(from))) }
                        }
                    }
                }
            }
        }
        @for tick in ticks(clock, &shown, 6) {
            line class="grid" x1=(round(x(tick.at))) x2=(round(x(tick.at))) y1=(round(height + 2.0)) y2=(round(height + 7.0)) {}
            text class="tick" text-anchor="middle" x=(round(x(tick.at))) y=(round(height + 18.0)) { (tick.label) }
        }
    };
    let seen = coverage
        .nodes
        .iter()
        .filter(|node| node.dissected.is_some())
        .count();
    Some(Picture {
        width: LEFT + WIDTH + 30.0,
        height: height + 24.0,
        title: format!(
            "What {} nodes recorded: {seen} of them hold dissected packets of {}",
            coverage.nodes.len(),
            clock.window(&shown)
        ),
        body,
    })
}
