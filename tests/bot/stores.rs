//! Databases of one test each: SQLite in a directory, and PostgreSQL where `RCA_TEST_POSTGRES` names a server.

use std::{
    io::Write,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use chrono::{DateTime, TimeDelta};
use rca_agent::{
    bot::{
        incoming::{Delivery, DeliveryKind},
        person::{Person, Place},
        store::{Class, Lease, Limits, NewCase, NewJob, Store},
        work::{Follow, FollowUp, Request, Work},
    },
    time::{Reading, Utc, Window},
};
use serde_json::json;
use sqlx::{AnyConnection, Connection, PgConnection, Row};
use tempfile::TempDir;

pub(crate) const LEASE: std::time::Duration = std::time::Duration::from_mins(1);
pub(crate) const LIMITS: Limits = Limits {
    per_team: 100,
    per_lane: 100,
};

/// A database, and how to open it once more.
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) url: String,
    _dir: Option<TempDir>,
}

impl Opened {
    /// As another process has it.
    pub(crate) async fn again(&self) -> Store {
        Store::open(&self.url.clone().into()).await.unwrap()
    }

    /// Puts other words into the place of some work, and gives those that were there.
    pub(crate) async fn rewrite(&self, key: &str, work: &str) -> String {
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        let before = sqlx::query("SELECT work FROM jobs WHERE key = $1")
            .bind(key)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        sqlx::query("UPDATE jobs SET work = $1 WHERE key = $2")
            .bind(work)
            .bind(key)
            .execute(&mut connection)
            .await
            .unwrap();
        before.try_get(0).unwrap()
    }
}

/// A fresh database of each sort.
pub(crate) async fn databases() -> Vec<Opened> {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("bot.db").display());
    let mut all = vec![Opened {
        store: Store::open(&url.clone().into()).await.unwrap(),
        url,
        _dir: Some(dir),
    }];
    match std::env::var("RCA_TEST_POSTGRES") {
        Ok(server) => all.push(postgres(&server).await),
        Err(_) => left_out(),
    }
    all
}

/// Says, past the capturing of a test's output, that a test is not run on PostgreSQL.
pub(crate) fn left_out() {
    let test = std::thread::current();
    let name = test.name().unwrap_or("a test");
    let _ = writeln!(
        std::io::stderr(),
        "left out for want of a PostgreSQL (`.ci/postgres cargo test` brings one): {name}"
    );
}

/// A fresh database on a server.
pub(crate) async fn postgres(server: &str) -> Opened {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("rca_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    let url = format!("{base}/{name}");
    Opened {
        store: Store::open(&url.clone().into()).await.unwrap(),
        url,
        _dir: None,
    }
}

/// Seconds after some moment.
pub(crate) fn at(seconds: i64) -> Utc {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
}

pub(crate) fn place(channel: &str, thread: &str) -> Place {
    Place {
        team: "T1".to_owned(),
        channel: channel.to_owned(),
        thread: Some(thread.to_owned()),
    }
}

pub(crate) fn person(user: &str) -> Person {
    Person {
        team: "T1".to_owned(),
        user: user.to_owned(),
    }
}

/// Something that was said.
pub(crate) fn said(id: &str) -> Work {
    Work::Handle {
        delivery: Box::new(Delivery {
            id: id.to_owned(),
            kind: DeliveryKind::Event,
            received: at(0),
            body: json!({ "text": id }),
        }),
    }
}

pub(crate) fn handle(key: &str, place: &Place) -> NewJob {
    NewJob::new(key, said(key)).at(place)
}

pub(crate) fn investigate(key: &str, case: &str, place: &Place) -> NewJob {
    let request = Request {
        case: case.to_owned(),
        question: "why is checkout slow".to_owned(),
        since: "10:00".to_owned(),
        until: None,
        reading: Reading {
            window: Window {
                start: at(-3600),
                end: at(0),
            },
            assumptions: Vec::new(),
            ambiguities: Vec::new(),
        },
        zone: serde_json::from_value(json!("UTC")).unwrap(),
        now: at(0),
        namespace: None,
        service: None,
        by: person("U1"),
        at: place.clone(),
        message: format!("case:{case}"),
        notes: Vec::new(),
        namespaces: Vec::new(),
    };
    NewJob::new(
        key,
        Work::Investigate {
            request: Box::new(request),
        },
    )
    .at(place)
}

pub(crate) fn follow(key: &str, case: &str, place: &Place) -> NewJob {
    let follow = Follow {
        case: case.to_owned(),
        what: FollowUp::Pcap,
        by: person("U1"),
        at: place.clone(),
        message: key.to_owned(),
        zone: serde_json::from_value(json!("UTC")).unwrap(),
    };
    NewJob::new(
        key,
        Work::Follow {
            follow: Box::new(follow),
        },
    )
    .at(place)
}

pub(crate) fn case(id: &str, place: &Place, job: &str) -> NewCase {
    NewCase {
        id: id.to_owned(),
        at: place.clone(),
        by: person("U1"),
        message: format!("case:{id}"),
        question: "why is checkout slow".to_owned(),
        fingerprint: None,
        job: job.to_owned(),
    }
}

/// Takes a job, by `owner`.
pub(crate) async fn claim(store: &Store, owner: &str, class: Class, now: Utc) -> Option<Lease> {
    store.claim(owner, class, LEASE, LIMITS, now).await.unwrap()
}
