//! From a finding and its case to what people and programs read. Pure.
//!
//! One [`Report`] value is the source of every format: JSON is its serialisation, a [`document`] made from it is
//! rendered as text and as Markdown, and [`page()`] is HTML with pictures.

mod build;
pub mod document;
mod draw;
mod exchange;
mod graph;
mod layout;
mod markdown;
mod mermaid;
mod model;
mod opinion;
mod page;
pub mod picture;
mod png;
mod repeat;
mod series;
mod text;

pub use build::report;
pub use document::plain;
pub use draw::{Place, Placement, place};
pub use exchange::exchange;
pub use layout::{Detail, document, label};
pub use markdown::markdown;
pub use model::{Cost, Evidence, Report, RootCause, SCHEMA, schema};
pub use page::page;
pub use png::png;
pub use text::{coloured, text, wrapped};
