//! KFL2, the filter language: field table, parser, type checker, evaluator.

mod ast;
mod diagnostic;
pub mod field;
mod instant;
mod lex;
mod parse;
pub mod record;
