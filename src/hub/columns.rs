//! What filters look at most, side by side.
//!
//! A call lies in several places of memory, and going there takes longer than comparing: a filter over a million
//! calls would wait a million times for a status. So the fields that most filters begin with are kept a second time,
//! one small row a call, and the texts of all calls behind each other. Every other field is the call's own.

use std::collections::HashMap;
use std::sync::Arc;

use crate::kfl::field::FieldId;
use crate::kfl::record::{Record, Value};

use super::call::{Call, Ends};
use super::entry::Payload;
use super::record::end_field;

/// The rows of all calls of a store, in its order.
#[derive(Debug, Default)]
pub(super) struct Columns {
    rows: Vec<Fields>,
    /// URLs, and those paths that are no part of one.
    texts: String,
    /// What was asked in lookups, each list once: the same few names are looked up all day.
    questions: Vec<Vec<String>>,
}

/// The fields of one call that are kept.
#[derive(Debug)]
struct Fields {
    /// Unix µs.
    ts_us: i64,
    /// 0 where there was no response, as the language has it.
    elapsed_us: i64,
    status: i64,
    ends: Arc<Ends>,
    /// First byte of the URL among the texts.
    url_at: usize,
    /// Bytes.
    url_size: u32,
    /// Bytes from the beginning of the URL.
    path_at: u32,
    path_size: u32,
    /// Position among the lists of questions.
    questions: u32,
    flags: u32,
}

/// The texts did not fit into 32 bits: they are the call's own.
const UNKEPT: u32 = 1 << 14;
/// There are names that were asked for, which the lists of questions hold.
const QUESTIONS: u32 = 1 << 15;
/// Who called whom is told by the ends alone, as it is of everything dissected from packets.
const BY_ENDS: u32 = 1 << 16;
/// The local end is the client.
const CLIENT_IS_LOCAL: u32 = 1 << 17;

/// The bit of a protocol's flag.
fn bit(flag: FieldId) -> Option<u32> {
    Some(match flag {
        FieldId::HTTP => 1,
        FieldId::DNS => 1 << 1,
        FieldId::TCP => 1 << 2,
        FieldId::CONN => 1 << 3,
        FieldId::TCP_CONN => 1 << 4,
        FieldId::FLOW => 1 << 5,
        FieldId::TCP_FLOW => 1 << 6,
        FieldId::GRPC => 1 << 7,
        FieldId::WS => 1 << 8,
        FieldId::REDIS => 1 << 9,
        FieldId::KAFKA => 1 << 10,
        FieldId::POSTGRESQL => 1 << 11,
        FieldId::MYSQL => 1 << 12,
        FieldId::AMQP => 1 << 13,
        _ => return None,
    })
}

/// The flags that have a [`bit`].
const FLAGS: [FieldId; 14] = [
    FieldId::HTTP,
    FieldId::DNS,
    FieldId::TCP,
    FieldId::CONN,
    FieldId::TCP_CONN,
    FieldId::FLOW,
    FieldId::TCP_FLOW,
    FieldId::GRPC,
    FieldId::WS,
    FieldId::REDIS,
    FieldId::KAFKA,
    FieldId::POSTGRESQL,
    FieldId::MYSQL,
    FieldId::AMQP,
];

impl Columns {
    /// The rows of these calls.
    pub(super) fn of(calls: &[Call]) -> Self {
        let mut columns = Self {
            rows: Vec::with_capacity(calls.len()),
            texts: String::new(),
            questions: Vec::new(),
        };
        let mut known = HashMap::new();
        for call in calls {
            let row = columns.row_of(call, &mut known);
            columns.rows.push(row);
        }
        columns.texts.shrink_to_fit();
        columns
    }

    fn row_of<'c>(&mut self, call: &'c Call, known: &mut HashMap<&'c [String], u32>) -> Fields {
        let int = |field| match call.field(field) {
            Some(Value::Int(value)) => value,
            _ => 0,
        };
        let text = |field| match call.field(field) {
            Some(Value::Str(text)) => text,
            _ => "",
        };
        let is_set = |flag: &FieldId| call.field(*flag) == Some(Value::Bool(true));
        let mut flags = FLAGS
            .iter()
            .filter(|flag| is_set(flag))
            .filter_map(|flag| bit(*flag))
            .sum();
        let mut questions = 0;
        if let Some(Value::List(names)) = call.field(FieldId::DNS_QUESTIONS)
            && !names.is_empty()
        {
            flags |= QUESTIONS;
            questions = *known.entry(names).or_insert_with(|| {
                self.questions.push(names.to_vec());
                u32::try_from(self.questions.len() - 1).unwrap_or(u32::MAX)
            });
        }
        if matches!(
            call.entry.payload,
            Payload::Http(_) | Payload::Dns(_) | Payload::TcpFlow(_)
        ) {
            flags |= BY_ENDS;
        }
        if call.client_is_local() {
            flags |= CLIENT_IS_LOCAL;
        }
        let url_at = self.texts.len();
        let (url, path) = (text(FieldId::URL), text(FieldId::PATH));
        self.texts.push_str(url);
        // Where it was found does not matter, only that it reads the same.
        let path_at = url.find(path).unwrap_or_else(|| {
            self.texts.push_str(path);
            url.len()
        });
        let narrow = |size: usize| u32::try_from(size).ok();
        let sizes = narrow(url.len()).zip(narrow(path_at)).zip(narrow(path.len()));
        let ((url_size, path_at), path_size) = sizes.unwrap_or_else(|| {
            flags |= UNKEPT;
            self.texts.truncate(url_at);
            ((0, 0), 0)
        });
        Fields {
            ts_us: call.entry.ts_us,
            elapsed_us: int(FieldId::ELAPSED_TIME),
            status: int(FieldId::STATUS_CODE),
            ends: Arc::clone(&call.ends),
            url_at,
            url_size,
            path_at,
            path_size,
            questions,
            flags,
        }
    }

    /// The calls at these positions, with their rows.
    pub(super) fn rows<'s>(&'s self, calls: &'s [Call], first: usize) -> impl Iterator<Item = Row<'s>> {
        let fields = self.rows.get(first..).unwrap_or_default();
        fields.iter().zip(calls).map(|(fields, call)| Row {
            fields,
            columns: self,
            call,
        })
    }

    /// The position of the first call that began at `bound` (Unix µs) or later.
    pub(super) fn first_at(&self, bound: i64) -> usize {
        self.rows.partition_point(|row| row.ts_us < bound)
    }
}

/// A call as filters see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'s> {
    fields: &'s Fields,
    columns: &'s Columns,
    pub(super) call: &'s Call,
}

impl Row<'_> {
    fn text(&self, at: usize, size: u32) -> Option<Value<'_>> {
        let end = at.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
        self.columns.texts.get(at..end).map(Value::Str)
    }
}

impl Record for Row<'_> {
    #[inline]
    fn field(&self, field: FieldId) -> Option<Value<'_>> {
        let row = self.fields;
        match field {
            FieldId::STATUS_CODE => Some(Value::Int(row.status)),
            FieldId::ELAPSED_TIME => Some(Value::Int(row.elapsed_us)),
            FieldId::TIMESTAMP => Some(Value::Timestamp(row.ts_us)),
            FieldId::URL if row.flags & UNKEPT == 0 => self.text(row.url_at, row.url_size),
            FieldId::PATH if row.flags & UNKEPT == 0 => {
                let at = row.url_at + usize::try_from(row.path_at).unwrap_or(usize::MAX);
                self.text(at, row.path_size)
            }
            FieldId::DNS_QUESTIONS if row.flags & QUESTIONS != 0 => {
                let at = usize::try_from(row.questions).unwrap_or(usize::MAX);
                self.columns.questions.get(at).map(|names| Value::List(names))
            }
            FieldId::DNS_QUESTIONS => None,
            FieldId::SRC_IP
            | FieldId::DST_IP
            | FieldId::SRC_NAME
            | FieldId::DST_NAME
            | FieldId::SRC_POD_NAME
            | FieldId::DST_POD_NAME
            | FieldId::SRC_SERVICE_NAME
            | FieldId::DST_SERVICE_NAME
            | FieldId::SRC_NAMESPACE
            | FieldId::DST_NAMESPACE
            | FieldId::SRC_POD_NAMESPACE
            | FieldId::DST_POD_NAMESPACE
            | FieldId::SRC_SERVICE_NAMESPACE
            | FieldId::DST_SERVICE_NAMESPACE
            | FieldId::NAMESPACES
            | FieldId::PODS
            | FieldId::SERVICES
                if row.flags & BY_ENDS != 0 =>
            {
                end_field(&row.ends, self.call, field)
            }
            FieldId::LOCAL_LABELS | FieldId::REMOTE_LABELS if row.flags & BY_ENDS != 0 => {
                let of_client = (field == FieldId::LOCAL_LABELS) == (row.flags & CLIENT_IS_LOCAL != 0);
                let end = if of_client { &row.ends.src } else { &row.ends.dst };
                Some(Value::Map(&end.labels))
            }
            _ => match bit(field) {
                Some(bit) => Some(Value::Bool(row.flags & bit != 0)),
                None => self.call.field(field),
            },
        }
    }
}

#[cfg(test)]
mod tests;
