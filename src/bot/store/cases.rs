//! Cases that were asked for, what people said of them, and their files.

use sqlx::{Any, Row, Transaction, any::AnyRow};

use super::{Lease, Store, StoreError, instant, micros};
use crate::{
    bot::{
        person::{Person, Place},
        work::{Request, Work},
    },
    time::Utc,
};

/// How far a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseState {
    Waiting,
    Running,
    Done,
    Stopped,
    Failed,
}

impl CaseState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing more will come of it.
    pub fn ended(self) -> bool {
        matches!(self, Self::Done | Self::Stopped | Self::Failed)
    }

    fn named(name: &str) -> Self {
        match name {
            "waiting" => Self::Waiting,
            "running" => Self::Running,
            "done" => Self::Done,
            "stopped" => Self::Stopped,
            _ => Self::Failed,
        }
    }
}

/// A case that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCase {
    pub id: String,
    pub at: Place,
    pub by: Person,
    /// Key of the message that shows it.
    pub message: String,
    /// Untrusted.
    pub question: String,
    /// Of the alert that asked for it.
    pub fingerprint: Option<String>,
    /// Key of the work that investigates it.
    pub job: String,
}

/// A case, as far as the bot knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseRow {
    pub case: NewCase,
    pub state: CaseState,
    /// What is said of it in one line, and what a follow-up needs.
    pub verdict: Option<serde_json::Value>,
    pub created: Utc,
    pub ended: Option<Utc>,
    pub stopped_by: Option<String>,
}

const COLUMNS: &str = "id, team, channel, thread, person, message, question, fingerprint, job, state, verdict, created, ended, stopped_by";

impl Store {
    pub(super) async fn write_case(
        &self,
        transaction: &mut Transaction<'_, Any>,
        case: &NewCase,
        now: Utc,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO cases (id, team, channel, thread, person, message, question, fingerprint, job, state, created)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', $10) ON CONFLICT (id) DO NOTHING",
        )
        .bind(case.id.as_str())
        .bind(case.at.team.as_str())
        .bind(case.at.channel.as_str())
        .bind(case.at.thread.as_deref())
        .bind(case.by.user.as_str())
        .bind(case.message.as_str())
        .bind(case.question.as_str())
        .bind(case.fingerprint.as_deref())
        .bind(case.job.as_str())
        .bind(micros(now))
        .execute(&mut **transaction)
        .await?;
        sqlx::query(
            "INSERT INTO threads (place, case_id) VALUES ($1, $2)
             ON CONFLICT (place) DO UPDATE SET case_id = excluded.case_id",
        )
        .bind(case.at.serial().unwrap_or_default())
        .bind(case.id.as_str())
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    pub async fn case(&self, id: &str) -> Result<Option<CaseRow>, StoreError> {
        self.cases("WHERE id = $1", &[id])
            .await
            .map(|mut found| found.pop())
    }

    /// What was asked for when a case was opened.
    pub async fn request(&self, case: &str) -> Result<Option<Request>, StoreError> {
        let work: Option<String> =
            sqlx::query_scalar("SELECT work FROM jobs WHERE key = (SELECT job FROM cases WHERE id = $1)")
                .bind(case)
                .fetch_optional(&self.pool)
                .await?;
        Ok(match work.map(|text| serde_json::from_str(&text)).transpose()? {
            Some(Work::Investigate { request }) => Some(*request),
            _ => None,
        })
    }

    /// What is known of a thread, and the case that it is about.
    pub async fn thread(
        &self,
        place: &Place,
    ) -> Result<(Option<serde_json::Value>, Option<CaseRow>), StoreError> {
        let Some(serial) = place.serial() else {
            return Ok((None, None));
        };
        let row = sqlx::query("SELECT state, case_id FROM threads WHERE place = $1")
            .bind(serial)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok((None, None)) };
        let state: Option<String> = row.try_get(0)?;
        let state = state.map(|text| serde_json::from_str(&text)).transpose()?;
        let case = match row.try_get::<Option<String>, _>(1)? {
            Some(id) => self.case(&id).await?,
            None => None,
        };
        Ok((state, case))
    }

    /// The cases that somebody asked for, the newest first.
    pub async fn cases_of(&self, person: &Person) -> Result<Vec<CaseRow>, StoreError> {
        self.cases(
            "WHERE team = $1 AND person = $2 ORDER BY created DESC LIMIT 10",
            &[&person.team, &person.user],
        )
        .await
    }

    /// The cases that an alert asked for, the newest first.
    pub async fn cases_of_alert(&self, fingerprint: &str) -> Result<Vec<CaseRow>, StoreError> {
        self.cases(
            "WHERE fingerprint = $1 ORDER BY created DESC LIMIT 20",
            &[fingerprint],
        )
        .await
    }

    async fn cases(&self, condition: &str, values: &[&str]) -> Result<Vec<CaseRow>, StoreError> {
        let statement = format!("SELECT {COLUMNS} FROM cases {condition}");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for value in values {
            query = query.bind((*value).to_owned());
        }
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(read).collect()
    }

    /// How many investigations wait or run for a workspace.
    pub async fn ahead(&self, team: &str) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM cases WHERE team = $1 AND state IN ('waiting', 'running')",
        )
        .bind(team)
        .fetch_one(&self.pool)
        .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Asks that a case end. One that waits ends at once: `true`. One that runs hears of it at its next beat.
    pub async fn stop(&self, case: &str, by: &str, now: Utc) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let waiting = sqlx::query(
            "UPDATE jobs SET state = 'done', ended = $1, why = 'stopped'
             WHERE key = (SELECT job FROM cases WHERE id = $2) AND state = 'waiting'",
        )
        .bind(micros(now))
        .bind(case)
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            == 1;
        if waiting {
            sqlx::query("UPDATE cases SET state = 'stopped', ended = $1, stopped_by = $2 WHERE id = $3")
                .bind(micros(now))
                .bind(by)
                .bind(case)
                .execute(&mut *transaction)
                .await?;
        } else {
            sqlx::query(
                "UPDATE jobs SET stop_by = $1 WHERE key = (SELECT job FROM cases WHERE id = $2) AND state = 'running'",
            )
            .bind(by)
            .bind(case)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(waiting)
    }

    /// Keeps what somebody says of a case's cause; the last word of a person counts.
    pub async fn feedback(&self, case: &str, by: &Person, right: bool, now: Utc) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO feedback (case_id, person, was_right, said) VALUES ($1, $2, $3, $4)
             ON CONFLICT (case_id, person) DO UPDATE SET was_right = excluded.was_right, said = excluded.said",
        )
        .bind(case)
        .bind(by.user.as_str())
        .bind(i64::from(right))
        .bind(micros(now))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What people said of cases: (case, person, right), the oldest first.
    pub async fn feedback_given(&self) -> Result<Vec<(String, String, bool)>, StoreError> {
        let rows = sqlx::query("SELECT case_id, person, was_right FROM feedback ORDER BY said")
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get::<i64, _>(2)? == 1)))
            .collect()
    }

    /// How much of a case's file is here, bytes.
    pub async fn shipped(&self, case: &str) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = sqlx::query("SELECT name, SUM(LENGTH(bytes)) FROM files WHERE case_id = $1 GROUP BY name")
            .bind(case)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                let size: i64 = row.try_get(1)?;
                Ok((row.try_get(0)?, u64::try_from(size).unwrap_or(0)))
            })
            .collect()
    }

    /// Keeps a piece of a case's file, from byte `start` on; only while the lease is held.
    pub async fn ship(
        &self,
        held: &Lease,
        case: &str,
        name: &str,
        start: u64,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO files (case_id, name, start, bytes)
             SELECT $1, $2, $3, $4 FROM jobs WHERE id = $5 AND fence = $6 AND state = 'running'
             ON CONFLICT (case_id, name, start) DO NOTHING",
        )
        .bind(case)
        .bind(name)
        .bind(i64::try_from(start).unwrap_or(i64::MAX))
        .bind(bytes.to_vec())
        .bind(held.id)
        .bind(held.fence)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The files of a case as far as they were kept, whole pieces in their order.
    pub async fn files(&self, case: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let rows = sqlx::query("SELECT name, bytes FROM files WHERE case_id = $1 ORDER BY name, start")
            .bind(case)
            .fetch_all(&self.pool)
            .await?;
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for row in rows {
            let (name, bytes): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            match files.last_mut() {
                Some((last, all)) if *last == name => all.extend(bytes),
                _ => files.push((name, bytes)),
            }
        }
        Ok(files)
    }
}

fn read(row: &AnyRow) -> Result<CaseRow, StoreError> {
    let team: String = row.try_get(1)?;
    let state: String = row.try_get(9)?;
    let verdict: Option<String> = row.try_get(10)?;
    Ok(CaseRow {
        case: NewCase {
            id: row.try_get(0)?,
            at: Place {
                team: team.clone(),
                channel: row.try_get(2)?,
                thread: row.try_get(3)?,
            },
            by: Person {
                team,
                user: row.try_get(4)?,
            },
            message: row.try_get(5)?,
            question: row.try_get(6)?,
            fingerprint: row.try_get(7)?,
            job: row.try_get(8)?,
        },
        state: CaseState::named(&state),
        verdict: verdict.map(|text| serde_json::from_str(&text)).transpose()?,
        created: instant(row.try_get(11)?),
        ended: row.try_get::<Option<i64>, _>(12)?.map(instant),
        stopped_by: row.try_get(13)?,
    })
}
