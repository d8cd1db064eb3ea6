//! Made-up traffic, small enough to know the answer.

mod parts;
mod ranking;
