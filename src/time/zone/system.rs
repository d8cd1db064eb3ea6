//! Which zone the system uses, found the way the C library finds it.

use std::fmt;

use super::Zone;
use super::posix::Rule;

/// What the system says about its zone; every part is read by the caller, none is required.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemZone<'a> {
    /// The variable `TZ`.
    pub tz_env: Option<&'a str>,
    /// What the symbolic link `/etc/localtime` points to.
    pub localtime_link: Option<&'a str>,
    /// What `/etc/localtime` holds, where it is a file and no link.
    pub localtime_bytes: Option<&'a [u8]>,
    /// What `/etc/timezone` holds.
    pub etc_timezone: Option<&'a str>,
    /// What the platform's own interface says.
    pub fallback: Option<&'a str>,
}

/// Where the zone was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneSource {
    /// The variable `TZ`.
    TzVariable,
    /// The link `/etc/localtime`.
    LocaltimeLink,
    /// The rule at the end of `/etc/localtime`, a file that does not tell its name.
    LocaltimeRule,
    /// The file `/etc/timezone`.
    EtcTimezone,
    /// The platform's own interface.
    Platform,
    /// Nowhere: UTC was assumed.
    Assumed,
}

impl fmt::Display for ZoneSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TzVariable => "the variable TZ",
            Self::LocaltimeLink => "the link /etc/localtime",
            Self::LocaltimeRule => "the file /etc/localtime",
            Self::EtcTimezone => "the file /etc/timezone",
            Self::Platform => "the operating system",
            Self::Assumed => "no source",
        })
    }
}

/// What one source says.
enum Answer {
    Zone(Zone),
    /// A zone, with what a reader should know of how it was found.
    Likely(Zone, String),
    /// Something, but no zone we know: why.
    Unknown(String),
    Nothing,
}

impl Zone {
    /// The zone of the system, where it was found, and what was strange on the way (as sentences).
    ///
    /// `TZ` wins, as in the C library; then what `/etc/localtime` is; then `/etc/timezone`; then the platform's
    /// answer; at last UTC. A `TZ` that no zone answers to does not mean UTC here, as it does in the C
    /// library, since nobody means that: the next source is asked, and a note says so.
    pub fn from_system(system: SystemZone<'_>) -> (Self, ZoneSource, Vec<String>) {
        let mut notes = Vec::new();
        let answers = [
            (ZoneSource::TzVariable, from_variable(system.tz_env)),
            (
                ZoneSource::LocaltimeLink,
                from_name("/etc/localtime points to", system.localtime_link),
            ),
            (ZoneSource::LocaltimeRule, from_file(&system)),
            (
                ZoneSource::EtcTimezone,
                from_name("/etc/timezone says", system.etc_timezone),
            ),
            (
                ZoneSource::Platform,
                from_name("the operating system says", system.fallback),
            ),
        ];
        for (source, answer) in answers {
            let zone = match answer {
                Answer::Nothing => continue,
                Answer::Unknown(why) => {
                    notes.push(why);
                    continue;
                }
                Answer::Likely(zone, note) => {
                    notes.push(note);
                    zone
                }
                Answer::Zone(zone) => {
                    if !notes.is_empty() {
                        notes.push(format!("the time zone is {zone}, from {source}"));
                    }
                    zone
                }
            };
            return (zone, source, notes);
        }
        notes.push("the system names no time zone, so times are in UTC; choose one with --tz".to_owned());
        (Self::UTC, ZoneSource::Assumed, notes)
    }
}

fn from_variable(value: Option<&str>) -> Answer {
    let Some(value) = value else {
        return Answer::Nothing;
    };
    let name = value.strip_prefix(':').unwrap_or(value);
    if name.is_empty() {
        return Answer::Zone(Zone::UTC);
    }
    if name == "/etc/localtime" {
        return Answer::Nothing;
    }
    if let Some(zone) = Zone::named(within_database(name)) {
        return Answer::Zone(zone);
    }
    let shown = shown(value);
    match Rule::parse(name) {
        Some(rule) => match rule.zone() {
            Some(zone) => Answer::Likely(zone, format!("TZ is the rule `{shown}`, which is that of {zone}")),
            None => Answer::Unknown(format!(
                "TZ is the rule `{shown}`, which is that of no time zone known by name"
            )),
        },
        None => Answer::Unknown(format!("TZ is `{shown}`, which is no time zone")),
    }
}

fn from_name(source: &str, name: Option<&str>) -> Answer {
    // Of a file, the first line that says something; lines of `#` are comments in /etc/timezone.
    let name = name.and_then(|text| {
        text.lines()
            .map(str::trim)
            .find(|l| !l.is_empty() && !l.starts_with('#'))
    });
    let Some(name) = name else { return Answer::Nothing };
    match Zone::named(within_database(name)) {
        Some(zone) => Answer::Zone(zone),
        None => Answer::Unknown(format!("{source} `{}`, which is no time zone", shown(name))),
    }
}

/// A compiled zone file (RFC 9636) of version 2 or later ends in the rule for the future, between newlines.
///
/// Many zones can keep one rule, so the one that the other sources name is taken where it does.
fn from_file(system: &SystemZone<'_>) -> Answer {
    let Some(bytes) = system.localtime_bytes.filter(|bytes| bytes.starts_with(b"TZif")) else {
        return Answer::Nothing;
    };
    let footer = bytes
        .strip_suffix(b"\n")
        .and_then(|rest| rest.rsplit(|byte| *byte == b'\n').next());
    let Some(footer) = footer.and_then(|footer| std::str::from_utf8(footer).ok()) else {
        return Answer::Unknown("/etc/localtime is a file that does not say its zone".to_owned());
    };
    let shown = shown(footer);
    let rule = Rule::parse(footer);
    let named = [system.etc_timezone, system.fallback].map(|name| from_name("", name));
    for answer in named {
        match (answer, &rule) {
            (Answer::Zone(zone), Some(rule)) if rule.is_kept_by(zone) => return Answer::Zone(zone),
            _ => {}
        }
    }
    match rule.and_then(|rule| rule.zone()) {
        Some(zone) => Answer::Likely(
            zone,
            format!("/etc/localtime is a copy without its name; its rule `{shown}` is that of {zone}"),
        ),
        None => Answer::Unknown(format!(
            "/etc/localtime is a copy without its name; no zone has its rule `{shown}`"
        )),
    }
}

/// The name of a zone out of a path into the database: `/usr/share/zoneinfo/posix/Asia/Tokyo` is `Asia/Tokyo`.
fn within_database(path: &str) -> &str {
    let name = path.rsplit_once("zoneinfo/").map_or(path, |(_, name)| name);
    name.strip_prefix("posix/")
        .or_else(|| name.strip_prefix("right/"))
        .unwrap_or(name)
}

/// At most 60 characters, none of them a control character.
fn shown(text: &str) -> String {
    text.chars()
        .take(60)
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}
