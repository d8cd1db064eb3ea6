//! The field table: every variable KFL knows, with its type, unit and note.
//!
//! The table is `kfl-fields.json`, embedded; [`FieldId`] has a constant for each of its fields.

mod ids;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A field of the table. Copied, compared and matched like a number:
/// `match id { FieldId::STATUS_CODE => …, FieldId::DST_POD_NAMESPACE => …, _ => None }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(u16);

impl FieldId {
    /// Every field, in the order of the table (by name).
    pub fn all() -> impl Iterator<Item = FieldId> {
        (0_u16..).take(ids::NAMES.len()).map(FieldId)
    }

    /// The name as a filter spells it, such as `dst.pod.namespace`.
    pub fn name(self) -> &'static str {
        ids::NAMES[self.index()]
    }

    /// The type of the field's value.
    pub fn kind(self) -> Type {
        info(self).kind
    }

    /// Position in the table, from 0: an index for arrays with one place a field.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for FieldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for FieldId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The type of a value. Fields have one of the first seven; the last two occur in expressions only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    Bool,
    Int,
    String,
    Bytes,
    /// `list<string>`.
    List,
    /// `map<string,string>`.
    Map,
    Timestamp,
    /// What `duration("5m")` gives, and the difference of two timestamps.
    Duration,
    /// A list of ints written in a filter: `[500, 502, 503]`.
    IntList,
}

impl Type {
    /// The spelling of the table, such as `map<string,string>`.
    pub fn name(self) -> &'static str {
        match self {
            Type::Bool => "bool",
            Type::Int => "int",
            Type::String => "string",
            Type::Bytes => "bytes",
            Type::List => "list<string>",
            Type::Map => "map<string,string>",
            Type::Timestamp => "timestamp",
            Type::Duration => "duration",
            Type::IntList => "list<int>",
        }
    }

    /// With its article, for sentences: "an int", "a list<string>".
    pub(super) fn with_article(self) -> String {
        let article = if matches!(self, Type::Int) { "an" } else { "a" };
        format!("{article} {}", self.name())
    }

    fn parse(name: &str) -> Option<Self> {
        [
            Type::Bool,
            Type::Int,
            Type::String,
            Type::Bytes,
            Type::List,
            Type::Map,
            Type::Timestamp,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Type {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What the table says about one field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldInfo {
    #[serde(skip)]
    pub id: FieldId,
    pub name: &'static str,
    #[serde(rename = "type")]
    pub kind: Type,
    /// Such as `microseconds` or `bytes`; `None` where the value has no unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What trips people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The protocol or subject it belongs to, such as `http`; protocol flags have `protocol-flag`.
    pub group: String,
}

impl FieldInfo {
    /// Whether the field is one of the flags (`http`, `dns`, `tcp_flow`, …) that say what an entry is.
    pub fn is_protocol_flag(&self) -> bool {
        self.group == "protocol-flag" || self.id == FieldId::TLSX
    }
}

/// The table.
#[derive(Debug)]
pub struct Table {
    fields: Vec<FieldInfo>,
    synced: String,
}

impl Table {
    /// All fields, by name.
    pub fn fields(&self) -> &[FieldInfo] {
        &self.fields
    }

    /// Which state of the public reference the table reflects.
    pub fn synced(&self) -> &str {
        &self.synced
    }
}

/// The table, parsed at first use.
pub fn table() -> &'static Table {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program, and a test parses it"
    )]
    static TABLE: LazyLock<Table> =
        LazyLock::new(|| parse(include_str!("kfl-fields.json")).expect("the embedded field table is sound"));
    &TABLE
}

/// The field of that exact name.
pub fn lookup(name: &str) -> Option<FieldId> {
    let index = ids::NAMES.binary_search(&name).ok()?;
    u16::try_from(index).ok().map(FieldId)
}

/// What the table says about `id`.
pub fn info(id: FieldId) -> &'static FieldInfo {
    &table().fields[id.index()]
}

/// The fields whose name, group, unit or note contains `pattern` (letter case does not count), or whose
/// name matches it as a glob where it holds `*` or `?`. An empty pattern finds all.
pub fn search(pattern: &str) -> Vec<&'static FieldInfo> {
    let pattern = pattern.to_lowercase();
    let found = |field: &&FieldInfo| {
        if pattern.contains(['*', '?']) {
            return glob(pattern.as_bytes(), field.name.as_bytes());
        }
        let texts = [
            Some(field.name),
            Some(field.group.as_str()),
            field.unit.as_deref(),
            field.note.as_deref(),
        ];
        texts
            .into_iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(&pattern))
    };
    table().fields.iter().filter(found).collect()
}

/// Whether `text` matches `pattern`, in which `*` stands for any run and `?` for one byte. Takes at most
/// the product of both lengths in steps.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') => {
                p += 1;
                t += 1;
            }
            Some(byte) if *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // Let the last star take one byte more and try again behind it.
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p.min(pattern.len())..].iter().all(|byte| *byte == b'*')
}

/// The file as it is written.
#[derive(Deserialize)]
struct File {
    synced: String,
    fields: std::collections::BTreeMap<String, Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "type")]
    kind: String,
    unit: Option<String>,
    note: Option<String>,
    group: String,
}

fn parse(json: &str) -> Result<Table, String> {
    let mut file: File = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let fields = FieldId::all()
        .map(|id| {
            let name = id.name();
            let row = file
                .fields
                .remove(name)
                .ok_or_else(|| format!("no row for `{name}`"))?;
            let kind = Type::parse(&row.kind).ok_or_else(|| format!("`{name}` has type `{}`", row.kind))?;
            Ok(FieldInfo {
                id,
                name,
                kind,
                unit: row.unit,
                note: row.note,
                group: row.group,
            })
        })
        .collect::<Result<_, String>>()?;
    match file.fields.keys().next() {
        Some(extra) => Err(format!("no constant for `{extra}`")),
        None => Ok(Table {
            fields,
            synced: file.synced,
        }),
    }
}
