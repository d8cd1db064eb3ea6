//! What the abbreviations of time zones mean, and which of them mean several things.
//!
//! An abbreviation names no zone: `IST` is the time of India, of Israel and of Ireland. The table holds those
//! in common use, from the IANA database, where several places share one with the most populous first, which
//! is what is assumed where nothing else decides. Two of them (`PST` of the Philippines, `AST` of Arabia)
//! and a few more are not in the database but in daily use.

use chrono::FixedOffset;

use super::zone::Zone;

/// One meaning of an abbreviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    /// Whose time it is, for people.
    pub(super) place: &'static str,
    /// A zone that uses it.
    zone: &'static str,
    /// East of UTC; `None` where the letters leave summer and winter open (`ET`).
    minutes: Option<i32>,
}

impl Meaning {
    /// A zone that uses the abbreviation.
    pub(super) fn zone(&self) -> Option<Zone> {
        Zone::named(self.zone)
    }

    /// The offset, where the abbreviation fixes it.
    pub(super) fn offset(&self) -> Option<FixedOffset> {
        self.minutes
            .and_then(|minutes| FixedOffset::east_opt(minutes * 60))
    }
}

const fn at(place: &'static str, zone: &'static str, minutes: i32) -> Meaning {
    Meaning {
        place,
        zone,
        minutes: Some(minutes),
    }
}

const fn both(place: &'static str, zone: &'static str) -> Meaning {
    Meaning {
        place,
        zone,
        minutes: None,
    }
}

/// All meanings of `letters`, in any case; empty where it is no abbreviation known here.
pub(super) fn meanings(letters: &str) -> &'static [Meaning] {
    TABLE
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(letters))
        .map_or(&[], |(_, meanings)| *meanings)
}

/// Every zone of the table, most telling first: where a rule fits many zones, these are preferred.
pub(super) fn zones() -> impl Iterator<Item = Zone> {
    TABLE
        .iter()
        .flat_map(|(_, meanings)| meanings.iter().filter_map(Meaning::zone))
}

/// Every abbreviation of the table.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

const TABLE: &[(&str, &[Meaning])] = &[
    ("UTC", &[at("universal time", "UTC", 0)]),
    ("Z", &[at("universal time", "UTC", 0)]),
    ("GMT", &[at("Greenwich", "Etc/GMT", 0)]),
    (
        "IST",
        &[
            at("India", "Asia/Kolkata", 330),
            at("Israel", "Asia/Jerusalem", 120),
            at("Ireland", "Europe/Dublin", 60),
        ],
    ),
    ("IDT", &[at("Israel", "Asia/Jerusalem", 180)]),
    (
        "CST",
        &[
            at("US Central", "America/Chicago", -360),
            at("China", "Asia/Shanghai", 480),
            at("Cuba", "America/Havana", -300),
        ],
    ),
    (
        "CDT",
        &[
            at("US Central", "America/Chicago", -300),
            at("Cuba", "America/Havana", -240),
        ],
    ),
    (
        "BST",
        &[
            at("Britain", "Europe/London", 60),
            at("Bangladesh", "Asia/Dhaka", 360),
        ],
    ),
    ("EST", &[at("US Eastern", "America/New_York", -300)]),
    ("EDT", &[at("US Eastern", "America/New_York", -240)]),
    ("MST", &[at("US Mountain", "America/Denver", -420)]),
    ("MDT", &[at("US Mountain", "America/Denver", -360)]),
    (
        "PST",
        &[
            at("US Pacific", "America/Los_Angeles", -480),
            at("Philippines", "Asia/Manila", 480),
        ],
    ),
    ("PDT", &[at("US Pacific", "America/Los_Angeles", -420)]),
    ("ET", &[both("US Eastern", "America/New_York")]),
    ("CT", &[both("US Central", "America/Chicago")]),
    ("MT", &[both("US Mountain", "America/Denver")]),
    ("PT", &[both("US Pacific", "America/Los_Angeles")]),
    (
        "AST",
        &[
            at("Atlantic", "America/Halifax", -240),
            at("Arabia", "Asia/Riyadh", 180),
        ],
    ),
    ("ADT", &[at("Atlantic", "America/Halifax", -180)]),
    ("NST", &[at("Newfoundland", "America/St_Johns", -210)]),
    ("NDT", &[at("Newfoundland", "America/St_Johns", -150)]),
    ("AKST", &[at("Alaska", "America/Anchorage", -540)]),
    ("AKDT", &[at("Alaska", "America/Anchorage", -480)]),
    ("HST", &[at("Hawaii", "Pacific/Honolulu", -600)]),
    ("WET", &[at("western Europe", "Europe/Lisbon", 0)]),
    ("WEST", &[at("western Europe", "Europe/Lisbon", 60)]),
    ("CET", &[at("central Europe", "Europe/Berlin", 60)]),
    ("CEST", &[at("central Europe", "Europe/Berlin", 120)]),
    ("EET", &[at("eastern Europe", "Europe/Athens", 120)]),
    ("EEST", &[at("eastern Europe", "Europe/Athens", 180)]),
    ("MSK", &[at("Moscow", "Europe/Moscow", 180)]),
    ("TRT", &[at("Turkey", "Europe/Istanbul", 180)]),
    ("SAST", &[at("South Africa", "Africa/Johannesburg", 120)]),
    ("WAT", &[at("West Africa", "Africa/Lagos", 60)]),
    ("CAT", &[at("Central Africa", "Africa/Maputo", 120)]),
    ("EAT", &[at("East Africa", "Africa/Nairobi", 180)]),
    (
        "GST",
        &[
            at("the Gulf", "Asia/Dubai", 240),
            at("South Georgia", "Atlantic/South_Georgia", -120),
        ],
    ),
    ("PKT", &[at("Pakistan", "Asia/Karachi", 300)]),
    ("NPT", &[at("Nepal", "Asia/Kathmandu", 345)]),
    ("ICT", &[at("Indochina", "Asia/Bangkok", 420)]),
    ("WIB", &[at("western Indonesia", "Asia/Jakarta", 420)]),
    ("WITA", &[at("central Indonesia", "Asia/Makassar", 480)]),
    ("WIT", &[at("eastern Indonesia", "Asia/Jayapura", 540)]),
    ("SGT", &[at("Singapore", "Asia/Singapore", 480)]),
    (
        "SST",
        &[
            at("Singapore", "Asia/Singapore", 480),
            at("Samoa", "Pacific/Pago_Pago", -660),
        ],
    ),
    ("MYT", &[at("Malaysia", "Asia/Kuala_Lumpur", 480)]),
    ("HKT", &[at("Hong Kong", "Asia/Hong_Kong", 480)]),
    ("PHT", &[at("Philippines", "Asia/Manila", 480)]),
    ("JST", &[at("Japan", "Asia/Tokyo", 540)]),
    ("KST", &[at("Korea", "Asia/Seoul", 540)]),
    ("AWST", &[at("western Australia", "Australia/Perth", 480)]),
    ("ACST", &[at("central Australia", "Australia/Adelaide", 570)]),
    ("ACDT", &[at("central Australia", "Australia/Adelaide", 630)]),
    ("AEST", &[at("eastern Australia", "Australia/Sydney", 600)]),
    ("AEDT", &[at("eastern Australia", "Australia/Sydney", 660)]),
    ("NZST", &[at("New Zealand", "Pacific/Auckland", 720)]),
    ("NZDT", &[at("New Zealand", "Pacific/Auckland", 780)]),
    ("BRT", &[at("Brazil", "America/Sao_Paulo", -180)]),
    ("ART", &[at("Argentina", "America/Argentina/Buenos_Aires", -180)]),
    ("COT", &[at("Colombia", "America/Bogota", -300)]),
    ("PET", &[at("Peru", "America/Lima", -300)]),
    (
        "AMT",
        &[
            at("Amazonas", "America/Manaus", -240),
            at("Armenia", "Asia/Yerevan", 240),
        ],
    ),
];
