//! Errors and latency of one service over time.

use std::fmt::Write;

use maud::{Markup, html};

use super::{
    Picture,
    axis::{share, ticks},
    round,
};
use crate::{
    investigation::words,
    report::{
        layout::moment,
        model::Report,
        picture::{OverTime, Series},
    },
    time::{Clock, Utc, Window},
};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 22.0;

/// What both charts of a service share.
struct Frame<'a> {
    clock: &'a Clock,
    shown: Window,
    asked: Window,
    baseline: Vec<Window>,
    onset: Option<Utc>,
}

impl Frame<'_> {
    fn x(share: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * share.clamp(0.0, 1.0)
    }

    fn at(&self, time: Utc) -> f64 {
        Self::x(share(&self.shown, time))
    }

    /// What lies behind the values: baseline, window asked about, axis.
    fn behind(&self) -> Markup {
        let foot = HEIGHT - BOTTOM;
        html! {
            @for part in &self.baseline {
                @let (from, to) = (self.at(part.start), self.at(part.end));
                rect class="baseline" x=(round(from)) y=(round(TOP)) width=(round((to - from).max(0.0))) height=(round(foot - TOP)) {}
                @if to - from > 54.0 {
                    text class="tick" x=(round(from + 3.0)) y=(round(TOP + 10.0)) { "baseline" }
                }
            }
            rect class="asked" x=(round(self.at(self.asked.start))) y=(round(TOP))
                width=(round((self.at(self.asked.end) - self.at(self.asked.start)).max(0.0))) height=(round(foot - TOP)) {}
            @for tick in ticks(self.clock, &self.shown, 6) {
                line class="grid" x1=(round(Self::x(tick.at))) x2=(round(Self::x(tick.at))) y1=(round(foot)) y2=(round(foot + 4.0)) {}
                // The label of a mark at the edge stays inside.
                text class="tick" text-anchor=(if tick.at > 0.93 { "end" } else { "middle" }) x=(round(Self::x(tick.at)))
                    y=(round(foot + 15.0)) { (tick.label) }
            }
        }
    }

    /// The line of the onset, over everything.
    fn front(&self) -> Markup {
        html! {
            @if let Some(onset) = self.onset.filter(|onset| self.shown.start <= *onset && *onset <= self.shown.end) {
                @let x = self.at(onset);
                line class="onset" x1=(round(x)) x2=(round(x)) y1=(round(TOP - 4.0)) y2=(round(HEIGHT - BOTTOM)) {}
                text class="onset-text" text-anchor=(if x > WIDTH / 2.0 { "end" } else { "start" })
                    x=(round(if x > WIDTH / 2.0 { x - 3.0 } else { x + 3.0 })) y="10" {
                    "onset " (self.clock.at(onset).split(" (").next().unwrap_or_default())
                }
            }
        }
    }
}

/// The chart of a service's calls, and the one of their latencies where there are any.
pub(in crate::report) fn chart(
    report: &Report,
    over: &OverTime,
    series: &Series,
    clock: &Clock,
) -> Vec<Picture> {
    let window = |start: &str, end: &str| {
        Some(Window {
            start: moment(start)?,
            end: moment(end)?,
        })
    };
    let (Some(shown), Some(asked)) = (
        window(&over.start, &over.end),
        window(&report.window.start, &report.window.end),
    ) else {
        return Vec::new();
    };
    let frame = Frame {
        clock,
        shown,
        asked,
        baseline: over
            .baseline
            .iter()
            .filter_map(|part| window(&part.start, &part.end))
            .collect(),
        onset: series.onset.as_deref().and_then(moment),
    };
    let mut pictures = vec![errors(&frame, series)];
    pictures.extend(latency(&frame, series));
    pictures
}

/// Lookups and connections are listed where they fail only.
fn noun(series: &Series) -> (&'static str, bool) {
    match series.protocol.as_str() {
        "tcp" => ("connections", true),
        "dns" => ("lookups", true),
        _ => ("calls", false),
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of calls in a list")]
fn errors(frame: &Frame<'_>, series: &Series) -> Picture {
    let (noun, only_failing) = noun(series);
    let tall: &[u64] = if only_failing {
        &series.failing
    } else {
        &series.calls
    };
    let most = tall.iter().copied().max().unwrap_or(0).max(1);
    let foot = HEIGHT - BOTTOM;
    let bins = series.calls.len().max(1) as f64;
    let bar = |at: usize, value: u64, class: &str| {
        let (left, right) = (Frame::x(at as f64 / bins), Frame::x((at + 1) as f64 / bins));
        let height = (foot - TOP) * value as f64 / most as f64;
        html! {
            @if value > 0 {
                rect class=(class) x=(round(left + 0.4)) y=(round(foot - height)) width=(round(right - left - 0.8))
                    height=(round(height)) {}
            }
        }
    };
    let (failing, all): (u64, u64) = (series.failing.iter().sum(), series.calls.iter().sum());
    let every = frame
        .clock
        .duration(frame.shown.length() / i32::try_from(series.calls.len().max(1)).unwrap_or(1));
    let peak = series
        .failing
        .iter()
        .enumerate()
        .max_by_key(|(at, value)| (**value, std::cmp::Reverse(*at)))
        .filter(|(_, value)| **value > 0)
        .map(|(at, value)| {
            let step = frame.shown.length() / i32::try_from(series.calls.len().max(1)).unwrap_or(1);
            let when = frame.shown.start + step * i32::try_from(at).unwrap_or(0);
            format!(", most at {}: {}", frame.clock.at(when), words::number(*value))
        })
        .unwrap_or_default();
    let amount = if only_failing {
        format!("{} failing {noun}", words::number(failing))
    } else {
        format!("{} {noun} failed", words::of(failing, all))
    };
    Picture {
        width: WIDTH,
        height: HEIGHT,
        title: format!("{amount}{peak}"),
        body: html! {
            (frame.behind())
            text class="tick" text-anchor="end" x=(round(LEFT - 6.0)) y=(round(TOP + 8.0)) { (words::number(most)) }
            text class="tick" text-anchor="end" x=(round(LEFT - 6.0)) y=(round(foot)) { "0" }
            text class="axis" x="0" y="10" { (noun) " in " (every) }
            @if !only_failing {
                @for (at, value) in series.calls.iter().enumerate() { (bar(at, *value, "calls")) }
            }
            @for (at, value) in series.failing.iter().enumerate() { (bar(at, *value, "failing")) }
            line class="foot" x1=(round(LEFT)) x2=(round(WIDTH - RIGHT)) y1=(round(foot)) y2=(round(foot)) {}
            (frame.front())
        },
    }
}

/// The scale of latencies: powers of ten, since what is slow is slow by a factor.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    #[expect(clippy::cast_precision_loss, reason = "latencies stay far below 2^52 µs")]
    fn of(values: impl Iterator<Item = i64>) -> Option<Self> {
        let (low, high) = values
            .map(|us| (us.max(1) as f64).log10())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| {
                (low.min(log), high.max(log))
            });
        high.is_finite().then(|| Self {
            low: low.floor(),
            high: high.ceil().max(low.floor() + 1.0),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "latencies stay far below 2^52 µs")]
    fn y(&self, us: i64) -> f64 {
        let part = ((us.max(1) as f64).log10() - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * part
    }

    /// The powers of ten in it, µs.
    fn marks(&self) -> Vec<i64> {
        (0..=12_u32)
            .filter(|power| (self.low..=self.high).contains(&f64::from(*power)))
            .map(|power| 10_i64.pow(power))
            .collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of bins")]
fn latency(frame: &Frame<'_>, series: &Series) -> Option<Picture> {
    if noun(series).1 {
        return None;
    }
    let both = series.median_us.iter().chain(&series.p95_us);
    let scale = Scale::of(both.flatten().copied())?;
    let bins = series.calls.len().max(1) as f64;
    let line = |values: &[Option<i64>], class: &str| {
        let mut path = String::new();
        let mut drawing = false;
        for (at, value) in values.iter().enumerate() {
            let Some(us) = value else {
                drawing = false;
                continue;
            };
            let x = Frame::x((at as f64 + 0.5) / bins);
            let command = if drawing { 'L' } else { 'M' };
            // A point without neighbours is still a point.
            // Writing to a string cannot fail.
            let _ = write!(path, "{command}{} {}h0.1", round(x), round(scale.y(*us)));
            drawing = true;
        }
        html! { path class=(class) d=(path) {} }
    };
    let p95 = |values: &mut dyn Iterator<Item = i64>| values.max().map(words::latency);
    let worst = p95(&mut series.p95_us.iter().flatten().copied()).unwrap_or_default();
    Some(Picture {
        width: WIDTH,
        height: HEIGHT,
        title: format!("Latency: 95th percentile at most {worst}"),
        body: html! {
            (frame.behind())
            @for mark in scale.marks() {
                line class="grid" x1=(round(LEFT)) x2=(round(WIDTH - RIGHT)) y1=(round(scale.y(mark))) y2=(round(scale.y(mark))) {}
                text class="tick" text-anchor="end" x=(round(LEFT - 6.0)) y=(round(scale.y(mark) + 4.0)) { (mark_text(mark)) }
            }
            text class="axis" x="0" y="10" { "latency: " tspan class="p95" { "p95" } ", " tspan class="median" { "median" } }
            (line(&series.median_us, "median"))
            (line(&series.p95_us, "p95"))
            (frame.front())
        },
    })
}

/// A power of ten of µs without decimals.
fn mark_text(us: i64) -> String {
    match us {
        ..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{} s", us / 1_000_000),
    }
}
