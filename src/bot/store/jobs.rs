//! Work under leases.

use std::time::Duration;

use sqlx::{Any, Row, Transaction, any::AnyRow};

use super::{CaseState, Store, StoreError, instant, micros, schema::LOCK};
use crate::{
    bot::{person::Place, work::Work},
    time::Utc,
};

/// What is claimed apart, so that hour-long work does not keep a reply waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Answers to what somebody said: moments.
    Small,
    /// Investigations and what follows them: minutes.
    Long,
}

impl Class {
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Long => "long",
        }
    }
}

/// Work to be put in.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// The same work is put in once.
    pub key: String,
    pub work: Work,
    /// What is done one after the other.
    pub serial: Option<String>,
    pub team: String,
    /// Among whom the process is shared fairly: a channel.
    pub lane: String,
    pub not_before: Option<Utc>,
}

impl NewJob {
    pub fn new(key: impl Into<String>, work: Work) -> Self {
        Self {
            key: key.into(),
            work,
            serial: None,
            team: String::new(),
            lane: String::new(),
            not_before: None,
        }
    }

    /// Where it belongs: work of a moment in one thread is done in the order of its arrival.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.team.clone_from(&place.team);
        self.lane = format!("{}/{}", place.team, place.channel);
        if self.class() == Class::Small {
            self.serial = place.serial();
        }
        self
    }

    #[must_use]
    pub fn not_before(mut self, at: Option<Utc>) -> Self {
        self.not_before = at;
        self
    }

    fn class(&self) -> Class {
        match self.work {
            Work::Handle { .. } | Work::Assume { .. } => Class::Small,
            Work::Investigate { .. } | Work::Follow { .. } => Class::Long,
        }
    }
}

/// How much may run at once, over all processes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub per_team: u32,
    pub per_lane: u32,
}

/// Work that this process has, until the lease runs out.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    pub id: i64,
    pub key: String,
    pub work: Work,
    /// Goes up with every claim; a write with an old one is refused.
    pub fence: i64,
    /// This one included.
    pub attempts: u32,
    /// When it was put in.
    pub created: Utc,
}

/// What became of a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beat {
    Held,
    /// Somebody (a user's id) wants it to end.
    Stopped(String),
    /// Another process has it now.
    Lost,
}

/// How work ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Once more, after a while.
    Again {
        after: Duration,
        why: String,
    },
    /// Put back: this process is closing, and it was not the work's fault.
    Released,
    Failed {
        why: String,
    },
}

/// What is written in the same transaction that ends a job.
#[derive(Clone, Debug)]
pub enum Change {
    Enqueue(Box<NewJob>),
    /// What is to be known of a thread.
    Thread {
        place: Place,
        state: serde_json::Value,
    },
    Case(Box<super::NewCase>),
    CaseEnded {
        case: String,
        state: CaseState,
        verdict: Option<serde_json::Value>,
    },
}

impl Store {
    /// Puts work in. `false` where work of this key is known, done or not.
    pub async fn enqueue(&self, job: &NewJob, now: Utc) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let new = insert(&mut transaction, job, now).await?;
        transaction.commit().await?;
        if new {
            self.bell.notify_waiters();
        }
        Ok(new)
    }

    /// Takes work that nobody has: of what may run now, that of the lane that has the least running, and of that what was
    /// due first. What failed and is to be done again keeps its turn in its thread.
    pub async fn claim(
        &self,
        owner: &str,
        class: Class,
        lease: Duration,
        limits: Limits,
        now: Utc,
    ) -> Result<Option<Lease>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if self.shared {
            // One claim at a time: the limits count what others have claimed.
            sqlx::query(LOCK).execute(&mut *transaction).await?;
        }
        let until = after(now, lease);
        let running = "r.state = 'running' AND r.class = j.class AND r.lease_until >= $3";
        let claim = format!(
            "UPDATE jobs SET state = 'running', owner = $1, lease_until = $2, fence = fence + 1, attempts = attempts + 1
             WHERE id = (
                SELECT j.id FROM jobs j
                WHERE j.class = $4 AND j.not_before <= $3
                  AND (j.state = 'waiting' OR (j.state = 'running' AND j.lease_until < $3))
                  AND (j.class = 'small' OR (
                    (SELECT COUNT(*) FROM jobs r WHERE r.team = j.team AND {running}) < $5
                    AND (SELECT COUNT(*) FROM jobs r WHERE r.lane = j.lane AND {running}) < $6))
                  AND (j.serial IS NULL OR NOT EXISTS (
                    SELECT 1 FROM jobs r WHERE r.serial = j.serial
                      AND (r.due < j.due OR (r.due = j.due AND r.id < j.id))
                      AND (r.state = 'running' OR (r.state = 'waiting' AND r.due <= $3))))
                  AND (j.serial IS NULL OR NOT EXISTS (
                    SELECT 1 FROM jobs r WHERE r.serial = j.serial AND r.id <> j.id
                      AND r.state = 'running' AND r.lease_until >= $3))
                ORDER BY (SELECT COUNT(*) FROM jobs r WHERE r.lane = j.lane AND {running}), j.due, j.id
                LIMIT 1)
             RETURNING id, key, work, fence, attempts, created"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(claim))
            .bind(owner)
            .bind(until)
            .bind(micros(now))
            .bind(class.name())
            .bind(i64::from(limits.per_team))
            .bind(i64::from(limits.per_lane))
            .fetch_optional(&mut *transaction)
            .await?;
        let lease = match row.as_ref().map(read).transpose() {
            Err(StoreError::Content(error)) => {
                let id: i64 = row.as_ref().map_or(Ok(0), |row| row.try_get(0))?;
                put_aside(&mut transaction, id, &error.to_string(), now).await?;
                None
            }
            other => other?,
        };
        if let Some(Work::Investigate { request }) = lease.as_ref().map(|lease| &lease.work) {
            sqlx::query("UPDATE cases SET state = 'running' WHERE id = $1 AND state = 'waiting'")
                .bind(request.case.as_str())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(lease)
    }

    /// Says that this process is alive and at it, and hears what is wanted of it.
    pub async fn beat(&self, held: &Lease, lease: Duration, now: Utc) -> Result<Beat, StoreError> {
        let until = after(now, lease);
        let row = sqlx::query(
            "UPDATE jobs SET lease_until = $1 WHERE id = $2 AND fence = $3 AND state = 'running' RETURNING stop_by",
        )
        .bind(until)
        .bind(held.id)
        .bind(held.fence)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(Beat::Lost) };
        Ok(match row.try_get::<Option<String>, _>(0)? {
            Some(by) => Beat::Stopped(by),
            None => Beat::Held,
        })
    }

    /// Ends work and writes what follows from it, all or nothing. `false` where the lease was lost: then nothing is written.
    pub async fn finish(
        &self,
        held: &Lease,
        outcome: &Outcome,
        changes: &[Change],
        now: Utc,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let (state, pause, why, back) = match outcome {
            Outcome::Done => ("done", Duration::ZERO, None, 0),
            Outcome::Failed { why } => ("failed", Duration::ZERO, Some(why), 0),
            Outcome::Again { after, why } => ("waiting", *after, Some(why), 0),
            Outcome::Released => ("waiting", Duration::ZERO, None, 1),
        };
        let not_before = after(now, pause);
        let ended = (state != "waiting").then(|| micros(now));
        let held = sqlx::query(
            "UPDATE jobs SET state = $1, not_before = $2, why = $3, ended = $4, owner = NULL, attempts = attempts - $5
             WHERE id = $6 AND fence = $7 AND state = 'running'",
        )
        .bind(state)
        .bind(not_before)
        // What a server said may hold a NUL, which PostgreSQL refuses.
        .bind(why.map(|why| why.replace('\0', "")))
        .bind(ended)
        .bind(i64::from(back))
        .bind(held.id)
        .bind(held.fence)
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            == 1;
        if !held {
            transaction.rollback().await?;
            return Ok(false);
        }
        for change in changes {
            self.write(&mut transaction, change, now).await?;
        }
        transaction.commit().await?;
        self.bell.notify_waiters();
        Ok(true)
    }

    /// Writes something down in the middle of work. `false` where the lease was lost: then nothing is written.
    pub async fn note(&self, held: &Lease, changes: &[Change], now: Utc) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // The row is touched, so that nobody claims it meanwhile.
        let held =
            sqlx::query("UPDATE jobs SET fence = fence WHERE id = $1 AND fence = $2 AND state = 'running'")
                .bind(held.id)
                .bind(held.fence)
                .execute(&mut *transaction)
                .await?
                .rows_affected()
                == 1;
        if held {
            for change in changes {
                self.write(&mut transaction, change, now).await?;
            }
        }
        transaction.commit().await?;
        Ok(held)
    }

    async fn write(
        &self,
        transaction: &mut Transaction<'_, Any>,
        change: &Change,
        now: Utc,
    ) -> Result<(), StoreError> {
        match change {
            Change::Enqueue(job) => {
                insert(transaction, job, now).await?;
            }
            Change::Thread { place, state } => {
                sqlx::query(
                    "INSERT INTO threads (place, state) VALUES ($1, $2)
                     ON CONFLICT (place) DO UPDATE SET state = excluded.state",
                )
                .bind(place.serial().unwrap_or_default())
                .bind(state.to_string())
                .execute(&mut **transaction)
                .await?;
            }
            Change::Case(case) => self.write_case(transaction, case, now).await?,
            Change::CaseEnded { case, state, verdict } => {
                sqlx::query("UPDATE cases SET state = $1, verdict = $2, ended = $3 WHERE id = $4")
                    .bind(state.name())
                    .bind(verdict.as_ref().map(ToString::to_string))
                    .bind(micros(now))
                    .bind(case.as_str())
                    .execute(&mut **transaction)
                    .await?;
            }
        }
        Ok(())
    }

    /// How much waits and how much runs, by class: (class, waiting, running).
    pub async fn depth(&self) -> Result<Vec<(String, i64, i64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT class, SUM(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END),
                SUM(CASE WHEN state = 'running' THEN 1 ELSE 0 END)
             FROM jobs WHERE state IN ('waiting', 'running') GROUP BY class",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
            .collect()
    }

    /// When work of a key is to be done, for tests and for people: (state, not before).
    pub async fn job(&self, key: &str) -> Result<Option<(String, Utc)>, StoreError> {
        let row = sqlx::query("SELECT state, not_before FROM jobs WHERE key = $1")
            .bind(key)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok((row.try_get(0)?, instant(row.try_get(1)?))))
            .transpose()
    }
}

/// Work of a version that this process does not know must not stand before everything else. While versions change, a
/// newer process takes it; after that nobody will.
async fn put_aside(
    transaction: &mut Transaction<'_, Any>,
    id: i64,
    why: &str,
    now: Utc,
) -> Result<(), StoreError> {
    const WHILE: Duration = Duration::from_mins(15);
    const ASIDE: Duration = Duration::from_secs(30);
    sqlx::query(
        "UPDATE jobs SET state = CASE WHEN created >= $1 THEN 'waiting' ELSE 'failed' END,
            ended = CASE WHEN created >= $1 THEN NULL ELSE $2 END,
            not_before = $3, why = $4, owner = NULL, attempts = attempts - 1 WHERE id = $5",
    )
    .bind(micros(now).saturating_sub(i64::try_from(WHILE.as_micros()).unwrap_or(i64::MAX)))
    .bind(micros(now))
    .bind(after(now, ASIDE))
    .bind(why)
    .bind(id)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Unix time of a moment so long after `now`, µs.
fn after(now: Utc, length: Duration) -> i64 {
    micros(now).saturating_add(i64::try_from(length.as_micros()).unwrap_or(i64::MAX))
}

/// Puts work in, once for every key.
async fn insert(transaction: &mut Transaction<'_, Any>, job: &NewJob, now: Utc) -> Result<bool, StoreError> {
    let work = serde_json::to_string(&job.work)?;
    let inserted = sqlx::query(
        "INSERT INTO jobs (key, class, serial, team, lane, work, state, not_before, due, created, lease_until, fence, attempts)
         VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $7, $8, 0, 0, 0) ON CONFLICT (key) DO NOTHING",
    )
    .bind(job.key.as_str())
    .bind(job.class().name())
    .bind(job.serial.as_deref())
    .bind(job.team.as_str())
    .bind(job.lane.as_str())
    .bind(work)
    .bind(micros(job.not_before.unwrap_or(now)))
    .bind(micros(now))
    .execute(&mut **transaction)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

fn read(row: &AnyRow) -> Result<Lease, StoreError> {
    let work: String = row.try_get(2)?;
    Ok(Lease {
        id: row.try_get(0)?,
        key: row.try_get(1)?,
        work: serde_json::from_str(&work)?,
        fence: row.try_get(3)?,
        attempts: u32::try_from(row.try_get::<i64, _>(4)?).unwrap_or(u32::MAX),
        created: instant(row.try_get(5)?),
    })
}
