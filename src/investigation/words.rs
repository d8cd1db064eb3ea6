//! Numbers and shares as people read them. Times are not written here: that is the clock's business.

use crate::analysis::Tally;

/// 9841 as "9,841".
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "412 of 9,841".
pub fn of(part: u64, whole: u64) -> String {
    format!("{} of {}", number(part), number(whole))
}

/// "412 of 9,841", and a word where the list behind it was cut.
pub fn failing_of(tally: &Tally) -> String {
    let cut = if tally.exact { "" } else { " seen" };
    format!("{}{cut}", of(tally.failing, tally.calls))
}

/// A size as people read it, in powers of ten.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn bytes(size: u64) -> String {
    let units = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    match units.iter().find(|(unit, _)| size >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", size as f64 / *unit as f64),
        None => format!("{size} B"),
    }
}

/// The name of a DNS response code (RFC 1035, section 4.1.1).
pub fn rcode(rcode: i64) -> String {
    match rcode {
        1 => "FORMERR".to_owned(),
        2 => "SERVFAIL".to_owned(),
        3 => "NXDOMAIN".to_owned(),
        4 => "NOTIMP".to_owned(),
        5 => "REFUSED".to_owned(),
        other => format!("response code {other}"),
    }
}

/// A latency in µs: "840 µs", "12.3 ms", "2.31 s".
#[expect(clippy::cast_precision_loss, reason = "latencies stay far below 2^52 µs")]
pub fn latency(us: i64) -> String {
    match us {
        ..1_000 => format!("{us} µs"),
        1_000..100_000 => format!("{:.1} ms", us as f64 / 1e3),
        100_000..1_000_000 => format!("{:.0} ms", us as f64 / 1e3),
        _ => format!("{:.2} s", us as f64 / 1e6),
    }
}

/// "call" or "calls".
pub fn plural(count: u64, singular: &str) -> String {
    if count == 1 {
        singular.to_owned()
    } else {
        format!("{singular}s")
    }
}
