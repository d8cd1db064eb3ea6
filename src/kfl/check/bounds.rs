//! What terms say about a field's value, and whether several of them can be true at once.

use std::collections::BTreeMap;

use super::super::ast::Comparison;
use super::super::field::{self, FieldId};
use super::super::typed::{BoolExpr, IntExpr, ListExpr, StrExpr, TextTest, TimeExpr};

/// What a fact is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Field(FieldId),
    Size(FieldId),
    /// A map's value under a key.
    Value(FieldId, String),
    /// Which protocol an entry has.
    Protocol,
}

/// One thing that is said about a subject.
#[derive(Clone, Debug)]
enum Fact {
    /// From the first to the second, both included.
    Range(i64, i64),
    NotInt(i64),
    Ints(Vec<i64>),
    NotInts(Vec<i64>),
    Texts(Vec<String>),
    NotTexts(Vec<String>),
    /// The test holds, or (with `false`) does not.
    Text(TextTest, String, bool),
    Flag(bool),
}

/// Flags of which an entry has one at most. `ws`, `gql` and `grpc` travel over `http`, and the flags of
/// transports and connections may stand beside others.
const EXCLUSIVE: [FieldId; 12] = [
    FieldId::AMQP,
    FieldId::DIAMETER,
    FieldId::DNS,
    FieldId::HTTP,
    FieldId::ICMP,
    FieldId::KAFKA,
    FieldId::LDAP,
    FieldId::MONGODB,
    FieldId::MYSQL,
    FieldId::POSTGRESQL,
    FieldId::RADIUS,
    FieldId::REDIS,
];

/// The range an int has by its nature, both ends included; `None` where any int can occur.
pub(super) fn natural(value: &IntExpr) -> Option<(i64, i64)> {
    match value {
        IntExpr::StrSize(_) | IntExpr::BytesSize(_) | IntExpr::ListSize(_) | IntExpr::MapSize(_) => {
            Some((0, i64::MAX))
        }
        IntExpr::Field(id) => match *id {
            FieldId::SRC_PORT | FieldId::DST_PORT => Some((0, 65_535)),
            // HTTP has three digits; DNS response codes are below.
            FieldId::STATUS_CODE => Some((0, 999)),
            FieldId::GRPC_STATUS => Some((-1, i64::MAX)),
            // Times, bytes and rates.
            id if field::info(id).unit.is_some() => Some((0, i64::MAX)),
            _ => None,
        },
        _ => None,
    }
}

/// Facts by subject.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts(BTreeMap<Subject, Vec<Fact>>);

impl Facts {
    /// What is known where `condition` is `truth`. Never more than it says, often less.
    pub(super) fn of(condition: &BoolExpr, truth: bool) -> Self {
        let mut facts = Self::default();
        facts.collect(condition, truth);
        facts
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (subject, facts) in &other.0 {
            self.0
                .entry(subject.clone())
                .or_default()
                .extend(facts.iter().cloned());
        }
    }

    fn put(&mut self, subject: Subject, fact: Fact) {
        self.0.entry(subject).or_default().push(fact);
    }

    fn collect(&mut self, condition: &BoolExpr, truth: bool) {
        match condition {
            BoolExpr::Not(inner) => self.collect(inner, !truth),
            BoolExpr::All(terms) if truth => terms.iter().for_each(|term| self.collect(term, true)),
            BoolExpr::Any(terms) if !truth => terms.iter().for_each(|term| self.collect(term, false)),
            BoolExpr::Field(id) => {
                self.put(Subject::Field(*id), Fact::Flag(truth));
                if truth && EXCLUSIVE.contains(id) {
                    self.put(Subject::Protocol, Fact::Texts(vec![id.name().to_owned()]));
                }
            }
            BoolExpr::Int(operator, value, IntExpr::Const(bound)) => {
                let Some(subject) = int_subject(value) else {
                    return;
                };
                if let Some((low, high)) = natural(value) {
                    self.put(subject.clone(), Fact::Range(low, high));
                }
                self.put(subject, range(*operator, truth, *bound));
            }
            BoolExpr::Time(operator, TimeExpr::Field(id), TimeExpr::Const(bound)) => {
                self.put(Subject::Field(*id), range(*operator, truth, *bound));
            }
            BoolExpr::Time(operator, TimeExpr::Const(bound), TimeExpr::Field(id)) => {
                self.put(Subject::Field(*id), range(operator.mirrored(), truth, *bound));
            }
            BoolExpr::IntIn(value, list) => {
                if let Some(subject) = int_subject(value) {
                    let fact = if truth { Fact::Ints } else { Fact::NotInts };
                    self.put(subject, fact(list.clone()));
                }
            }
            BoolExpr::Str(operator, value, StrExpr::Const(text))
            | BoolExpr::Str(operator, StrExpr::Const(text), value)
                if operator.is_equality() =>
            {
                if let Some(subject) = text_subject(value) {
                    let equal = (*operator == Comparison::Eq) == truth;
                    let fact = if equal { Fact::Texts } else { Fact::NotTexts };
                    self.put(subject, fact(vec![text.clone()]));
                }
            }
            BoolExpr::StrIn(value, ListExpr::Const(list)) => {
                if let Some(subject) = text_subject(value) {
                    let fact = if truth { Fact::Texts } else { Fact::NotTexts };
                    self.put(subject, fact(list.clone()));
                }
            }
            BoolExpr::Text(test, value, StrExpr::Const(part)) => {
                if let Some(subject) = text_subject(value) {
                    self.put(subject, Fact::Text(*test, part.clone(), truth));
                }
            }
            _ => {}
        }
    }

    /// Whether some entry may fulfil all of them.
    pub(super) fn can_hold(&self) -> bool {
        self.0
            .values()
            .all(|facts| ints_can_hold(facts) && texts_can_hold(facts) && flags_can_hold(facts))
    }
}

fn int_subject(value: &IntExpr) -> Option<Subject> {
    match value {
        IntExpr::Field(id) => Some(Subject::Field(*id)),
        IntExpr::MapSize(id) | IntExpr::ListSize(ListExpr::Field(id)) => Some(Subject::Size(*id)),
        _ => None,
    }
}

fn text_subject(value: &StrExpr) -> Option<Subject> {
    match value {
        StrExpr::Field(id) => Some(Subject::Field(*id)),
        StrExpr::Index(map, key, _) => match key.as_ref() {
            StrExpr::Const(key) => Some(Subject::Value(*map, key.clone())),
            _ => None,
        },
        _ => None,
    }
}

fn range(operator: Comparison, truth: bool, bound: i64) -> Fact {
    let operator = if truth { operator } else { operator.negated() };
    // An empty range stands for what no int fulfils, such as being above the largest.
    let empty = Fact::Range(i64::MAX, i64::MIN);
    match operator {
        Comparison::Eq => Fact::Range(bound, bound),
        Comparison::Ne => Fact::NotInt(bound),
        Comparison::Lt => bound
            .checked_sub(1)
            .map_or(empty, |high| Fact::Range(i64::MIN, high)),
        Comparison::Le => Fact::Range(i64::MIN, bound),
        Comparison::Gt => bound
            .checked_add(1)
            .map_or(empty, |low| Fact::Range(low, i64::MAX)),
        Comparison::Ge => Fact::Range(bound, i64::MAX),
    }
}

fn int_fulfils(value: i64, fact: &Fact) -> bool {
    match fact {
        Fact::Range(low, high) => (*low..=*high).contains(&value),
        Fact::NotInt(other) => value != *other,
        Fact::Ints(list) => list.contains(&value),
        Fact::NotInts(list) => !list.contains(&value),
        _ => true,
    }
}

fn ints_can_hold(facts: &[Fact]) -> bool {
    let listed = facts.iter().find_map(|fact| match fact {
        Fact::Ints(list) => Some(list),
        _ => None,
    });
    if let Some(list) = listed {
        return list
            .iter()
            .any(|value| facts.iter().all(|fact| int_fulfils(*value, fact)));
    }
    let (mut low, mut high) = (i64::MIN, i64::MAX);
    for fact in facts {
        if let Fact::Range(from, to) = fact {
            low = low.max(*from);
            high = high.min(*to);
        }
    }
    if low > high {
        return false;
    }
    // In a narrow range every value may be taken out; a wide one always keeps some. So many facts that
    // looking would take long are not worth it.
    let width = high.saturating_sub(low);
    width > 1000
        || facts.len() > 128
        || (low..=high).any(|value| facts.iter().all(|fact| int_fulfils(value, fact)))
}

fn text_fulfils(text: &str, fact: &Fact) -> bool {
    match fact {
        Fact::Texts(list) => list.iter().any(|item| item == text),
        Fact::NotTexts(list) => !list.iter().any(|item| item == text),
        Fact::Text(function, part, truth) => function.holds(text, part) == *truth,
        _ => true,
    }
}

fn texts_can_hold(facts: &[Fact]) -> bool {
    let listed = facts.iter().find_map(|fact| match fact {
        Fact::Texts(list) => Some(list),
        _ => None,
    });
    if let Some(list) = listed {
        return list
            .iter()
            .any(|text| facts.iter().all(|fact| text_fulfils(text, fact)));
    }
    let tests: Vec<(TextTest, &str, bool)> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Text(test, part, truth) => Some((*test, part.as_str(), *truth)),
            _ => None,
        })
        .collect();
    let conflict =
        |(a, x, yes): (TextTest, &str, bool), (b, y, also): (TextTest, &str, bool)| match (yes, also) {
            // Two beginnings of one text: one begins with the other.
            (true, true) if a == b && a == TextTest::StartsWith => !x.starts_with(y) && !y.starts_with(x),
            (true, true) if a == b && a == TextTest::EndsWith => !x.ends_with(y) && !y.ends_with(x),
            // What holds for a part of the text it has to have holds for the text.
            (true, false) => (a == b || b == TextTest::Contains) && b.holds(x, y),
            _ => false,
        };
    // Few tests stand on one field; more than these are not compared.
    let tests = tests.get(..tests.len().min(32)).unwrap_or_default();
    !tests
        .iter()
        .any(|one| tests.iter().any(|other| conflict(*one, *other)))
}

fn flags_can_hold(facts: &[Fact]) -> bool {
    let has = |value| {
        facts
            .iter()
            .any(|fact| matches!(fact, Fact::Flag(flag) if *flag == value))
    };
    !(has(true) && has(false))
}
