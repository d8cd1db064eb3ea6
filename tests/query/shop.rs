//! A generated hour of a shop: a million calls, some of which fail. The same every time.

use rca_agent::kfl::FieldId;
use rca_agent::kfl::record::{Record, Value};

/// When the hour begins, Unix ms.
pub(crate) const START_MS: i64 = 1_773_504_000_000;
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// Callees with their namespaces; the first four fail during the incident.
pub(crate) const SERVICES: [(&str, &str); 20] = [
    ("gateway", "edge"),
    ("checkout", "shop"),
    ("payments", "shop"),
    ("ledger", "bank"),
    ("catalogue", "shop"),
    ("search", "shop"),
    ("cart", "shop"),
    ("session", "edge"),
    ("users", "accounts"),
    ("mail", "accounts"),
    ("stock", "depot"),
    ("shipping", "depot"),
    ("prices", "shop"),
    ("offers", "shop"),
    ("reviews", "shop"),
    ("pictures", "edge"),
    ("search", "depot"),
    ("audit", "bank"),
    ("fraud", "bank"),
    ("reports", "accounts"),
];

/// One call, as little of it as filters and lists need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) number: u32,
    /// Unix ms.
    pub(crate) ts_ms: i64,
    pub(crate) to: usize,
    pub(crate) from: usize,
    pub(crate) status: u16,
    pub(crate) elapsed_us: i64,
}

/// Spreads bits (the finaliser of splitmix64).
fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// `calls` calls in the order of time: one in a thousand fails at any time, everywhere; from 23:10 to 31:40 a
/// share of those to the first four services does, so that it is one in two hundred in all.
pub(crate) fn hour(calls: u32) -> Vec<Row> {
    (0..calls).map(|number| row(number, calls)).collect()
}

fn row(number: u32, calls: u32) -> Row {
    let bits = mix(u64::from(number));
    let ts_ms = START_MS + i64::from(number) * HOUR_MS / i64::from(calls);
    // The busiest services first: the lesser of two numbers is small more often.
    let to = usize::try_from(((bits & 0xff) % 20).min((bits >> 8 & 0xff) % 20)).unwrap();
    // Each is called by three others.
    let from = (to + usize::try_from((bits >> 16 & 0xff) % 3).unwrap() + 1) % 20;
    let into = ts_ms - START_MS;
    let incident = (23 * 60_000 + 10_000..31 * 60_000 + 40_000).contains(&into) && to < 4;
    let luck = (bits >> 24) % 10_000;
    let status = if luck < 10 {
        [500, 404, 0, 429][usize::try_from(bits >> 60 & 3).unwrap()]
    } else if incident && luck < 830 {
        [502, 503, 504, 500][to]
    } else {
        200
    };
    let elapsed_us = i64::try_from((bits >> 40) % 40_000).unwrap() + if incident { 30_000 } else { 500 };
    // A handful of calls is slow beyond everything else.
    let elapsed_us = if number % 97_531 == 7 {
        9_000_000 + i64::from(number)
    } else {
        elapsed_us
    };
    Row {
        number,
        ts_ms,
        to,
        from,
        status,
        elapsed_us,
    }
}

impl Row {
    pub(crate) fn failing(&self) -> bool {
        self.status == 0 || self.status >= 400
    }
}

impl Record for Row {
    fn field(&self, field: FieldId) -> Option<Value<'_>> {
        let (to, from) = (SERVICES[self.to], SERVICES[self.from]);
        Some(match field {
            FieldId::HTTP => Value::Bool(true),
            FieldId::STATUS_CODE => Value::Int(i64::from(self.status)),
            FieldId::ELAPSED_TIME => Value::Int(self.elapsed_us),
            FieldId::TIMESTAMP => Value::Timestamp(self.ts_ms * 1000),
            FieldId::DST_SERVICE_NAME => Value::Str(to.0),
            FieldId::DST_NAMESPACE => Value::Str(to.1),
            FieldId::SRC_SERVICE_NAME => Value::Str(from.0),
            FieldId::SRC_NAMESPACE => Value::Str(from.1),
            _ => return None,
        })
    }
}
