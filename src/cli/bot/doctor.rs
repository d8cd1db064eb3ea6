//! What `doctor` says of the bot: tokens, scopes, the database.

use secrecy::SecretString;

use super::of_slack;
use crate::{
    bot::{
        metrics::Metrics,
        slack::{
            SCOPES, SlackError,
            web::{Me, WebApi},
        },
    },
    config::Config,
    error::AppError,
};

/// One part, how it is, and what to do about it.
pub(in crate::cli) struct Found {
    pub(in crate::cli) part: &'static str,
    pub(in crate::cli) well: bool,
    pub(in crate::cli) what: String,
    pub(in crate::cli) hints: Vec<String>,
}

impl Found {
    fn well(part: &'static str, what: String) -> Self {
        Self {
            part,
            well: true,
            what,
            hints: Vec::new(),
        }
    }

    fn bad(part: &'static str, error: AppError) -> Self {
        let because = error
            .because
            .first()
            .map_or_else(String::new, |why| format!(": {why}"));
        Self {
            part,
            well: false,
            what: format!("{}{because}", error.what),
            hints: error.hints,
        }
    }
}

/// Looks at what is configured; nothing where nothing is.
pub(in crate::cli) async fn examine(config: &Config) -> Vec<Found> {
    let bot = &config.bot;
    let mut found = Vec::new();
    if let Some(token) = &bot.bot_token {
        found.push(match signed_in(config, token).await {
            Ok(me) => of_scopes(&me),
            Err(error) => Found::bad("slack", of_slack(&error, "SLACK_BOT_TOKEN")),
        });
    }
    if let Some(token) = &bot.app_token {
        let opened = match client(config, token) {
            Ok(api) => api.socket().await.map(|_| ()),
            Err(error) => Err(error),
        };
        found.push(match opened {
            Ok(()) => Found::well("slack socket", "Socket Mode opens".to_owned()),
            Err(error) => Found::bad("slack socket", of_slack(&error, "SLACK_APP_TOKEN")),
        });
    }
    if bot.bot_token.is_some() && bot.app_token.is_none() && bot.signing_secret.is_none() {
        let error = AppError::environment("neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set")
            .hint("the first one is for `rca-agent slack`, the second one for `rca-agent serve`");
        found.push(Found::bad("slack events", error));
    }
    if bot.database.is_some() {
        found.push(match super::open(config, &config.cases).await {
            Ok(store) => {
                let kind = if store.shared() {
                    "PostgreSQL answers: several replicas may share it"
                } else {
                    "SQLite opens: for one process"
                };
                Found::well("bot database", kind.to_owned())
            }
            Err(error) => Found::bad("bot database", error),
        });
    }
    found
}

fn client(config: &Config, token: &SecretString) -> Result<WebApi, SlackError> {
    WebApi::new(token.clone(), config.bot.api.as_deref(), Metrics::default())
}

async fn signed_in(config: &Config, token: &SecretString) -> Result<Me, SlackError> {
    client(config, token)?.me().await
}

/// Whether the token has every scope that is used.
fn of_scopes(me: &Me) -> Found {
    let who = format!("@{} in {}", me.user_name, me.team_name);
    let mut missing: Vec<&str> = SCOPES
        .iter()
        .map(|(_, scope)| *scope)
        .filter(|scope| !me.scopes.iter().any(|held| held == scope))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return Found::well("slack", format!("{who}, with every scope that is used"));
    }
    let error = AppError::environment(format!("{who} lacks the scopes {}", missing.join(", ")))
        .hint("add them in the app's settings, OAuth & Permissions, and install the app again");
    Found::bad("slack", error)
}
