//! Time as people write and read it.
//!
//! Everything here is pure: "now", the zone, values of the environment and contents of files are
//! given. Inside the program a point in time is [`Utc`]; people meet it only through [`Clock`], and
//! only the wire sees Unix milliseconds.
//!
//! * [`Zone`]: a time zone of the IANA database, and which one the system uses.
//! * [`parse_window`], [`parse_point`]: what people type, with what had to be assumed and what is
//!   ambiguous.
//! * [`Clock`]: the one type that renders a time for people.

mod abbreviation;
mod clock;
mod duration;
mod frame;
mod hours;
mod parse;
mod window;
mod zone;

pub use clock::Clock;
pub use duration::duration;
pub use hours::HourStyle;
pub use parse::{
    Ambiguity, Choice, PointReading, Reading, TimeError, Unreadable, parse_point, parse_point_with,
    parse_window, parse_window_with,
};
pub use window::{Utc, Window};
pub use zone::{SystemZone, Zone, ZoneError, ZoneSource};
