//! A person's question about traffic as a filter, by rules: no model is needed. Pure.
//!
//! [`parse`] reads words that are known (protocols, statuses, latencies, methods, paths, who calls whom) and keeps the
//! rest as names. [`Asked::filter`] resolves the names by what the snapshot holds. The filter is text like any that
//! a person or a model writes, and passes the same check before it is sent.

mod lexicon;
mod names;
#[cfg(test)]
mod tests;
mod token;

use std::fmt::Write as _;

use crate::kfl::{self, quoted};
use lexicon::{Meaning, Topic};
pub use names::{Kind, Known, Name, NoSuchName, Role};
use token::Token;

/// A question as far as it was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    topic: Option<Topic>,
    /// KFL terms in the order in which a filter holds them.
    terms: Vec<(u8, String)>,
    failing: bool,
    /// The words were about what is slow, without a bound.
    slow: bool,
    names: Vec<Name>,
    /// Words that may be names.
    unknown: Vec<String>,
    /// Words that were not read and that turn round or bound what was: "not", "except".
    pub turned: Vec<String>,
    /// The words for the window, taken out of the question, for the parser of times.
    pub window: Option<String>,
    /// How many rows are wanted.
    pub rows: Option<u32>,
}

/// A question that holds nothing that could become a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing in the question says which calls it is about")]
pub struct Unclear;

/// What a question wants to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Calls: the snapshot is dissected. So is everything that says nothing else.
    Calls,
    /// A file for Wireshark or tcpdump: no dissection is needed.
    Packets,
}

/// The route, by the user's words: packets only where they ask for a file of packets outright.
pub fn wanted(text: &str) -> Wanted {
    const WORDS: &[&str] = &["pcap", "pcaps", "pcapng", "wireshark", "tcpdump", "tshark"];
    let tokens = token::tokens(text);
    let words = || {
        tokens
            .iter()
            .filter(|token| !token.quoted)
            .map(|token| token.word.as_str())
    };
    let raw = words().any(|word| word == "raw") && words().any(|word| word == "packets");
    let capture = words().any(|word| matches!(word, "packet" | "packets"))
        && words().any(|word| {
            matches!(
                word,
                "capture" | "export" | "download" | "dump" | "file" | "archive"
            )
        });
    if raw || capture || words().any(|word| WORDS.contains(&word)) {
        Wanted::Packets
    } else {
        Wanted::Calls
    }
}

/// Why a question that was understood is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    #[error(transparent)]
    NoSuchName(#[from] NoSuchName),
    #[error("the question asks for what cannot be: {0}")]
    Contradiction(String),
    #[error("nothing in the question says which calls it is about; not understood: {0}")]
    Nothing(String),
}

/// In the order of a filter; what is asked of one field in several ways may hold in any.
fn joined(terms: Vec<(u8, String)>) -> Vec<(u8, String)> {
    let field = |rank: u8, kfl: &str| match (rank, kfl.split_once(" == ")) {
        (2, _) => "status".to_owned(),
        (_, Some((field, _))) if !kfl.contains(" && ") => field.trim_start_matches('(').to_owned(),
        _ => kfl.to_owned(),
    };
    let mut groups: Vec<(u8, String, Vec<String>)> = Vec::new();
    for (rank, kfl) in terms {
        let of = field(rank, &kfl);
        match groups
            .iter_mut()
            .find(|(other, known, _)| *other == rank && *known == of)
        {
            Some((_, _, several)) if !several.contains(&kfl) => several.push(kfl),
            Some(_) => {}
            None => groups.push((rank, of, vec![kfl])),
        }
    }
    groups.sort_by_key(|(rank, ..)| *rank);
    let one = |several: Vec<String>| match several.as_slice() {
        [one] => one.clone(),
        many => format!("({})", many.join(" || ")),
    };
    groups
        .into_iter()
        .map(|(rank, _, several)| (rank, one(several)))
        .collect()
}

/// A question as a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// The filter, and others that ask for less where it matches nothing.
    pub filters: Vec<String>,
    /// The slowest come first.
    pub slowest: bool,
    /// Words that were not understood.
    pub ignored: Vec<String>,
    /// Names that stand for others: ("payment", "payment-service").
    pub resolved: Vec<(String, String)>,
}

/// What the skill calls slow, µs, and what is slow where nothing was slower.
const SLOW: [i64; 4] = [5_000_000, 1_000_000, 250_000, 50_000];

/// Reads a question. `is_time` says whether words are a window: they are taken out of the question.
///
/// # Errors
/// Where no word is known and none can be a name.
pub fn parse(text: &str, is_time: impl Fn(&str) -> bool) -> Result<Asked, Unclear> {
    let mut tokens = token::tokens(text);
    let mut asked = Asked {
        window: token::window(&mut tokens, is_time),
        ..Asked::default()
    };
    let mut at = 0;
    while at < tokens.len() {
        let rest = tokens.get(at..).unwrap_or_default();
        at += step(&mut asked, rest, tokens.get(..at).unwrap_or_default()).max(1);
    }
    asked.inherit();
    let nothing = asked.topic.is_none()
        && asked.terms.is_empty()
        && !asked.failing
        && !asked.slow
        && asked.names.is_empty()
        && asked.unknown.is_empty();
    if nothing { Err(Unclear) } else { Ok(asked) }
}

/// Takes what the first tokens mean; says how many they were.
fn step(asked: &mut Asked, rest: &[Token], before: &[Token]) -> usize {
    if let Some((length, micros, above)) = token::bound(rest) {
        let sign = if above { '>' } else { '<' };
        asked.term(3, format!("elapsed_time {sign} {micros}"));
        return length;
    }
    let Some(first) = rest.first() else { return 1 };
    if let Some(term) = token::address(first) {
        asked.term(6, term);
        return 1;
    }
    if first.text.starts_with('/') && first.text.len() > 1 {
        asked.term(5, format!("path.contains({})", quoted(&first.text)));
        return 1;
    }
    if let Some((length, count)) = token::count(rest) {
        asked.rows = Some(count);
        return length;
    }
    if let Some(status) = token::status(rest, before) {
        asked.term(2, status);
        return 1;
    }
    if let Some((length, name)) = names::name(rest, before) {
        asked.names.extend(name);
        return length;
    }
    if let Some((length, meaning)) = lexicon::meaning(rest) {
        asked.mean(meaning);
        return length;
    }
    if lexicon::turns(first) {
        asked.turned.push(first.text.clone());
    } else if !lexicon::says_nothing(first) {
        asked.unknown.push(first.text.clone());
    }
    1
}

impl Asked {
    fn term(&mut self, rank: u8, kfl: String) {
        if self.terms.iter().all(|(_, known)| *known != kfl) {
            self.terms.push((rank, kfl));
        }
    }

    fn mean(&mut self, meaning: Meaning) {
        match meaning {
            Meaning::Topic(topic) => {
                // "HTTP requests to postgres": the first one is what the calls are.
                self.topic.get_or_insert(topic);
            }
            Meaning::Failing => self.failing = true,
            Meaning::Slow => self.slow = true,
            Meaning::OfConnections(kfl) => {
                self.topic.get_or_insert(Topic::Connections);
                self.term(2, kfl.to_owned());
            }
            Meaning::Term(rank, kfl) => self.term(rank, kfl.to_owned()),
        }
    }

    /// "From namespace prod to staging": the second end is of the kind of the first.
    fn inherit(&mut self) {
        let kind = self
            .names
            .first()
            .filter(|name| name.role == Role::From)
            .map(|name| name.kind);
        if let (Some(Kind::Namespace), Some(second)) = (kind, self.names.get_mut(1))
            && second.role == Role::To
            && second.kind == Kind::Word
        {
            second.kind = Kind::Namespace;
        }
    }

    /// The filter of the question, with its names as the snapshot knows them.
    ///
    /// # Errors
    /// A name that nothing in the snapshot has, with what is near it; or words that contradict each other.
    pub fn filter(&self, known: &Known) -> Result<Proposed, Unresolved> {
        let mut terms = self.terms.clone();
        let mut resolved = Vec::new();
        let mut ignored = Vec::new();
        let mut topic = self.topic;
        for name in &self.names {
            let found = known.find(name)?;
            resolved.extend(found.renamed(name));
            terms.push((found.rank(), found.kfl(name.role)));
        }
        for word in &self.unknown {
            let name = Name {
                role: Role::To,
                kind: Kind::Word,
                text: word.clone(),
            };
            match known.find(&name) {
                Ok(found) if found.certain => {
                    resolved.extend(found.renamed(&name));
                    terms.push((found.rank(), found.kfl(Role::To)));
                }
                _ => ignored.push(word.clone()),
            }
        }
        // Statuses, paths and latencies are of requests, where nothing else is said.
        let of_requests =
            self.slow || self.failing || terms.iter().any(|(rank, _)| matches!(rank, 2 | 3 | 5));
        if topic.is_none() && of_requests {
            topic = Some(Topic::Http);
        }
        if self.failing
            && let Some(topic) = topic
            && !terms.iter().any(|(rank, _)| *rank == 2)
        {
            match topic.failing() {
                Some(kfl) => terms.push((2, kfl.to_owned())),
                None => ignored.push(format!("errors ({} has no field for them)", topic.flag())),
            }
        }
        let terms = joined(terms);
        let base = |slower: Option<i64>| {
            let mut kfl = topic.map_or_else(String::new, |topic| topic.flag().to_owned());
            let slower = slower.map(|micros| format!("elapsed_time > {micros}"));
            for term in terms.iter().map(|(_, kfl)| kfl.clone()).chain(slower) {
                let and = if kfl.is_empty() { "" } else { " && " };
                // Writing to a string cannot fail.
                let _ = write!(kfl, "{and}{term}");
            }
            kfl
        };
        if topic.is_none() && terms.is_empty() && !self.slow {
            return Err(Unresolved::Nothing(ignored.join(", ")));
        }
        let bounded = terms.iter().any(|(_, kfl)| kfl.starts_with("elapsed_time"));
        let filters = if self.slow && !bounded {
            SLOW.iter().map(|micros| base(Some(*micros))).collect()
        } else {
            vec![base(None)]
        };
        if let Some(found) = filters
            .iter()
            .find_map(|filter: &String| kfl::check(filter).err())
        {
            let said: Vec<String> = found.into_iter().map(|one| one.message).collect();
            return Err(Unresolved::Contradiction(said.join("; ")));
        }
        Ok(Proposed {
            filters,
            slowest: self.slow || bounded,
            ignored,
            resolved,
        })
    }

    /// The names that the question says outright.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// Whether all that was understood are words that may be names, which only a snapshot can tell.
    pub fn is_vague(&self) -> bool {
        let nothing = Self {
            unknown: self.unknown.clone(),
            window: self.window.clone(),
            rows: self.rows,
            ..Self::default()
        };
        *self == nothing
    }

    /// Whether names have to be looked up before there is a filter.
    pub fn has_names(&self) -> bool {
        !self.names.is_empty() || !self.unknown.is_empty()
    }
}
