//! The tables, for both databases.

use super::{Store, StoreError};

/// Version of the tables. A later one adds its statements to [`STEPS`].
const VERSION: i64 = 1;

/// Statements that lead from one version to the next. `SERIAL` and `BYTES` are what each database calls them.
const STEPS: &[&[&str]] = &[&[
    "CREATE TABLE jobs (
        id SERIAL, key TEXT NOT NULL UNIQUE, class TEXT NOT NULL, serial TEXT, team TEXT NOT NULL,
        lane TEXT NOT NULL, work TEXT NOT NULL, state TEXT NOT NULL, not_before BIGINT NOT NULL,
        due BIGINT NOT NULL, created BIGINT NOT NULL, owner TEXT, lease_until BIGINT NOT NULL, fence BIGINT NOT NULL,
        attempts BIGINT NOT NULL, stop_by TEXT, why TEXT, ended BIGINT)",
    "CREATE INDEX jobs_open ON jobs (state, class, not_before)",
    "CREATE INDEX jobs_serial ON jobs (serial, state)",
    "CREATE TABLE cases (
        id TEXT PRIMARY KEY, team TEXT NOT NULL, channel TEXT NOT NULL, thread TEXT, person TEXT NOT NULL,
        message TEXT NOT NULL, question TEXT NOT NULL, fingerprint TEXT, state TEXT NOT NULL, verdict TEXT,
        job TEXT NOT NULL, created BIGINT NOT NULL, ended BIGINT, stopped_by TEXT)",
    "CREATE INDEX cases_person ON cases (team, person, created)",
    "CREATE INDEX cases_fingerprint ON cases (fingerprint, created)",
    "CREATE TABLE threads (place TEXT PRIMARY KEY, state TEXT, case_id TEXT)",
    "CREATE TABLE posts (key TEXT PRIMARY KEY, place TEXT NOT NULL, ts TEXT, begun BIGINT NOT NULL)",
    "CREATE TABLE feedback (
        case_id TEXT NOT NULL, person TEXT NOT NULL, was_right BIGINT NOT NULL, said BIGINT NOT NULL,
        PRIMARY KEY (case_id, person))",
    "CREATE TABLE files (
        case_id TEXT NOT NULL, name TEXT NOT NULL, start BIGINT NOT NULL, bytes BYTES NOT NULL,
        PRIMARY KEY (case_id, name, start))",
]];

/// A number that nobody else takes a lock under.
pub(super) const LOCK: &str = "SELECT pg_advisory_xact_lock(7238941)";

/// Makes what is missing. Several processes may start at once.
pub(super) async fn make(store: &Store) -> Result<(), StoreError> {
    let mut transaction = store.pool.begin().await?;
    if store.shared {
        sqlx::query(LOCK).execute(&mut *transaction).await?;
    }
    sqlx::query("CREATE TABLE IF NOT EXISTS rca_version (version BIGINT NOT NULL)")
        .execute(&mut *transaction)
        .await?;
    let found: Option<i64> = sqlx::query_scalar("SELECT version FROM rca_version")
        .fetch_optional(&mut *transaction)
        .await?;
    let known = found.unwrap_or(0);
    if known > VERSION {
        return Err(StoreError::Later {
            found: known,
            known: VERSION,
        });
    }
    let (serial, bytes) = if store.shared {
        ("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "BYTEA")
    } else {
        ("INTEGER PRIMARY KEY AUTOINCREMENT", "BLOB")
    };
    for step in STEPS.iter().skip(usize::try_from(known).unwrap_or(0)) {
        for statement in *step {
            let statement = statement.replace("SERIAL", serial).replace("BYTES", bytes);
            sqlx::query(sqlx::AssertSqlSafe(statement))
                .execute(&mut *transaction)
                .await?;
        }
    }
    if known < VERSION {
        sqlx::query("DELETE FROM rca_version")
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO rca_version (version) VALUES ($1)")
            .bind(VERSION)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}
