//! The field table, read from `kfl-fields.json`.

/// Index of a field in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub u16);
