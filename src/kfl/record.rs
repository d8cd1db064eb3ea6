//! What a filter is evaluated over.

use super::field::FieldId;

/// The value of a field, borrowed from the record: nothing is allocated to look at one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Bool(bool),
    Int(i64),
    Str(&'a str),
    Bytes(&'a [u8]),
    /// `list<string>`.
    List(&'a [String]),
    /// `map<string,string>`, in order of appearance.
    Map(&'a [(String, String)]),
    /// Unix microseconds.
    Timestamp(i64),
}

/// Something that has KFL fields: an entry of a dissection.
pub trait Record {
    /// The value of `field`, or `None` where the record has none (the evaluator then supplies the
    /// language's default: "", 0, false, empty list or map).
    fn field(&self, field: FieldId) -> Option<Value<'_>>;
}
