//! KFL2, the filter language: field table, parser, type checker, evaluator.

pub mod field;
pub mod record;
