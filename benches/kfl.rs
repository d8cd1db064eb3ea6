//! Evaluation of filters over a million generated entries, against the `cel` crate's interpreter.
//!
//! `cargo bench --bench kfl` prints a table of times an entry and their ratio, then divan's statistics of
//! checking, compiling and evaluating.

use std::hint::black_box;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use cel::{Context, Program};
use divan::Bencher;
use divan::counter::ItemsCount;
use rca_agent::kfl::record::{Record, Value};
use rca_agent::kfl::{FieldId, check};
use serde_json::json;

const ENTRIES: usize = 1_000_000;
/// The interpreter is some hundred times slower, so it gets fewer.
const ENTRIES_CEL: usize = 5_000;
const NOW_US: i64 = 1_773_504_754_000_000;

const FILTERS: [&str; 8] = [
    // Selective.
    "http && dst.pod.namespace == \"shop-7\" && status_code >= 500 && path.contains(\"/charge\")",
    "map_get(local_labels, \"app\", \"\") == \"checkout-3\"",
    "dns && \"api-13.shop.example\" in dns_questions",
    "url.matches(\"^/api/v[0-9]+/charge/9[0-9]*$\")",
    // Unselective.
    "http",
    "timestamp > now() - duration(\"5m\")",
    "\"x-request-id\" in request.headers",
    "http && status_code < 500 && elapsed_time > 1000 && path.startsWith(\"/api\")",
];

/// What many entries share, as in a capture: a workload's names are not stored with every call.
struct Workload {
    namespace: String,
    labels: Vec<(String, String)>,
}

struct Entry {
    http: bool,
    status: i64,
    elapsed_us: i64,
    ts_us: i64,
    workload: Arc<Workload>,
    path: String,
    headers: Vec<(String, String)>,
    /// Shared, as the hub shares them: the same few names are looked up all day.
    questions: Arc<Vec<String>>,
}

impl Record for Entry {
    fn field(&self, field: FieldId) -> Option<Value<'_>> {
        Some(match field {
            FieldId::HTTP => Value::Bool(self.http),
            FieldId::DNS => Value::Bool(!self.http),
            FieldId::STATUS_CODE => Value::Int(self.status),
            FieldId::ELAPSED_TIME => Value::Int(self.elapsed_us),
            FieldId::TIMESTAMP => Value::Timestamp(self.ts_us),
            FieldId::DST_POD_NAMESPACE => Value::Str(&self.workload.namespace),
            FieldId::PATH | FieldId::URL => Value::Str(&self.path),
            FieldId::LOCAL_LABELS => Value::Map(&self.workload.labels),
            FieldId::REQUEST_HEADERS => Value::Map(&self.headers),
            FieldId::DNS_QUESTIONS => Value::List(&self.questions),
            _ => return None,
        })
    }
}

static CALLS: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let workloads: Vec<_> = (0..40).map(|number| Arc::new(workload(number))).collect();
    let names = (0..89).map(|number| Arc::new(vec![format!("api-{number}.shop.example")]));
    let names: Vec<_> = names.collect();
    (0_u32..)
        .take(ENTRIES)
        .map(|number| entry(number, &workloads, &names))
        .collect()
});

fn pair(key: &str, value: String) -> (String, String) {
    (key.to_owned(), value)
}

fn workload(number: usize) -> Workload {
    Workload {
        namespace: format!("shop-{}", number / 2),
        labels: vec![
            pair("app", format!("checkout-{number}")),
            pair("version", "v1".to_owned()),
        ],
    }
}

/// The same for the same number; spread by a multiplicative hash.
fn entry(number: u32, workloads: &[Arc<Workload>], names: &[Arc<Vec<String>>]) -> Entry {
    let mixed = number.wrapping_mul(2_654_435_761) >> 8;
    let http = !mixed.is_multiple_of(5);
    let workload = Arc::clone(&workloads[mixed as usize / 7 % workloads.len()]);
    Entry {
        http,
        status: if !http {
            0
        } else if mixed % 50 == 1 {
            503
        } else {
            200
        },
        elapsed_us: i64::from(mixed % 9_000),
        ts_us: NOW_US - i64::from(number) * 600,
        workload,
        path: format!(
            "/api/v1/{}/{mixed}",
            if mixed.is_multiple_of(3) {
                "charge"
            } else {
                "orders"
            }
        ),
        headers: vec![
            pair("host", "payments.shop".to_owned()),
            pair("user-agent", "go".to_owned()),
            pair("x-request-id", mixed.to_string()),
        ],
        questions: if http {
            Arc::default()
        } else {
            Arc::clone(&names[mixed as usize % names.len()])
        },
    }
}

/// Entries that match.
fn ours(filter: &str) -> usize {
    let predicate = check(filter).unwrap_or_else(|_| unclean(filter)).compile(NOW_US);
    CALLS
        .iter()
        .filter(|call| predicate.matches(*call) == Ok(true))
        .count()
}

#[expect(
    clippy::panic,
    reason = "a benchmark of a filter that is no filter measures nothing"
)]
fn unclean<T>(filter: &str) -> T {
    panic!("the benchmark's own filter is refused: {filter}")
}

/// What an entry is to the interpreter: every variable that the filter names.
fn context<'a>(filter: &str, entry: &Entry) -> Context<'a, 'a> {
    let mut context = Context::default();
    let map = |pairs: &[(String, String)]| -> serde_json::Map<String, serde_json::Value> {
        pairs
            .iter()
            .map(|(key, value)| (key.clone(), value.clone().into()))
            .collect()
    };
    let variables = [
        ("http", json!(entry.http)),
        ("dns", json!(!entry.http)),
        ("status_code", json!(entry.status)),
        ("elapsed_time", json!(entry.elapsed_us)),
        ("dst", json!({"pod": {"namespace": entry.workload.namespace}})),
        ("path", json!(entry.path)),
        ("url", json!(entry.path)),
        ("local_labels", json!(map(&entry.workload.labels))),
        ("request", json!({"headers": map(&entry.headers)})),
        ("dns_questions", json!(*entry.questions)),
    ];
    for (name, value) in variables {
        if filter.contains(name) && context.add_variable(name, value).is_err() {
            return unclean(filter);
        }
    }
    if filter.contains("timestamp") {
        let at = |micros: i64| {
            chrono::DateTime::from_timestamp_micros(micros)
                .unwrap_or_default()
                .fixed_offset()
        };
        context.add_variable_from_value("timestamp", cel::Value::Timestamp(at(entry.ts_us)));
        if context
            .add_function("now", move || cel::Value::Timestamp(at(NOW_US)))
            .is_err()
        {
            return unclean(filter);
        }
    }
    context
}

/// The interpreter's time an entry: with the variables put together, and without. `None` where it has no
/// answer (the crate is built without regular expressions here).
fn theirs(filter: &str) -> Option<(Duration, Duration)> {
    // The interpreter cannot be given KFL's own function with its own map.
    let filter = filter.replace(
        "map_get(local_labels, \"app\", \"\")",
        "(\"app\" in local_labels ? local_labels[\"app\"] : \"\")",
    );
    let program = Program::compile(&filter).unwrap_or_else(|_| unclean(&filter));
    let mut execution = Duration::ZERO;
    let start = Instant::now();
    for call in CALLS.iter().take(ENTRIES_CEL) {
        let context = context(&filter, call);
        let begun = Instant::now();
        let result = black_box(program.execute(&context));
        execution += begun.elapsed();
        let cel::Value::Bool(_) = result.ok()? else {
            return None;
        };
    }
    let each = u32::try_from(ENTRIES_CEL).unwrap_or(u32::MAX);
    Some((start.elapsed() / each, execution / each))
}

#[expect(clippy::print_stdout, reason = "the table is what the benchmark is for")]
#[expect(clippy::cast_precision_loss, reason = "times and counts far below 2^52")]
fn compare() {
    println!(
        "{:>9} {:>10} {:>10} {:>9} {:>9} {:>9} {:>7} {:>7}  filter",
        "matches", "1M entries", "its CPU", "an entry", "cel all", "cel run", "ratio", "run"
    );
    for filter in FILTERS {
        let (mut total, mut cpu) = (Duration::MAX, Duration::MAX);
        let mut matches = 0;
        // The least of five: the machine does other things too.
        for _ in 0..5 {
            let (start, before) = (Instant::now(), cpu_time());
            matches = black_box(ours(filter));
            total = total.min(start.elapsed());
            cpu = cpu.min(cpu_time().saturating_sub(before));
        }
        let each = total.as_nanos() as f64 / ENTRIES as f64;
        print!(
            "{matches:>9} {:>7.1} ms {:>7.1} ms {each:>6.1} ns ",
            total.as_secs_f64() * 1e3,
            cpu.as_secs_f64() * 1e3
        );
        match theirs(filter) {
            Some((all, run)) => println!(
                "{:>6.2} µs {:>6.2} µs {:>7.0} {:>7.0}  {filter}",
                all.as_secs_f64() * 1e6,
                run.as_secs_f64() * 1e6,
                all.as_nanos() as f64 / each,
                run.as_nanos() as f64 / each,
            ),
            None => println!("{:>9} {:>9} {:>7} {:>7}  {filter}", "-", "-", "-", "-"),
        }
    }
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

#[divan::bench(args = FILTERS, sample_count = 10)]
fn a_million_entries(bencher: Bencher, filter: &str) {
    bencher
        .counter(ItemsCount::new(ENTRIES))
        .bench(|| ours(black_box(filter)));
}

#[divan::bench(args = FILTERS)]
fn checking(bencher: Bencher, filter: &str) {
    bencher.bench(|| check(black_box(filter)).is_ok());
}

#[divan::bench(args = FILTERS)]
fn compiling_with_cel(bencher: Bencher, filter: &str) {
    bencher.bench(|| Program::compile(black_box(filter)).is_ok());
}

fn main() {
    // Cargo passes `--bench` when benchmarks are run, and not when they are only tried or listed.
    if std::env::args().any(|argument| argument == "--bench") {
        compare();
    }
    divan::main();
}
