//! The bot: investigations asked for in Slack, or by an alert, run durably by one or several processes.
//!
//! What arrives is written down before it is acknowledged, as [`Work`](work::Work) in a database. Whoever is free takes it
//! under a lease. What a message means is decided by [`conversation`], which is pure.
//! Handling is repeated after a crash, so everything it does has a key: a job is enqueued once, a message posted once.

pub mod alert;
pub mod blocks;
pub mod conversation;
pub mod desk;
pub mod gate;
pub mod incoming;
pub mod metrics;
pub mod person;
pub mod runs;
pub mod slack;
pub mod store;
pub mod watcher;
pub mod work;
pub mod worker;
