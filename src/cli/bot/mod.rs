//! `slack` and `serve`: the bot, over Socket Mode or over HTTP.

mod doctor;
mod runs;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use chrono::TimeDelta;
use secrecy::SecretString;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinSet,
    time::{interval, timeout},
};

use self::runs::Cases;
use super::{
    args::{BotArgs, ServeArgs, SlackArgs},
    investigate, output, playbooks, source,
};
pub(super) use doctor::examine;

use crate::{
    bot::{
        conversation::Policy,
        desk::Desk,
        gate::{self, Gate, Mapping, Ready},
        incoming::Accept,
        metrics::Metrics,
        slack::{
            Slack, SlackError,
            socket::{self, Connected},
            web::WebApi,
        },
        store::{Limits, Store},
        worker::{self, Handler, Now},
    },
    config::{Config, MappingFile},
    driver::Performed,
    error::AppError,
    time::Zone,
};

/// The Slack app, for whoever makes one.
const MANIFEST: &str = include_str!("../../../deploy/slack-manifest.yaml");

/// What is used where the configuration says nothing.
const INVESTIGATIONS: usize = 2;
const PER_TEAM: u32 = 8;
const PER_CHANNEL: u32 = 3;
const LEASE: Duration = Duration::from_secs(30);
const PATIENCE: u64 = 120;
const APPROVAL: u64 = 600;
const KEEP_DAYS: u32 = 30;

/// Answers at once in one process.
const SMALL: usize = 4;

/// How long work is waited for when the process ends.
const GRACE: Duration = Duration::from_secs(25);

/// What takes longer hangs: a reply waits for Slack a few times, a case for its budget and the server's jobs.
const LONGEST_SMALL: Duration = Duration::from_mins(15);
const LONGEST_LONG: Duration = Duration::from_hours(3);

/// Zones that are offered where Slack does not tell somebody's own.
const ZONES: &[&str] = &[
    "UTC",
    "America/New_York",
    "America/Los_Angeles",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Kolkata",
];

/// Where the bot hears.
struct Fronts {
    /// Slack, over a socket that we open.
    app_token: Option<SecretString>,
    /// Slack, over requests that it signs.
    signing: Option<SecretString>,
    listen: Option<SocketAddr>,
}

pub(super) async fn slack(config: &Config, args: &SlackArgs) -> Result<u8, AppError> {
    if args.manifest {
        return output::stdout(MANIFEST).map(|()| 0);
    }
    let Some(app_token) = config.bot.app_token.clone() else {
        return Err(AppError::usage("SLACK_APP_TOKEN is not set")
            .hint("it begins with xapp-: in the app's settings, Basic Information, App-Level Tokens, with the scope connections:write")
            .hint("`rca-agent slack --manifest` prints the app to make; docs/bot.md has all steps"));
    };
    let fronts = Fronts {
        app_token: Some(app_token),
        signing: None,
        listen: args.listen,
    };
    run(config, &args.bot, fronts).await
}

pub(super) async fn serve(config: &Config, args: &ServeArgs) -> Result<u8, AppError> {
    let bot = &config.bot;
    if bot.signing_secret.is_none() && bot.webhook_token.is_none() {
        return Err(
            AppError::usage("neither SLACK_SIGNING_SECRET nor RCA_WEBHOOK_TOKEN is set")
                .reason("without one of them nobody could be let in")
                .hint("the signing secret is in the app's settings, Basic Information, App Credentials")
                .hint("docs/bot.md has all steps"),
        );
    }
    let fronts = Fronts {
        app_token: None,
        signing: bot.signing_secret.clone(),
        listen: Some(args.listen),
    };
    run(config, &args.bot, fronts).await
}

/// Whether the database answers, and where it is used the socket is open.
struct Health {
    store: Store,
    connected: Option<Connected>,
}

impl Ready for Health {
    fn ready(&self) -> Performed<'_, Result<(), String>> {
        Box::pin(async move {
            if self.connected.as_ref().is_some_and(|connected| !connected.is()) {
                return Err("no socket to Slack is open".to_owned());
            }
            self.store
                .ping()
                .await
                .map_err(|_| "the database does not answer".to_owned())
        })
    }
}

/// Why Slack cannot be used, for whoever runs the bot.
pub(super) fn of_slack(error: &SlackError, token: &str) -> AppError {
    let failed = AppError::environment("could not sign in to Slack").because(error);
    match error {
        SlackError::Refused(word)
            if matches!(
                word.as_str(),
                "invalid_auth" | "not_authed" | "token_revoked" | "account_inactive"
            ) =>
        {
            failed.hint(format!(
                "{token} is wrong or was revoked: copy it from the app's settings once more"
            ))
        }
        SlackError::Refused(word) if word == "missing_scope" => failed.hint(
            "the token lacks a scope: `rca-agent doctor` says which; install the app again after adding it",
        ),
        _ => failed.hint("is https://slack.com reachable from here? A proxy is named by HTTPS_PROXY"),
    }
}

async fn run(config: &Config, args: &BotArgs, fronts: Fronts) -> Result<u8, AppError> {
    let Some(bot_token) = config.bot.bot_token.clone() else {
        return Err(AppError::usage("SLACK_BOT_TOKEN is not set")
            .hint("it begins with xoxb-: in the app's settings, OAuth & Permissions, after the app was installed")
            .hint("`rca-agent slack --manifest` prints the app to make; docs/bot.md has all steps"));
    };
    // Mistakes of the configuration are told now, and not in the middle of an incident.
    source::chosen(config, &args.source)?;
    if let Some(name) = &args.playbook {
        playbooks::named(name)?;
    }
    let metrics = Metrics::default();
    let base = config.bot.api.as_deref();
    let api =
        |token| WebApi::new(token, base, metrics.clone()).map_err(|error| of_slack(&error, "the token"));
    let web = api(bot_token)?;
    let me = web
        .me()
        .await
        .map_err(|error| of_slack(&error, "SLACK_BOT_TOKEN"))?;
    let cases = args.cases.clone().unwrap_or_else(|| config.cases.clone());
    std::fs::create_dir_all(&cases).map_err(|error| {
        AppError::environment(format!(
            "could not create the directory of cases `{}`",
            cases.display()
        ))
        .because(&error)
        .hint("`--cases DIR` or RCA_CASES names a directory that can be written")
    })?;
    let store = open(config, &cases).await?;
    let now: Now = Arc::new(investigate::system_now);
    let desk = Arc::new(Desk {
        store: store.clone(),
        slack: Arc::new(web) as Arc<dyn Slack>,
        runs: Arc::new(Cases {
            config: config.clone(),
            source: args.source.clone(),
            model: args.model.clone(),
            playbook: args.playbook.clone(),
        }),
        policy: policy(config, &me.team),
        me: me.user.clone(),
        cases,
        now: Arc::clone(&now),
        metrics: metrics.clone(),
    });
    let (close, closing) = watch::channel(false);
    let mut tasks: JoinSet<Result<(), AppError>> = JoinSet::new();
    let app = fronts.app_token.map(api).transpose()?;
    let connected = app.as_ref().map(|_| Connected::default());
    let accept = Arc::clone(&desk) as Arc<dyn Accept>;
    if let Some(address) = fronts.listen {
        let ready = Arc::new(Health {
            store: store.clone(),
            connected: connected.clone(),
        });
        let gate = Gate {
            accept: Arc::clone(&accept),
            ready,
            metrics: metrics.clone(),
            now: Arc::clone(&now),
            signing: fronts.signing,
            token: config.bot.webhook_token.clone(),
            receivers: config.bot.webhooks.receivers.clone(),
            generic: mappings(config),
        };
        listen(address, gate, closing.clone(), &mut tasks).await?;
    }
    if let (Some(app), Some(connected)) = (app, connected) {
        let (metrics, accept) = (metrics.clone(), Arc::clone(&accept));
        let (now, closing) = (Arc::clone(&now), closing.clone());
        tasks.spawn(async move {
            socket::listen(app, accept, connected, metrics, now, closing).await;
            Ok(())
        });
    }
    let settings = settings(config);
    let (work, days) = (Arc::clone(&desk) as Arc<dyn Handler>, config.bot.file.keep_days);
    let worker = worker::work(store.clone(), work, settings, Arc::clone(&now), closing.clone());
    tasks.spawn(async move {
        worker.await;
        Ok(())
    });
    tasks.spawn(housekeeping(
        store,
        metrics,
        now,
        days.unwrap_or(KEEP_DAYS),
        closing,
    ));
    output::stderr(&format!(
        "rca-agent is @{} in {}; stop with ctrl-c",
        crate::report::plain(&me.user_name),
        crate::report::plain(&me.team_name)
    ));
    until_the_end(tasks, &close).await
}

/// Waits until the process is asked to end, and hands over what is running.
async fn until_the_end(
    mut tasks: JoinSet<Result<(), AppError>>,
    close: &watch::Sender<bool>,
) -> Result<u8, AppError> {
    let ended = tokio::select! {
        () = asked_to_end() => Ok(()),
        // None of them ends by itself but with an error.
        Some(ended) = tasks.join_next() => ended.unwrap_or_else(|error| Err(AppError::new(crate::error::Kind::Bug, "a part of the bot broke off").because(&error))),
    };
    output::stderr("closing: what is running is handed over");
    let _ = close.send(true);
    let rest = timeout(GRACE + Duration::from_secs(5), async {
        while tasks.join_next().await.is_some() {}
    });
    if rest.await.is_err() {
        output::stderr("not everything ended in time; whoever starts next goes on with it");
    }
    ended.map(|()| 0)
}

/// The signals that ask a process to end.
async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Opens the database: the one that is named, or one beside the cases.
pub(super) async fn open(config: &Config, cases: &std::path::Path) -> Result<Store, AppError> {
    let beside: PathBuf = cases.join("bot.db");
    let url = config
        .bot
        .database
        .clone()
        .unwrap_or_else(|| SecretString::from(format!("sqlite:{}", beside.display())));
    Store::open(&url).await.map_err(|error| {
        AppError::environment("could not open the bot's database")
            .because(&error)
            .hint("RCA_DATABASE is `postgres://USER:PASSWORD@HOST/NAME` or `sqlite:PATH`; without it the database lies beside the cases")
    })
}

fn policy(config: &Config, team: &str) -> Policy {
    let file = &config.bot.file;
    let own = config
        .tz
        .as_deref()
        .and_then(Zone::named)
        .unwrap_or(config.system_zone);
    let mut zones = vec![own];
    for zone in ZONES.iter().filter_map(|name| Zone::named(name)) {
        if !zones.contains(&zone) {
            zones.push(zone);
        }
    }
    let seconds =
        |said: Option<u64>, default: u64| u32::try_from(said.unwrap_or(default)).unwrap_or(u32::MAX);
    Policy {
        teams: file.teams.clone(),
        channels: file.channels.keys().cloned().collect(),
        users: file.users.clone(),
        namespaces: file
            .channels
            .iter()
            .filter(|(_, channel)| !channel.namespaces.is_empty())
            .map(|(id, channel)| (id.clone(), channel.namespaces.clone()))
            .collect(),
        approvers: file.approvers.clone(),
        approve_pcap: file.approve_pcap,
        per_team: file.per_team.unwrap_or(PER_TEAM),
        patience: seconds(file.patience_seconds, PATIENCE),
        approval: seconds(file.approval_seconds, APPROVAL),
        alert_channel: file.alerts.clone(),
        alert_team: Some(team.to_owned()),
        zones,
        contact: file.contact.clone(),
    }
}

fn settings(config: &Config) -> worker::Settings {
    let file = &config.bot.file;
    worker::Settings {
        owner: config
            .bot
            .owner
            .clone()
            .unwrap_or_else(|| format!("process {}", std::process::id())),
        small: SMALL,
        long: file.investigations.unwrap_or(INVESTIGATIONS).max(1),
        lease: file
            .lease_seconds
            .map_or(LEASE, |seconds| Duration::from_secs(seconds.clamp(3, 600))),
        idle: Duration::from_millis(500),
        attempts: 6,
        limits: Limits {
            per_team: file.per_team.unwrap_or(PER_TEAM),
            per_lane: file.per_channel.unwrap_or(PER_CHANNEL),
        },
        grace: GRACE,
        longest_small: LONGEST_SMALL,
        longest_long: LONGEST_LONG,
    }
}

/// Serves over HTTP, from the moment that this returns.
async fn listen(
    address: SocketAddr,
    gate: Gate,
    closing: watch::Receiver<bool>,
    tasks: &mut JoinSet<Result<(), AppError>>,
) -> Result<(), AppError> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| AppError::environment(format!("could not listen on {address}")).because(&error))?;
    let bound = listener.local_addr().map_or(address, |bound| bound);
    output::stderr(&format!("listening on http://{bound}"));
    tasks.spawn(async move {
        gate::serve(gate, listener, closing)
            .await
            .map_err(|error| AppError::environment("could not serve over HTTP").because(&error))
    });
    Ok(())
}

fn mappings(config: &Config) -> BTreeMap<String, Mapping> {
    let files = &config.bot.webhooks.generic;
    files
        .iter()
        .map(|(name, file)| (name.clone(), mapping(file)))
        .collect()
}

fn mapping(file: &MappingFile) -> Mapping {
    Mapping {
        fingerprint: file.fingerprint.clone(),
        starts: file.starts.clone(),
        ends: file.ends.clone(),
        status: file.status.clone(),
        resolved: file.resolved.clone(),
        summary: file.summary.clone(),
        labels: file.labels.clone(),
        channel: file.channel.clone(),
    }
}

/// Tells the metrics how much there is to do, and forgets what is old.
async fn housekeeping(
    store: Store,
    metrics: Metrics,
    now: Now,
    days: u32,
    mut closing: watch::Receiver<bool>,
) -> Result<(), AppError> {
    let mut looks = interval(Duration::from_secs(10));
    let mut sweeps = interval(Duration::from_hours(1));
    loop {
        tokio::select! {
            _ = looks.tick() => match store.depth().await {
                Ok(depth) => metrics.queue(&depth),
                Err(error) => tracing::warn!(%error, "the queue was not counted"),
            },
            _ = sweeps.tick() => {
                // Never less than a day: a late retry of Slack has to be recognised.
                let before = now() - TimeDelta::days(i64::from(days.max(1)));
                match store.sweep(before).await {
                    Ok(gone) => tracing::debug!(gone, "old work was forgotten"),
                    Err(error) => tracing::warn!(%error, "old work was not forgotten"),
                }
            }
            _ = closing.changed() => return Ok(()),
        }
    }
}
