//! Time as people write and read it.
//!
//! Everything here is pure: "now" and the zone are given. Inside the program a point in time is
//! [`Utc`]; people meet it only through [`Clock`], and only the wire sees Unix milliseconds.

mod window;

pub use window::{Utc, Window};
