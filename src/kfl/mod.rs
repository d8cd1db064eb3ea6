//! KFL2, the filter language of Kubeshark: CEL over the variables of a field table.
//!
//! - [`field`]: the table, with types, units and notes;
//! - [`check`]: from text to a [`Checked`] filter, or to [`Diagnostic`]s with position and suggestion;
//! - [`Filter`]: filters built from typed parts;
//! - [`Checked::compile`]: evaluation over anything that is a [`Record`](record::Record);
//! - [`explain`]: a filter in plain words.
//!
//! No filter is sent unchecked: a server answers a wrong name with an empty list, which reads like
//! "nothing happened".

mod ast;
mod build;
mod check;
mod diagnostic;
mod eval;
mod explain;
pub mod field;
mod instant;
mod lex;
mod mistakes;
mod parse;
mod re2;
pub mod record;
mod typed;

pub use build::{Filter, Literal, LiteralMismatch, Protocol, Term as FilterTerm, quoted};
pub use check::{Checked, Term, check, check_as_server};
pub use diagnostic::{Code, Diagnostic, Fix, Severity, Span};
pub use eval::{EvalError, EvalErrorKind, OnError, Predicate};
pub use explain::explain;
pub use field::{FieldId, FieldInfo, Type};
pub use instant::parse_duration;
