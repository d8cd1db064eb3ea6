//! Plans against a server of a million generated calls.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod server;
mod shop;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta};
use rca_agent::kfl::{FieldId, Filter, FilterTerm, Protocol};
use rca_agent::query::{Budget, Cell, Counting, Dimension, Histogram, Plan, Question, Target, Value};
use rca_agent::time::{Utc, Window};
use rca_agent::wire::SnapshotRef;
use server::{Order, Server, Totals, perform};
use shop::{HOUR_MS, Row, SERVICES, START_MS};

static HOUR: LazyLock<Vec<Row>> = LazyLock::new(|| shop::hour(1_000_000));

const BUDGET: Budget = Budget { calls: 40, bytes: 2_000_000 };

fn at(ms: i64) -> Utc {
    DateTime::from_timestamp_millis(ms).unwrap()
}

fn failing() -> Filter {
    let none = FilterTerm::equals(FieldId::STATUS_CODE, 0).unwrap();
    let bad = Filter::everything().status_at_least(400).terms()[0].clone();
    Filter::new(Protocol::Http).and(FilterTerm::any(&[bad, none]).unwrap())
}

fn question(filter: Filter) -> Question {
    let snapshot = SnapshotRef { id: "s".to_owned(), name: "s".to_owned() };
    Question {
        target: Target { snapshot, dissection: None, statistics: true },
        filter,
        window: Window { start: at(START_MS), end: at(START_MS + HOUR_MS) },
    }
}

fn service(to: usize) -> Value {
    let (name, namespace) = SERVICES[to];
    Value::Service { namespace: namespace.to_owned(), name: name.to_owned() }
}

/// The histogram as it is, counted row by row.
fn truth(rows: &[Row], dimensions: &[Dimension], width: i64) -> BTreeMap<Cell, u64> {
    let mut cells = BTreeMap::new();
    for row in rows.iter().filter(|row| row.failing()) {
        let values = dimensions.iter().map(|dimension| match dimension {
            Dimension::DstService => service(row.to),
            Dimension::SrcService => service(row.from),
            Dimension::DstNamespace => Value::Namespace(SERVICES[row.to].1.to_owned()),
            Dimension::StatusClass => Value::Class(row.status / 100),
        });
        let bin = usize::try_from((row.ts_ms - START_MS) / width).unwrap();
        *cells.entry(Cell { bin, values: values.collect() }).or_default() += 1;
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
        let mut server = Server::new(&HOUR, &failing().to_string());
        server.totals = totals;
        let mut plan = by_minute(question(failing()), vec![Dimension::DstService], BUDGET);
        let turns = perform(&mut plan, &mut server);
        let counts = plan.counts();
        eprintln!("{totals:?}: {} calls, {} bytes, {turns} turns {:#?}", server.calls, server.bytes, plan.explain(&clock()));
        assert_eq!(counts.gaps, []);
        assert_eq!(counts.cells, expected, "{totals:?}");
        assert_eq!((counts.total, counts.bins.len()), (Some(errors), 60));
        assert_eq!((counts.calls, counts.bytes), (server.calls, server.bytes), "what it says it used");
        assert!(server.calls <= 40, "{totals:?}: {} calls", server.calls);
        assert!(server.bytes <= 2_000_000, "{totals:?}: {} bytes", server.bytes);
    }
}

fn clock() -> rca_agent::time::Clock {
    rca_agent::time::Clock {
        zone: rca_agent::time::Zone::UTC,
        now: at(START_MS),
        hours: rca_agent::time::HourStyle::TwentyFour,
    }
}
