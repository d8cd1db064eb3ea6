//! Calls that come as JSON lines instead of packets: published incidents, exports of other tools.
//!
//! One object a line; `evals/README.md` describes the keys. Whatever a traffic agent could not have seen (trace
//! ids, labels of the truth) is not read. Every line is untrusted: one that is no call is left out, counted and
//! told, and what it claims is held to the same limits as what is dissected from packets.
//!
//! | question | file |
//! | --- | --- |
//! | what is kept of a line | `call.rs`, `protocol.rs` |
//! | what may a line say | `parse.rs`, `fields.rs` |
//! | how is a file read | `file.rs` |
//! | how is it asked and told | `record.rs` (KFL fields), `show.rs` |

mod call;
mod fields;
mod file;
mod parse;
mod protocol;
mod record;
mod show;
#[cfg(test)]
mod tests;

pub use call::{Details, LineCall, Party};
pub use fields::FieldValue;
pub use file::{LineFile, LinesError, is_lines, load, read, stem};
pub use parse::{MAX_LINE_BYTES, Parsed, Reader, Refusal};
pub use protocol::LineProtocol;
pub(in crate::hub) use show::{compact, full, tcp_metrics};
