//! What the bot remembers: work under leases, messages that were posted, threads, cases, and files of cases.
//!
//! An embedded SQLite, or PostgreSQL where several processes share the work. The queue is a table of its own: of the queue
//! libraries on these two databases none has a lease a job, so that a process that hangs keeps its job for ever, and none
//! goes on in the middle of one. Every write of a worker carries the fence of its lease, so one that was given up for
//! dead and comes back changes nothing.
//!
//! Times are given by the caller. Clocks of several processes have to agree to within a fraction of a lease.

mod cases;
mod jobs;
mod posts;
mod schema;

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use sqlx::{AnyPool, any::AnyPoolOptions};

pub use cases::{CaseRow, CaseState, NewCase};
pub use jobs::{Beat, Change, Class, Lease, Limits, NewJob, Outcome};
pub use posts::Post;

use crate::time::Utc;

/// Connections of one process to PostgreSQL.
const CONNECTIONS: u32 = 8;

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The connection string names no database that is known here. It is not repeated: it may hold a password.
    #[error("the connection string is neither `sqlite:PATH` nor `postgres://…`")]
    Url,
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// A row that this version cannot read.
    #[error("what is stored cannot be read: {0}")]
    Content(#[from] serde_json::Error),
    /// The database was written by a later version.
    #[error(
        "the database has version {found} of its tables, this program knows {known}: start the version that wrote it"
    )]
    Later { found: i64, known: i64 },
}

/// A database of the bot.
#[derive(Clone, Debug)]
pub struct Store {
    pool: AnyPool,
    shared: bool,
    /// Rung when work is put in by this process, so that it does not wait for the next look.
    bell: Arc<tokio::sync::Notify>,
}

impl Store {
    /// Opens the database, and makes its tables where they are missing.
    pub async fn open(url: &SecretString) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let said = url.expose_secret();
        let shared = said.starts_with("postgres://") || said.starts_with("postgresql://");
        let (address, connections) = if shared {
            (said.to_owned(), CONNECTIONS)
        } else if let Some(path) = said.strip_prefix("sqlite:") {
            let path = path.trim_start_matches("//");
            if path.is_empty() {
                return Err(StoreError::Url);
            }
            // One connection: SQLite has one writer anyway, and so nobody finds it locked.
            (format!("sqlite://{path}?mode=rwc"), 1)
        } else {
            return Err(StoreError::Url);
        };
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(std::time::Duration::from_secs(10))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if !shared {
                        // An event that was acknowledged is on the disk.
                        for pragma in ["journal_mode = WAL", "synchronous = FULL", "busy_timeout = 5000"] {
                            sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA {pragma}")))
                                .execute(&mut *connection)
                                .await?;
                        }
                    }
                    Ok(())
                })
            })
            .connect(&address)
            .await?;
        let store = Self {
            pool,
            shared,
            bell: Arc::new(tokio::sync::Notify::new()),
        };
        schema::make(&store).await?;
        Ok(store)
    }

    /// Whether several processes may work on it, each with a disk of its own.
    pub fn shared(&self) -> bool {
        self.shared
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Resolves when this process has put work in since the last time.
    pub async fn rung(&self) {
        self.bell.notified().await;
    }

    /// Forgets finished work, and what belongs to cases that ended before `before`.
    pub async fn sweep(&self, before: Utc) -> Result<u64, StoreError> {
        let mut gone = 0;
        for statement in [
            "DELETE FROM files WHERE case_id IN (SELECT id FROM cases WHERE ended < $1)",
            "DELETE FROM posts WHERE begun < $1",
            "DELETE FROM jobs WHERE ended < $1",
        ] {
            gone += sqlx::query(statement)
                .bind(micros(before))
                .execute(&self.pool)
                .await?
                .rows_affected();
        }
        Ok(gone)
    }
}

/// Unix time, µs.
fn micros(at: Utc) -> i64 {
    at.timestamp_micros()
}

fn instant(micros: i64) -> Utc {
    Utc::from_timestamp_micros(micros).unwrap_or_default()
}
