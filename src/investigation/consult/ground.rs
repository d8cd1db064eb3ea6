//! Prose held to what is known: no digit, name or time in it but through a slot, no claim without evidence.
//!
//! A vocabulary of all that may be said would be safer and would leave nothing to say. So words are judged by what
//! they are: numbers and units in words, times of day, names of the cluster, things that look like names, and words
//! that turn a sentence about one thing into a claim about another.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

use super::{
    answers::{About, Sentence},
    proposal::party_of,
    slots::{self, Slots},
    vocabulary::{
        ACRONYMS, BEFORE_THINGS, BEGINNINGS, BLAME, DENIAL, GENERIC, HYPHENATED, NUMBERS, QUANTITIES, THINGS,
        TIMES, among,
    },
};
use crate::{
    analysis::Naming,
    investigation::{case::Case, evidence::EvidenceId, finding::Finding},
};

/// Characters of one sentence, without what fills its slots.
const LENGTH: usize = 320;

/// A sentence that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Grounded {
    pub about: About,
    /// With its slots filled. Untrusted text all the same: names and quotations are the cluster's.
    pub text: String,
    pub evidence: Vec<EvidenceId>,
}

static SLOT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\{\{\s*([A-Za-z0-9_.]+)\s*\}\}").ok());

/// Holds a sentence of the report against finding and evidence.
///
/// # Errors
/// Why it cannot stand, in words for the model.
pub fn sentence(case: &Case, finding: &Finding, slots: &Slots, said: &Sentence) -> Result<Grounded, String> {
    let Some(slot) = SLOT.as_ref() else {
        return Err("slots cannot be read".to_owned());
    };
    let mut used = Vec::new();
    let mut wrong = None;
    let filled = slot
        .replace_all(&said.text, |found: &regex::Captures<'_>| {
            let name = found.get(1).map_or("", |name| name.as_str());
            match slots.value(name, said.about) {
                Ok(value) => {
                    used.push(name.to_owned());
                    value.to_owned()
                }
                Err(why) => {
                    wrong.get_or_insert(why);
                    String::new()
                }
            }
        })
        .into_owned();
    if let Some(why) = wrong {
        return Err(why);
    }
    let bare = slot.replace_all(&said.text, SLOT_MARK).into_owned();
    plain(case, &bare)?;
    polarity(&bare, said.about)?;
    let needed = match said.about {
        About::Cause => Some("cause.service"),
        About::Spread => Some("hop"),
        About::Impact => Some("impact"),
        About::RuledOut => Some("ruled"),
        About::Advice => None,
    };
    if let Some(needed) = needed
        && !used.iter().any(|name| name.starts_with(needed))
    {
        return Err(format!(
            "a sentence about {} needs a slot that begins with `{needed}`",
            said.about.name()
        ));
    }
    let evidence = cited(case, &said.evidence)?;
    let allowed = slots::evidence(finding, said.about);
    if said.about != About::Advice && evidence.is_empty() {
        return Err(format!(
            "a sentence about {} has to cite evidence",
            said.about.name()
        ));
    }
    if let Some(id) = evidence
        .iter()
        .find(|id| said.about != About::Advice && !allowed.contains(id))
    {
        return Err(format!("{id} is no evidence of the {}", said.about.name()));
    }
    // The number of one piece of evidence needs that piece beside it.
    for name in used.iter().filter(|name| name.starts_with('E')) {
        let id = name.split('.').next().unwrap_or_default();
        if !evidence.iter().any(|cited| cited.0 == id) {
            return Err(format!("a number of {id} is used, and {id} is not cited"));
        }
    }
    Ok(Grounded {
        about: said.about,
        text: filled.trim().to_owned(),
        evidence,
    })
}

/// Holds a remark of the model, in which parties are named by their numbers, as in P3, and evidence as in E4. The
/// words of `quoted` may be repeated.
///
/// # Errors
/// Why it cannot stand, in words for the model.
pub fn remark(case: &Case, text: &str, quoted: &str) -> Result<String, String> {
    static HANDLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b([PE])(\d{1,5})\b").ok());
    let Some(handle) = HANDLE.as_ref() else {
        return Err("numbers of parties cannot be read".to_owned());
    };
    let mut wrong = None;
    let filled = handle
        .replace_all(text, |found: &regex::Captures<'_>| {
            let whole = found.get(0).map_or("", |m| m.as_str());
            if whole.starts_with('P') {
                match party_of(case, whole) {
                    Some(party) => return party.name.clone(),
                    None => wrong.get_or_insert_with(|| format!("there is no party {whole}")),
                };
            } else if case.evidence.get(&EvidenceId(whole.to_owned())).is_none() {
                wrong.get_or_insert_with(|| format!("there is no evidence {whole}"));
            }
            whole.to_owned()
        })
        .into_owned();
    if let Some(why) = wrong {
        return Err(why);
    }
    let mut bare = handle.replace_all(text, SLOT_MARK).into_owned();
    let repeated: BTreeSet<String> = tokens(quoted).map(str::to_lowercase).collect();
    if !repeated.is_empty() {
        bare = bare
            .split_whitespace()
            .map(|word| {
                let token = word.trim_matches(|c: char| !c.is_alphanumeric());
                if repeated.contains(&token.to_lowercase()) {
                    SLOT_MARK
                } else {
                    word
                }
            })
            .collect::<Vec<_>>()
            .join(" ");
    }
    plain(case, &bare)?;
    Ok(filled.trim().to_owned())
}

/// The evidence that sentences about this may cite.
pub fn citable(finding: &Finding, about: About) -> BTreeSet<EvidenceId> {
    slots::evidence(finding, about)
}

/// Evidence ids that exist.
///
/// # Errors
/// The first one that does not.
pub fn cited(case: &Case, ids: &[String]) -> Result<Vec<EvidenceId>, String> {
    let mut found = Vec::new();
    for id in ids {
        let id = EvidenceId(id.trim().to_owned());
        if case.evidence.get(&id).is_none() {
            let shown: String = id.0.chars().take(20).collect();
            return Err(format!("there is no evidence `{shown}`"));
        }
        if !found.contains(&id) {
            found.push(id);
        }
    }
    Ok(found)
}

/// Stands for a slot while the words around it are judged.
const SLOT_MARK: &str = "\u{fffc}";

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| {
        c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '"' | '“' | '”' | ':' | '=')
    })
    .map(|word| {
        word.trim_matches(|c: char| {
            matches!(
                c,
                '.' | '!' | '?' | '\'' | '’' | '–' | '—' | '-' | '`' | '{' | '}' | '[' | ']'
            )
        })
    })
    .filter(|word| !word.is_empty())
}

/// Judges words. Slots are marks here.
fn plain(case: &Case, text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("a sentence is empty".to_owned());
    }
    if text.chars().count() > LENGTH {
        return Err(format!("a sentence is longer than {LENGTH} characters"));
    }
    if let Some(c) = text.chars().find(|c| c.is_numeric()) {
        return Err(format!(
            "it holds the digit `{c}`; numbers, times and names come from slots only"
        ));
    }
    let forbidden = |c: &char| {
        c.is_control()
            || "<>[]{}`|\\@#$*_~^/%&+=°".contains(*c)
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    if let Some(c) = text.chars().find(forbidden) {
        return Err(format!(
            "it holds `{}`; plain words and slots only",
            c.escape_debug()
        ));
    }
    let known = names(case);
    let lower = text.to_lowercase();
    if let Some(name) = known.whole.iter().find(|name| holds(&lower, name)) {
        return Err(format!(
            "it names `{name}` in plain words; names come from slots only"
        ));
    }
    let mut beginning = true;
    let mut before = String::new();
    for raw in text.split_whitespace() {
        let word = raw.trim_matches(|c: char| !c.is_alphanumeric() && c != '\u{fffc}');
        let ends = raw.ends_with(['.', '!', '?']);
        if !word.is_empty() && !word.contains('\u{fffc}') {
            judge(word, beginning, &before, &known.parts)?;
        }
        if !word.is_empty() {
            beginning = ends;
            before = word.to_lowercase();
        }
    }
    Ok(())
}

/// One word, and whether it begins a sentence.
fn judge(word: &str, beginning: bool, before: &str, parts: &BTreeSet<String>) -> Result<(), String> {
    let lower = word.to_lowercase();
    let lower = lower.trim_end_matches("'s").trim_end_matches("’s");
    let refuse = |what: &str| {
        Err(format!(
            "it holds {what} (`{word}`); names, numbers and times come from slots only"
        ))
    };
    if among(NUMBERS, lower) {
        return refuse("a number");
    }
    if among(TIMES, lower) {
        return refuse("a time");
    }
    if among(QUANTITIES, lower) {
        return Err(format!("`{word}` says how many; that is for slots to say"));
    }
    if word.contains('-') && !among(HYPHENATED, lower) {
        return refuse("what looks like a name");
    }
    if word.contains('.') || word.contains(':') {
        return refuse("what looks like a name");
    }
    let capital = word.chars().any(char::is_uppercase);
    if capital && !among(ACRONYMS, &word.to_uppercase()) {
        let first_only = word.chars().skip(1).all(|c| !c.is_uppercase());
        if !(beginning && first_only && among(BEGINNINGS, lower)) {
            return refuse("what looks like a name");
        }
    }
    if parts.contains(lower) {
        return refuse("part of a name");
    }
    if among(THINGS, lower)
        && !before.is_empty()
        && !among(BEFORE_THINGS, before)
        && !before.contains('\u{fffc}')
    {
        return Err(format!(
            "`{before} {word}` looks like a name; names come from slots only"
        ));
    }
    Ok(())
}

/// Whether a text holds a name as a word of its own.
fn holds(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|text| text.chars().next());
        !inside(before) && !inside(after)
    })
}

struct Names {
    whole: BTreeSet<String>,
    parts: BTreeSet<String>,
}

/// Names of the cluster in lower case, and the telling parts of those made of several.
fn names(case: &Case) -> Names {
    let mut whole = BTreeSet::new();
    let parties = case.picture.edges.keys().flat_map(|key| [&key.from, &key.to]);
    for party in parties
        .chain(&case.opinion.parties)
        .filter(|party| party.naming != Naming::Outside)
    {
        whole.insert(party.name.to_lowercase());
    }
    for call in case
        .picture
        .edges
        .values()
        .flat_map(|edge| edge.failing.iter().take(50))
    {
        let ends = [&call.src, &call.dst];
        whole.extend(
            ends.into_iter()
                .flat_map(|end| [&end.pod, &end.node, &end.service])
                .flatten()
                .map(|name| name.to_lowercase()),
        );
    }
    let parts = whole
        .iter()
        .filter(|name| name.contains(['-', '.']))
        .flat_map(|name| name.split(['-', '.']))
        .filter(|part| part.len() > 3 && part.chars().all(char::is_alphabetic) && !among(GENERIC, part))
        .map(str::to_owned)
        .collect();
    whole.retain(|name| !among(GENERIC, name) && !name.is_empty());
    Names { whole, parts }
}

/// Words that would turn a sentence into another claim than its evidence is for.
fn polarity(text: &str, about: About) -> Result<(), String> {
    let forbidden = match about {
        About::Cause => DENIAL,
        About::Spread | About::Impact | About::RuledOut | About::Advice => BLAME,
    };
    let word = tokens(text)
        .map(|word| word.to_lowercase().replace('’', "'"))
        .find(|word| among(forbidden, word));
    match word {
        Some(word) if about == About::Cause => Err(format!(
            "`{word}` denies something; a sentence about the cause says what it did"
        )),
        Some(word) => Err(format!(
            "`{word}` blames; only a sentence about the cause may do that"
        )),
        None => Ok(()),
    }
}
