//! What to say about a zone name that the database does not have.

use std::fmt;

use chrono_tz::TZ_VARIANTS;

use crate::time::abbreviation::{self, Meaning};

/// Longer names are not compared with the table: no zone is called that.
const LONGEST_COMPARED: usize = 64;
/// How alike (Jaro-Winkler, 0 to 1) a name must be to be offered.
const ALIKE: f64 = 0.88;
const MOST_SUGGESTIONS: usize = 3;

/// A name that is no time zone, with what may have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneError {
    /// What was given, cut where it was long.
    pub name: String,
    /// Zones that may have been meant, the likeliest first.
    pub suggestions: Vec<&'static str>,
    /// Whether `name` is an abbreviation, shared by all of the suggestions.
    abbreviation: bool,
}

impl ZoneError {
    pub(super) fn new(given: &str) -> Self {
        let name: String = given
            .chars()
            .take(LONGEST_COMPARED)
            .map(|c| {
                if c.is_control() {
                    char::REPLACEMENT_CHARACTER
                } else {
                    c
                }
            })
            .collect();
        let meanings = abbreviation::meanings(given);
        if meanings.is_empty() {
            return Self {
                suggestions: nearest(&name),
                name,
                abbreviation: false,
            };
        }
        let suggestions = meanings
            .iter()
            .filter_map(Meaning::zone)
            .map(super::Zone::name)
            .collect();
        Self {
            name,
            suggestions,
            abbreviation: true,
        }
    }
}

impl std::error::Error for ZoneError {}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            suggestions,
            abbreviation,
        } = self;
        let list = crate::time::zone::either(suggestions);
        match (name.is_empty(), abbreviation, suggestions.len()) {
            (true, ..) => {
                f.write_str("no time zone was given; write one as Area/City, such as `Europe/Berlin`")
            }
            (_, true, 1) => write!(
                f,
                "`{name}` is the abbreviation of an offset, not a time zone; write {list}"
            ),
            (_, true, _) => write!(f, "`{name}` is used in several time zones; write {list}"),
            (_, _, 0) => {
                write!(
                    f,
                    "`{name}` is no time zone; write one as Area/City, such as `Europe/Berlin`, or `UTC`"
                )
            }
            _ => write!(f, "`{name}` is no time zone; did you mean {list}?"),
        }
    }
}

/// The zones whose name, or whose city, is most like `name`.
pub(crate) fn nearest(name: &str) -> Vec<&'static str> {
    if name.chars().count() >= LONGEST_COMPARED {
        return Vec::new();
    }
    let wanted = name.trim().to_ascii_lowercase().replace(' ', "_");
    let mut alike: Vec<(f64, &'static str)> = TZ_VARIANTS
        .iter()
        .map(|zone| zone.name())
        .map(|zone| {
            let known = zone.to_ascii_lowercase();
            let city = known.rsplit('/').next().unwrap_or(&known);
            let score = strsim::jaro_winkler(&known, &wanted).max(strsim::jaro_winkler(city, &wanted));
            (score, zone)
        })
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    // Stable, so that equally likely names stay in the order of the alphabet.
    alike.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let best = alike.first().map_or(0.0, |(score, _)| *score);
    alike.retain(|(score, _)| best - score < 0.05);
    alike
        .into_iter()
        .map(|(_, zone)| zone)
        .take(MOST_SUGGESTIONS)
        .collect()
}
