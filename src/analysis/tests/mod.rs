//! Made-up traffic, small enough to know the answer.

mod order;
mod parts;
mod ranking;
