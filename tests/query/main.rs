//! Plans against a server of a million generated calls.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod hub;
mod server;
mod shop;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use rca_agent::kfl::{FieldId, Filter, FilterTerm, Protocol};
use rca_agent::query::{
    Budget, Cell, Counting, Dimension, Histogram, Plan, Question, Samples, Target, Value, Wanted,
};
use rca_agent::time::{Clock, HourStyle, Utc, Window, Zone};
use rca_agent::wire::SnapshotRef;
use server::{Order, Server, Totals, perform};
use shop::{HOUR_MS, Row, SERVICES, START_MS};

static HOUR: LazyLock<Vec<Row>> = LazyLock::new(|| shop::hour(1_000_000));

/// A server of that hour that is asked about failing calls.
static FAILING: LazyLock<Server<'static>> = LazyLock::new(|| Server::new(&HOUR, &failing().to_string()));

const BUDGET: Budget = Budget {
    calls: 40,
    bytes: 2_000_000,
};

fn at(ms: i64) -> Utc {
    DateTime::from_timestamp_millis(ms).unwrap()
}

fn failing() -> Filter {
    let none = FilterTerm::equals(FieldId::STATUS_CODE, 0).unwrap();
    let bad = Filter::everything().status_at_least(400).terms()[0].clone();
    Filter::new(Protocol::Http).and(FilterTerm::any(&[bad, none]).unwrap())
}

fn question(filter: Filter) -> Question {
    let snapshot = SnapshotRef {
        id: "s".to_owned(),
        name: "s".to_owned(),
    };
    Question {
        target: Target {
            snapshot: Some(snapshot),
            dissection: None,
            statistics: true,
        },
        filter,
        window: Window {
            start: at(START_MS),
            end: at(START_MS + HOUR_MS),
        },
    }
}

fn service(to: usize) -> Value {
    let (name, namespace) = SERVICES[to];
    Value::Service {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// The histogram as it is, counted row by row.
fn truth(rows: &[Row], dimensions: &[Dimension], width: i64) -> BTreeMap<Cell, u64> {
    cells(rows.iter().filter(|row| row.failing()), dimensions, width)
}

fn cells<'r>(
    rows: impl Iterator<Item = &'r Row>,
    dimensions: &[Dimension],
    width: i64,
) -> BTreeMap<Cell, u64> {
    let mut cells = BTreeMap::new();
    for row in rows {
        let values = dimensions.iter().map(|dimension| match dimension {
            Dimension::DstService => service(row.to),
            Dimension::SrcService => service(row.from),
            Dimension::DstNamespace => Value::Namespace(SERVICES[row.to].1.to_owned()),
            Dimension::StatusClass => Value::Class(row.status / 100),
        });
        let bin = usize::try_from((row.ts_ms - START_MS) / width).unwrap();
        *cells
            .entry(Cell {
                bin,
                values: values.collect(),
            })
            .or_default() += 1;
    }
    cells
}

const MINUTE: i64 = 60_000;

fn by_minute(question: Question, dimensions: Vec<Dimension>, budget: Budget) -> Histogram {
    let width = TimeDelta::milliseconds(MINUTE);
    Histogram::new(question, width, dimensions, Counting::default(), budget)
}

#[test]
fn the_error_histogram_of_an_hour_is_exact_within_forty_calls_and_two_megabytes() {
    let expected = truth(&HOUR, &[Dimension::DstService], MINUTE);
    let errors: u64 = expected.values().sum();
    assert!((4_500..5_500).contains(&errors), "{errors}");
    for totals in [Totals::EveryMatch, Totals::ReturnedLength] {
        let mut server = FAILING.clone();
        server.totals = totals;
        let mut plan = by_minute(question(failing()), vec![Dimension::DstService], BUDGET);
        let turns = perform(&mut plan, &mut server);
        let counts = plan.counts();
        assert!(turns <= 12, "several questions a turn: {turns} turns");
        assert_eq!(counts.gaps, []);
        assert_eq!(counts.cells, expected, "{totals:?}");
        assert_eq!((counts.total, counts.bins.len()), (Some(errors), 60));
        assert_eq!(
            (counts.calls, counts.bytes),
            (server.calls, server.bytes),
            "what it says it used"
        );
        assert!(server.calls <= 40, "{totals:?}: {} calls", server.calls);
        assert!(server.bytes <= 2_000_000, "{totals:?}: {} bytes", server.bytes);
    }
}

/// A budget for servers that make it harder.
const AMPLE: Budget = Budget {
    calls: 200,
    bytes: 20_000_000,
};

#[test]
fn without_statistics_totals_are_enough() {
    let mut server = FAILING.clone();
    let mut asked = question(failing());
    asked.target.statistics = false;
    let budget = Budget {
        calls: 80,
        bytes: 2_000_000,
    };
    let mut plan = by_minute(asked, vec![Dimension::DstService], budget);
    perform(&mut plan, &mut server);
    assert_eq!(plan.counts().gaps, []);
    assert_eq!(
        plan.counts().cells,
        truth(&HOUR, &[Dimension::DstService], MINUTE)
    );
    assert!(
        server.calls <= 80 && server.bytes <= 2_000_000,
        "{} calls, {} bytes",
        server.calls,
        server.bytes
    );
}

#[test]
fn where_nothing_is_counted_rows_are() {
    for (order, calls) in [(Order::OldestFirst, 14), (Order::Any, 40)] {
        let mut server = FAILING.clone();
        (server.totals, server.order) = (Totals::ReturnedLength, order);
        let mut asked = question(failing());
        asked.target.statistics = false;
        let dimensions = vec![Dimension::StatusClass, Dimension::DstNamespace];
        let mut plan = by_minute(asked, dimensions.clone(), AMPLE);
        perform(&mut plan, &mut server);
        assert_eq!(plan.counts().gaps, []);
        assert_eq!(plan.counts().cells, truth(&HOUR, &dimensions, MINUTE));
        assert_eq!(plan.counting().oldest_first, Some(order == Order::OldestFirst));
        assert!(server.calls <= calls, "{order:?}: {} calls", server.calls);
    }
}

#[test]
fn how_a_server_counts_is_proven_once_a_session() {
    let mut server = FAILING.clone();
    let mut first = Histogram::count(question(failing()), Counting::default(), BUDGET);
    perform(&mut first, &mut server);
    assert_eq!(first.counting().totals, Some(true));
    let errors = truth(&HOUR, &[], HOUR_MS).values().sum();
    assert_eq!(first.counts().total, Some(errors));
    // With that, a count is a single call.
    let mut server = Server::new(&HOUR, "http");
    let mut second = Histogram::count(question(Filter::new(Protocol::Http)), first.counting(), BUDGET);
    perform(&mut second, &mut server);
    assert_eq!((second.counts().total, server.calls), (Some(1_000_000), 1));
}

#[test]
fn what_the_budget_keeps_unknown_is_a_gap_with_its_number() {
    let errors: u64 = truth(&HOUR, &[], HOUR_MS).values().sum();
    for calls in [0, 2, 3, 7, 9, 12, 16, 20] {
        let mut server = FAILING.clone();
        let budget = Budget {
            calls,
            bytes: 2_000_000,
        };
        let mut plan = by_minute(question(failing()), vec![Dimension::DstService], budget);
        perform(&mut plan, &mut server);
        let counts = plan.counts();
        assert!(server.calls <= calls, "{} of {calls} calls", server.calls);
        assert!(!counts.gaps.is_empty(), "{calls} calls");
        let known: u64 = counts.gaps.iter().filter_map(|gap| gap.calls).sum();
        if let Some(total) = counts.total {
            assert_eq!(
                (total, counts.counted() + known),
                (errors, errors),
                "{calls} calls"
            );
        }
        let expected = truth(&HOUR, &[Dimension::DstService], MINUTE);
        for (cell, calls) in &counts.cells {
            assert!(expected[cell] >= *calls, "{cell:?}");
        }
    }
}

#[test]
fn a_call_that_fails_leaves_a_gap_and_no_wrong_number() {
    let rows = shop::hour(100_000);
    let whole = Server::new(&rows, &failing().to_string());
    let expected = truth(&rows, &[Dimension::DstService], MINUTE);
    for fails_at in 1..=12 {
        let mut server = whole.clone();
        server.fails_at = Some(fails_at);
        let budget = Budget {
            calls: 40,
            bytes: 300_000,
        };
        let mut plan = by_minute(question(failing()), vec![Dimension::DstService], budget);
        perform(&mut plan, &mut server);
        let counts = plan.counts();
        for (cell, calls) in &counts.cells {
            assert!(expected[cell] >= *calls, "{cell:?}");
        }
        if counts.gaps.is_empty() {
            assert_eq!(counts.cells, expected, "failed at {fails_at}");
        }
    }
}

#[tokio::test]
async fn the_embedded_hub_gives_the_same_histogram_with_and_without_totals() {
    let rows = shop::hour(60_000);
    let dimensions = vec![Dimension::DstService];
    let expected = truth(&rows, &dimensions, MINUTE);
    let budget = Budget {
        calls: 40,
        bytes: 300_000,
    };
    for faults in [&[][..], &["total-is-returned-length"], &["older-dialect"]] {
        let hub = hub::hub_of(&rows, faults);
        let mut asked = question(failing());
        let name = "everything".to_owned();
        asked.target.snapshot = Some(SnapshotRef {
            id: name.clone(),
            name,
        });
        asked.target.dissection = Some("default".to_owned());
        let mut plan = by_minute(asked, dimensions.clone(), budget);
        let cost = hub::perform(&mut plan, &hub).await;
        assert_eq!(
            plan.counts().gaps,
            [],
            "{faults:?}: {:#?}",
            plan.explain(&clock())
        );
        assert_eq!(plan.counts().cells, expected, "{faults:?}");
        assert_eq!(
            (plan.counts().calls, plan.counts().bytes),
            (cost.calls, cost.bytes)
        );
        assert!(
            cost.calls <= budget.calls && cost.bytes <= budget.bytes,
            "{faults:?}: {cost:?}"
        );
    }
}

fn clock() -> Clock {
    Clock {
        zone: Zone::UTC,
        now: at(START_MS),
        hours: HourStyle::TwentyFour,
    }
}

#[test]
fn a_plan_can_be_shown() {
    let rows = shop::hour(20_000);
    let mut server = Server::new(&rows, &failing().to_string());
    let mut plan = by_minute(question(failing()), vec![Dimension::DstService], BUDGET);
    insta::assert_snapshot!(plan.explain(&clock()).join("\n"), @r"
    count over 16:00:00–17:00:00 UTC, in 60 bins of 1 min, by service called: `http && (status_code >= 400 || status_code == 0)`
    how the server counts is not known yet
    next: count_calls over 16:00:00–17:00:00 UTC, about 800 bytes, what the server says, believed once it is proven: `http && (status_code >= 400 || status_code == 0)`
    next: list_calls over 16:30:00–16:31:52 UTC, about 42100 bytes, a list that is known to be complete, to prove the server's numbers on: `http && (status_code >= 400 || status_code == 0)`
    next: api_stats over 16:00:00–17:00:00 UTC, about 16000 bytes, what its statistics say, believed once they are proven: `http && (status_code >= 400 || status_code == 0)`
    ");
    perform(&mut plan, &mut server);
    insta::assert_snapshot!(plan.explain(&clock()).join("\n"), @r"
    count over 16:00:00–17:00:00 UTC, in 60 bins of 1 min, by service called: `http && (status_code >= 400 || status_code == 0)`
    `total` counts every match, and the statistics count every service
    3 calls to prove how the server counts: 29232 bytes
    3 calls to prove how the server counts: 7861 bytes
    0 statistics, 0 totals, 1 lists: 67027 bytes
    done with 7 calls and 104120 bytes: 101 counted, 0 gaps
    ");
}

#[test]
fn nothing_at_all_takes_one_turn() {
    let rows = shop::hour(1_000);
    let nothing = Filter::new(Protocol::Http).status(418);
    let mut server = Server::new(&rows, &nothing.to_string());
    server.totals = Totals::ReturnedLength;
    let mut plan = by_minute(question(nothing), vec![Dimension::DstService], BUDGET);
    assert_eq!(perform(&mut plan, &mut server), 1);
    assert_eq!((plan.counts().total, plan.counts().gaps), (Some(0), vec![]));
}

fn habits() -> impl Iterator<Item = (Totals, Order, Counting)> {
    [
        (Totals::EveryMatch, Order::OldestFirst),
        (Totals::EveryMatch, Order::Any),
        (Totals::ReturnedLength, Order::OldestFirst),
        (Totals::ReturnedLength, Order::Any),
    ]
    .into_iter()
    .map(|(totals, order)| {
        let counting = Counting {
            totals: Some(totals == Totals::EveryMatch),
            oldest_first: Some(order == Order::OldestFirst),
            ..Counting::default()
        };
        (totals, order, counting)
    })
}

fn sample(wanted: Wanted, filter: &Filter, rows: u32) -> Vec<(Vec<u32>, u32, u64)> {
    habits()
        .map(|(totals, order, counting)| {
            let mut server = FAILING.clone();
            (server.totals, server.order) = (totals, order);
            let mut plan = Samples::new(question(filter.clone()), wanted, rows, counting, AMPLE);
            perform(&mut plan, &mut server);
            assert_eq!(plan.gaps(), []);
            let numbers = plan.calls().iter().map(|call| {
                let number = call.id.split('/').nth(1).unwrap();
                number.parse().unwrap()
            });
            (numbers.collect(), server.calls, server.bytes)
        })
        .collect()
}

#[test]
fn the_first_failures_are_the_first() {
    let expected: Vec<u32> = HOUR
        .iter()
        .filter(|row| row.failing() && SERVICES[row.to].0 == "ledger")
        .map(|row| row.number)
        .take(20)
        .collect();
    let filter = failing().dst_service("ledger");
    for (found, calls, bytes) in sample(Wanted::First, &filter, 20) {
        assert_eq!(found, expected);
        assert!(calls <= 12 && bytes < 200_000, "{calls} calls, {bytes} bytes");
    }
}

#[test]
fn the_slowest_calls_are_the_slowest() {
    let mut slow: Vec<&Row> = HOUR.iter().collect();
    slow.sort_by_key(|row| Reverse(row.elapsed_us));
    let expected: Vec<u32> = slow.iter().map(|row| row.number).collect();
    for (found, calls, bytes) in sample(Wanted::Slowest, &Filter::new(Protocol::Http), 20) {
        assert!((10..=20).contains(&found.len()), "{}", found.len());
        assert_eq!(found, expected[..found.len()]);
        assert!(calls <= 20 && bytes < 200_000, "{calls} calls, {bytes} bytes");
    }
}

#[test]
fn random_calls_are_spread_and_the_same_for_the_same_seed() {
    let good = Filter::new(Protocol::Http).status(200);
    let first = sample(Wanted::Random { seed: 7 }, &good, 10);
    let again = sample(Wanted::Random { seed: 7 }, &good, 10);
    let other = sample(Wanted::Random { seed: 8 }, &good, 10);
    assert_eq!(first, again);
    assert_ne!(first, other);
    for (found, calls, _) in first {
        assert_eq!(found.len(), 10);
        assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(found[9] - found[0] > 400_000, "over the hour: {found:?}");
        assert!(calls <= 16, "{calls} calls");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the server's habits and the budget: exact, or a gap says what is missing.
    #[test]
    fn numbers_are_exact_or_missing(
        calls in 1_u32..3_000,
        filter_all: bool,
        totals in prop_oneof![Just(Totals::EveryMatch), Just(Totals::ReturnedLength)],
        order in prop_oneof![Just(Order::OldestFirst), Just(Order::Any)],
        statistics: bool,
        width in 1_000_i64..4_000_000,
        dimensions in proptest::sample::subsequence(vec![
            Dimension::StatusClass, Dimension::DstService, Dimension::SrcService, Dimension::DstNamespace], 0..=3),
        budget_calls in 1_u32..120,
        budget_bytes in 1_000_u64..8_000_000,
    ) {
        let rows = shop::hour(calls);
        let filter = if filter_all { Filter::new(Protocol::Http) } else { failing() };
        let mut server = Server::new(&rows, &filter.to_string());
        (server.totals, server.order) = (totals, order);
        let mut asked = question(filter);
        asked.target.statistics = statistics;
        let budget = Budget { calls: budget_calls, bytes: budget_bytes };
        let mut plan = Histogram::new(
            asked, TimeDelta::milliseconds(width), dimensions.clone(), Counting::default(), budget);
        perform(&mut plan, &mut server);
        let counts = plan.counts();
        prop_assert!(server.calls <= budget_calls);
        let width = (counts.bins[0].end - counts.bins[0].start).num_milliseconds();
        let expected = cells(rows.iter().filter(|row| filter_all || row.failing()), &dimensions, width);
        if counts.gaps.is_empty() {
            prop_assert_eq!(&counts.cells, &expected);
        }
        for (cell, calls) in &counts.cells {
            prop_assert!(expected.get(cell).is_some_and(|all| all >= calls), "{:?}", cell);
        }
    }
}
