//! From a finding and its case to what people and programs read. Pure.
//!
//! One [`Report`] value is the source of every format: JSON is its serialisation, and a
//! [`document`] made from it is rendered as text and as Markdown.

mod build;
pub mod document;
mod exchange;
mod graph;
mod layout;
mod markdown;
mod mermaid;
mod model;
mod opinion;
pub mod picture;
mod repeat;
mod series;
mod text;

pub use build::report;
pub use document::plain;
pub use exchange::exchange;
pub use layout::{Detail, document};
pub use markdown::markdown;
pub use model::{Cost, Evidence, Report, RootCause, SCHEMA, schema};
pub use text::{coloured, text, wrapped};
