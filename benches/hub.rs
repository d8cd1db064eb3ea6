//! A million generated calls in the embedded hub: filters, memory, and the planned error histogram.
//!
//! `cargo bench --bench hub` prints what each took. A query goes through the tool as a client's would, answer
//! included; the comparison with the `cel` crate is of the filter alone, over as many calls as its interpreter
//! gets through in a moment.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    reason = "a benchmark that cannot go on has failed; it shares the generated hour with a test"
)]
#![expect(clippy::print_stdout, reason = "the table is what the benchmark is for")]
#![expect(clippy::cast_precision_loss, reason = "times and counts far below 2^52")]

#[path = "../tests/query/hub.rs"]
mod generated;
#[path = "../tests/query/shop.rs"]
mod shop;

use std::hint::black_box;
use std::time::{Duration, Instant};

use cel::{Context, Program};
use chrono::{DateTime, TimeDelta};
use rca_agent::hub::Hub;
use rca_agent::kfl::{FieldId, Filter, FilterTerm, Protocol};
use rca_agent::query::{Budget, Counting, Dimension, Histogram, Question, Target};
use rca_agent::time::{Utc, Window};
use rca_agent::wire::SnapshotRef;
use serde_json::{Map, Value, json};
use shop::{HOUR_MS, Row, SERVICES, START_MS};

const CALLS: u32 = 1_000_000;
const CALLS_CEL: usize = 5_000;

const SELECTIVE: [&str; 8] = [
    "http && dst.namespace == \"bank\" && status_code >= 500 && path.contains(\"/orders/77\")",
    "http && status_code == 429",
    "http && dst.service.name == \"ledger\" && elapsed_time > 9000000",
    "map_get(local_labels, \"app\", \"\") == \"reports\" && status_code == 500",
    "map_get(local_labels, \"app\", \"\") == \"reports\"",
    "dst.service.name == \"reports\" && src.namespace == \"bank\"",
    "\"api-13.shop.example\" in dns_questions",
    "url.matches(\"/orders/9[0-9]7$\")",
];

const UNSELECTIVE: [&str; 4] = [
    "",
    "http",
    "http && status_code < 500 && elapsed_time > 1000 && path.startsWith(\"/api\")",
    "\"x-request-id\" in request.headers",
];

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let rows = shop::hour(CALLS);
    let before = resident_bytes();
    let start = Instant::now();
    let hub = generated::hub_with_lookups(&rows);
    println!(
        "{CALLS} calls and lookups taken in {:.1} s, {:.0} bytes of memory each",
        start.elapsed().as_secs_f64(),
        resident_bytes().saturating_sub(before) as f64 / f64::from(CALLS)
    );
    println!(
        "{:>9} {:>9} {:>9} {:>9} {:>9} {:>7}  filter",
        "matches", "list 100", "count", "its CPU", "cel", "ratio"
    );
    for (filters, limit) in [(&SELECTIVE[..], 50), (&UNSELECTIVE[..], 200)] {
        println!("at most {limit} ms:");
        for filter in filters {
            measure(&hub, &rows, filter);
        }
    }
    drop(hub);
    for faults in [&[][..], &["total-is-returned-length"]] {
        let hub = generated::hub_of(&rows, faults);
        histogram(&hub, &rows, faults);
    }
}

fn measure(hub: &Hub, rows: &[Row], filter: &str) {
    let (_, listed, _) = ask(hub, filter, 100);
    let (matches, counted, cpu) = ask(hub, filter, 1);
    let each = counted.as_nanos() as f64 / f64::from(CALLS);
    let (cel, ratio) = match cel(filter, rows) {
        Some(cel) => (
            format!("{:.2} µs", cel.as_nanos() as f64 / 1000.0),
            format!("{:.0}", cel.as_nanos() as f64 / each),
        ),
        None => ("-".to_owned(), "-".to_owned()),
    };
    println!(
        "{matches:>9} {:>6.1} ms {:>6.1} ms {:>6.1} ms {cel:>9} {ratio:>7}  {filter}",
        listed.as_secs_f64() * 1e3,
        counted.as_secs_f64() * 1e3,
        cpu.as_secs_f64() * 1e3
    );
}

/// How many match, and the least wall and CPU time of five: the machine does other things too.
fn ask(hub: &Hub, filter: &str, limit: u32) -> (u64, Duration, Duration) {
    let arguments = json!({"snapshot_id": "everything", "kfl": filter, "limit": limit});
    let arguments: Map<String, Value> = arguments.as_object().unwrap().clone();
    let (mut wall, mut cpu) = (Duration::MAX, Duration::MAX);
    let mut total = 0;
    for _ in 0..5 {
        let (start, before) = (Instant::now(), cpu_time());
        let text = black_box(hub.call("list_api_calls", arguments.clone()).unwrap());
        wall = wall.min(start.elapsed());
        cpu = cpu.min(cpu_time().saturating_sub(before));
        let answer: Value = serde_json::from_str(&text).unwrap();
        total = answer["total"].as_u64().unwrap();
    }
    (total, wall, cpu)
}

/// What this thread has used of a processor, where the system tells it as Linux does (brought up to date every
/// few ms); otherwise 0.
fn cpu_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = told
        .split_whitespace()
        .next()
        .and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// The interpreter's time a call, with the variables put together; `None` for what it cannot evaluate here.
fn cel(filter: &str, rows: &[Row]) -> Option<Duration> {
    let program = Program::compile(filter).ok()?;
    let start = Instant::now();
    for row in rows.iter().take(CALLS_CEL) {
        let (name, namespace) = SERVICES[row.to];
        let mut context = Context::default();
        let path = format!("/api/v1/orders/{}", row.number % 10_000);
        let variables = [
            ("http", json!(true)),
            ("status_code", json!(row.status)),
            ("elapsed_time", json!(row.elapsed_us)),
            ("dst", json!({"namespace": namespace, "service": {"name": name}})),
            ("path", json!(path)),
            ("dns_questions", json!([])),
            (
                "request",
                json!({"headers": {"host": name, "user-agent": "go", "x-request-id": path}}),
            ),
        ];
        for (variable, value) in variables {
            if filter.contains(variable) {
                context.add_variable(variable, value).ok()?;
            }
        }
        let cel::Value::Bool(_) = black_box(program.execute(&context)).ok()? else {
            return None;
        };
    }
    Some(start.elapsed() / u32::try_from(CALLS_CEL).unwrap())
}

fn at(ms: i64) -> Utc {
    DateTime::from_timestamp_millis(ms).unwrap()
}

/// The errors of all services by the minute, planned and asked through the client.
fn histogram(hub: &Hub, rows: &[Row], faults: &[&str]) {
    let none = FilterTerm::equals(FieldId::STATUS_CODE, 0).unwrap();
    let failing = FilterTerm::any(&[FilterTerm::status_at_least(400), none]).unwrap();
    let name = "everything".to_owned();
    let question = Question {
        target: Target {
            snapshot: Some(SnapshotRef {
                id: name.clone(),
                name,
            }),
            dissection: None,
            statistics: true,
        },
        filter: Filter::new(Protocol::Http).and(failing),
        window: Window {
            start: at(START_MS),
            end: at(START_MS + HOUR_MS),
        },
    };
    let budget = Budget {
        calls: 40,
        bytes: 2_000_000,
    };
    let dimensions = vec![Dimension::DstService];
    let mut plan = Histogram::new(
        question,
        TimeDelta::minutes(1),
        dimensions,
        Counting::default(),
        budget,
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let start = Instant::now();
    let cost = runtime.block_on(generated::perform(&mut plan, hub));
    let took = start.elapsed();
    let expected = rows.iter().filter(|row| row.failing()).count() as u64;
    let counts = plan.counts();
    assert!(
        counts.gaps.is_empty() && counts.counted() == expected,
        "{:?}",
        counts.gaps
    );
    assert!(cost.calls <= 40 && cost.bytes <= 2_000_000, "{cost:?}");
    println!(
        "error histogram, 60 minutes by {} services{}: {expected} errors in {} cells, {} calls in {} turns, {:.2} MB, {:.1} s",
        SERVICES.len(),
        if faults.is_empty() {
            ""
        } else {
            ", `total` only of the rows returned"
        },
        counts.cells.len(),
        cost.calls,
        cost.turns,
        cost.bytes as f64 / 1e6,
        took.as_secs_f64()
    );
}

/// Memory in use, where the system tells it as Linux does; otherwise 0.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
