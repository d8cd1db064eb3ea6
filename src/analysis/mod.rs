//! What can be computed is computed here: pure functions over calls and counts.
//!
//! A [`Picture`] holds, for every edge of the service graph, a [`Tally`] before and during the window, and the calls
//! that lists showed. [`diagnose`] ranks who may be behind the difference, from four sides:
//!
//! * [`failures`]: new failures, each followed down to the last call that explains it;
//! * [`latency`]: whose own time grew, and around whom time is lost;
//! * [`volume`]: surges, calls that stopped, calls that go elsewhere;
//! * [`network`]: where packets are lost.
//!
//! [`trend`] compares stretches that need not follow each other, and reads series; [`recovery`] says whether what was
//! abnormal is as before. [`factor`] says what failing calls have in common that good ones have not. The formulas with their sources are in
//! `docs/analysis.md`.

mod compare;
mod endpoint;
mod factor;
mod failures;
mod incident;
mod latency;
mod layer;
mod nesting;
mod network;
mod outcome;
mod over_time;
mod picture;
mod recovery;
mod shift;
mod statistics;
mod suspect;
#[cfg(test)]
mod tests;
mod traffic;
mod trend;
mod volume;

pub use compare::{Change, Thresholds, compare, risen};
pub use endpoint::{common_endpoint, endpoint, path_template};
pub use factor::{Dimension, Factor, common_factors};
pub use incident::Incident;
pub use latency::Slowness;
pub use layer::Layer;
pub use network::{Lossy, Place, lossy, side_of};
pub use outcome::{Outcome, ends, outcome, says_error};
pub use over_time::{Bin, over_time};
pub use picture::{Edge, EdgeKey, Naming, Onset, Party, Picture, Tally};
pub use recovery::{Recovery, Stretch, recovery};
pub use shift::Shift;
pub use statistics::{higher, likely, onset_apart, onset_of_events, percentile, rose, wilson};
pub use suspect::{Diagnosis, Mechanism, Suspect, diagnose, incident_in, kind_of};
pub use traffic::Side;
pub use trend::{Drift, Measured, Trend, drift, median_us, trend};
