//! Who calls whom: names in a question, and what the snapshot knows by them.

use super::{
    lexicon,
    token::{self, Token},
};
use crate::kfl::quoted;

/// Which end of a call a name is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    From,
    To,
    /// Either.
    With,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Service,
    Pod,
    Namespace,
    /// What it is was not said.
    Word,
}

/// A name in a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub role: Role,
    pub kind: Kind,
    pub text: String,
}

impl Name {
    /// The names that are in it: two where both ends of calls are named.
    pub fn each(&self) -> impl Iterator<Item = &str> {
        self.text.split('\u{0}')
    }
}

/// What the snapshot holds, by name. Empty lists where it could not be asked: then names are taken as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub services: Vec<String>,
    pub pods: Vec<String>,
    pub namespaces: Vec<String>,
}

/// A name that nothing has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing in the snapshot is called `{name}`")]
pub struct NoSuchName {
    pub name: String,
    /// What is there instead.
    pub known: Vec<String>,
}

/// What a name stands for.
pub(super) struct Found {
    kind: Kind,
    /// One, or the few that it may be.
    names: Vec<String>,
    /// The snapshot knows it.
    pub certain: bool,
}

const FROM: &[&str] = &["from", "by"];
const TO: &[&str] = &[
    "to", "hitting", "towards", "toward", "against", "reaching", "into", "calls", "call", "calling",
    "called", "hits", "hit", "in", "of", "for", "on", "at", "inside", "within", "with",
];
const ARTICLES: &[&str] = &["the", "a", "an", "our", "my", "its", "their"];

fn kind(token: &Token) -> Option<Kind> {
    Some(match token.word.as_str() {
        "service" | "services" | "app" | "deployment" | "workload" | "svc" => Kind::Service,
        "pod" | "pods" | "replica" | "instance" => Kind::Pod,
        "namespace" | "namespaces" | "ns" => Kind::Namespace,
        _ => return None,
    })
}

/// A name at the beginning, and how many tokens it takes. `None` in it: the tokens are used up, but name nobody.
pub(super) fn name(rest: &[Token], before: &[Token]) -> Option<(usize, Option<Name>)> {
    let first = rest.first()?;
    if first.word == "between"
        && let Some((length, names)) = between(rest)
    {
        return Some((length, names));
    }
    let mut at = 0;
    let mut role = Role::To;
    let said = FROM.contains(&first.word.as_str()) || TO.contains(&first.word.as_str());
    if said && !first.quoted {
        // "Errors from checkout" are what checkout answers; "requests from checkout" are what it sends.
        if FROM.contains(&first.word.as_str()) && !before.last().is_some_and(lexicon::is_answer) {
            role = Role::From;
        }
        at = 1;
    }
    // "What does gateway call?": the name stands before the verb.
    let verbs = ["call", "calling", "send", "sending", "talk", "talking", "depend"];
    let article = |at: usize| {
        rest.get(at)
            .is_some_and(|token| ARTICLES.contains(&token.word.as_str()))
    };
    while article(at) {
        at += 1;
    }
    let mut which = rest.get(at).and_then(kind);
    if which.is_some() {
        at += 1;
    }
    let word = rest.get(at)?;
    let joins =
        FROM.contains(&word.word.as_str()) || TO.contains(&word.word.as_str()) || word.word == "between";
    if !word.quoted && (joins || lexicon::is_word(rest.get(at..).unwrap_or_default()) || kind(word).is_some())
    {
        return None;
    }
    if !is_name(word) || token::bound(rest.get(at..).unwrap_or_default()).is_some() {
        return None;
    }
    at += 1;
    if which.is_none()
        && let Some(after) = rest.get(at).and_then(kind)
    {
        which = Some(after);
        at += 1;
    }
    // "Errors from gateway to checkout" say both ends.
    let onward = rest
        .get(at)
        .is_some_and(|token| matches!(token.word.as_str(), "to" | "towards" | "toward" | "into"));
    if onward && said && FROM.contains(&first.word.as_str()) {
        role = Role::From;
    }
    let asks_what = before
        .iter()
        .any(|token| matches!(token.word.as_str(), "does" | "is" | "did"));
    let verb = rest.get(at).filter(|token| verbs.contains(&token.word.as_str()));
    if !said && asks_what && verb.is_some() {
        role = Role::From;
        at += 1;
    } else if !said && which.is_none() && !word.quoted {
        // A bare word may be a name: that is decided when names are known.
        return None;
    }
    Some((
        at,
        Some(Name {
            role,
            kind: which.unwrap_or(Kind::Word),
            text: word.text.clone(),
        }),
    ))
}

/// "between A and B": both are at either end; one name is kept here, the other follows by "and".
fn between(rest: &[Token]) -> Option<(usize, Option<Name>)> {
    let word = rest
        .get(1)
        .filter(|word| is_name(word) && !lexicon::is_word(rest.get(1..).unwrap_or_default()))?;
    let joined = rest.get(2).is_some_and(|token| token.word == "and");
    let second = rest.get(3).filter(|word| joined && is_name(word))?;
    Some((
        4,
        Some(Name {
            role: Role::With,
            kind: Kind::Word,
            text: format!("{}\u{0}{}", word.text, second.text),
        }),
    ))
}

fn is_name(token: &Token) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    token.quoted || (token.text.chars().all(plain) && token.text.chars().any(|c| c.is_ascii_alphabetic()))
}

impl Known {
    /// What a name stands for here.
    pub(super) fn find(&self, name: &Name) -> Result<Found, NoSuchName> {
        let lists: &[(Kind, &[String])] = match name.kind {
            Kind::Service => &[(Kind::Service, &self.services), (Kind::Pod, &self.pods)],
            Kind::Pod => &[(Kind::Pod, &self.pods)],
            Kind::Namespace => &[(Kind::Namespace, &self.namespaces)],
            Kind::Word => &[
                (Kind::Service, &self.services),
                (Kind::Namespace, &self.namespaces),
                (Kind::Pod, &self.pods),
            ],
        };
        if name.role == Role::With {
            return Ok(Found {
                kind: Kind::Service,
                names: name.each().map(|one| self.service(one)).collect(),
                certain: true,
            });
        }
        let text = name.text.rsplit('/').next().unwrap_or(&name.text);
        let tests: [&dyn Fn(&str) -> bool; 3] = [
            &|known| known.eq_ignore_ascii_case(text),
            &|known| {
                known.eq_ignore_ascii_case(&format!("{text}-service"))
                    || known.eq_ignore_ascii_case(&format!("{text}-svc"))
            },
            &|known| text.len() > 2 && known.to_lowercase().starts_with(&text.to_lowercase()),
        ];
        for test in tests {
            for (kind, known) in lists {
                let names: Vec<String> = known.iter().filter(|known| test(known)).cloned().collect();
                if !names.is_empty() {
                    return Ok(Found {
                        kind: *kind,
                        names,
                        certain: true,
                    });
                }
            }
        }
        if lists.iter().all(|(_, known)| known.is_empty()) {
            let kind = match name.kind {
                Kind::Word => Kind::Service,
                kind => kind,
            };
            return Ok(Found {
                kind,
                names: vec![assumed(text, name.kind)],
                certain: false,
            });
        }
        let mut known: Vec<String> = lists
            .iter()
            .flat_map(|(_, known)| known.iter().cloned())
            .collect();
        let likeness = |other: &String| strsim::jaro_winkler(text, other);
        known.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
        known.dedup();
        known.truncate(12);
        Err(NoSuchName {
            name: name.text.clone(),
            known,
        })
    }

    fn service(&self, text: &str) -> String {
        let name = Name {
            role: Role::To,
            kind: Kind::Service,
            text: text.to_owned(),
        };
        let found = self.find(&name).ok().filter(|found| found.kind == Kind::Service);
        found
            .and_then(|found| found.names.into_iter().next())
            .unwrap_or_else(|| text.to_owned())
    }
}

/// Without a list of names: "the payment service" is called `payment-service`, as the skill has it.
fn assumed(text: &str, kind: Kind) -> String {
    if kind == Kind::Service && !text.contains('-') {
        format!("{text}-service")
    } else {
        text.to_owned()
    }
}

impl Found {
    /// Its place in a filter.
    pub(super) fn rank(&self) -> u8 {
        if self.kind == Kind::Namespace { 1 } else { 4 }
    }

    pub(super) fn kfl(&self, role: Role) -> String {
        let field = match self.kind {
            Kind::Namespace => "pod.namespace",
            Kind::Pod => "pod.name",
            Kind::Service | Kind::Word => "service.name",
        };
        let equals = |end: &str, name: &String| format!("{end}.{field} == {}", quoted(name));
        if role == Role::With {
            let (a, b) = (self.names.first(), self.names.get(1));
            if let (Some(a), Some(b)) = (a, b) {
                return format!(
                    "({} && {} || {} && {})",
                    equals("src", a),
                    equals("dst", b),
                    equals("src", b),
                    equals("dst", a)
                );
            }
        }
        let end = if role == Role::From { "src" } else { "dst" };
        match self.names.as_slice() {
            [one] => equals(end, one),
            many => {
                let terms: Vec<String> = many.iter().take(MOST).map(|name| equals(end, name)).collect();
                format!("({})", terms.join(" || "))
            }
        }
    }

    /// Where it stands for another name than was said.
    pub(super) fn renamed(&self, name: &Name) -> Option<(String, String)> {
        let said = name.text.replace('\u{0}', " and ");
        let meant = self.names.join(", ");
        (name.role != Role::With && said != meant).then_some((said, meant))
    }
}

/// Names that a prefix may stand for.
const MOST: usize = 20;
