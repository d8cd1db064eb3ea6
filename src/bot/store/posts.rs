//! Messages, each posted once.

use sqlx::Row;

use super::{Store, StoreError, micros};
use crate::{bot::person::Place, time::Utc};

/// Whether a message was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Post {
    New,
    /// Somebody began to, and nobody knows whether Slack took it.
    Begun,
    /// Its time stamp.
    Posted(String),
}

impl Store {
    /// Says that a message is about to be posted, or that it was.
    pub async fn begin_post(&self, key: &str, at: &Place, now: Utc) -> Result<Post, StoreError> {
        let new = sqlx::query(
            "INSERT INTO posts (key, place, begun) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING",
        )
        .bind(key)
        .bind(serde_json::to_string(at)?)
        .bind(micros(now))
        .execute(&self.pool)
        .await?
        .rows_affected()
            == 1;
        if new {
            return Ok(Post::New);
        }
        let ts: Option<String> = sqlx::query_scalar("SELECT ts FROM posts WHERE key = $1")
            .bind(key)
            .fetch_one(&self.pool)
            .await?;
        Ok(ts.map_or(Post::Begun, Post::Posted))
    }

    /// Says that Slack took it.
    pub async fn end_post(&self, key: &str, ts: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE posts SET ts = $1 WHERE key = $2")
            .bind(ts)
            .bind(key)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Says that Slack refused it, so that it is new once more.
    pub async fn undo_post(&self, key: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM posts WHERE key = $1 AND ts IS NULL")
            .bind(key)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Where a message is: the place it was posted into, and its time stamp.
    pub async fn posted(&self, key: &str) -> Result<Option<(Place, String)>, StoreError> {
        let row = sqlx::query("SELECT place, ts FROM posts WHERE key = $1 AND ts IS NOT NULL")
            .bind(key)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let place: String = row.try_get(0)?;
        Ok(Some((serde_json::from_str(&place)?, row.try_get(1)?)))
    }
}
