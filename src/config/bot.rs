//! What the bot is told: who may ask what where, its database, its tokens.

use std::{collections::BTreeMap, env, fs};

use secrecy::SecretString;
use serde::Deserialize;

use super::variable;
use crate::error::AppError;

/// `xoxb-…`: speaks for the bot.
const BOT_TOKEN: &str = "SLACK_BOT_TOKEN";
/// `xapp-…`: opens Socket Mode.
const APP_TOKEN: &str = "SLACK_APP_TOKEN";
/// Proves that a request comes from Slack.
const SIGNING_SECRET: &str = "SLACK_SIGNING_SECRET";
/// Bearer token of the alert webhooks.
const WEBHOOK_TOKEN: &str = "RCA_WEBHOOK_TOKEN";
/// Connection string of the bot's database; may hold a password.
const DATABASE: &str = "RCA_DATABASE";
/// Where Slack's API is, for a proxy or a rehearsal.
const SLACK_API: &str = "SLACK_API_URL";
/// Tells this process from its fellows in the database; a pod's name by default.
const OWNER: &str = "RCA_OWNER";
const HOSTNAME: &str = "HOSTNAME";

/// Variables that only the bot itself needs: whatever it starts is not given them.
pub const BOT_SECRETS: &[&str] = &[
    BOT_TOKEN,
    APP_TOKEN,
    SIGNING_SECRET,
    WEBHOOK_TOKEN,
    DATABASE,
    "SLACK_BOT_TOKEN_FILE",
    "SLACK_APP_TOKEN_FILE",
    "SLACK_SIGNING_SECRET_FILE",
    "RCA_WEBHOOK_TOKEN_FILE",
    "RCA_DATABASE_FILE",
];

/// `[bot]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BotFile {
    /// `sqlite:PATH`; a connection string with a password belongs into the environment.
    pub database: Option<String>,
    /// Workspaces that may ask (`T…`); all that the app is installed in where none is named.
    pub teams: Vec<String>,
    /// People who may ask (`U…`); everybody where none is named.
    pub users: Vec<String>,
    /// People who may approve what changes state; whoever may ask, where none is named.
    pub approvers: Vec<String>,
    /// Exporting packets needs an approval too: they hold contents as they were.
    pub approve_pcap: bool,
    /// Whom people are told to ask for access.
    pub contact: Option<String>,
    /// Channels that may ask, by id; all where none is named.
    pub channels: BTreeMap<String, ChannelFile>,
    /// Where alerts go that name no channel, by its id.
    pub alerts: Option<String>,
    /// Seconds that a question of the bot waits for an answer before an assumption is made.
    pub patience_seconds: Option<u64>,
    /// Seconds after which an approval cannot be given any more.
    pub approval_seconds: Option<u64>,
    /// Investigations at once in this process.
    pub investigations: Option<usize>,
    /// Investigations at once for one workspace, and for one channel, over all processes.
    pub per_team: Option<u32>,
    pub per_channel: Option<u32>,
    /// Seconds after which the work of a process that is not heard of is taken over.
    pub lease_seconds: Option<u64>,
    /// Days that finished work stays in the database.
    pub keep_days: Option<u32>,
}

/// `[bot.channels.C…]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelFile {
    /// Namespaces that may be asked about here; all where none is named.
    pub namespaces: Vec<String>,
}

/// `[webhooks]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhooksFile {
    /// Receivers of Alertmanager, and the ids of the channels they mean.
    pub receivers: BTreeMap<String, String>,
    /// Other senders, by the name in the address.
    pub generic: BTreeMap<String, MappingFile>,
}

/// `[webhooks.generic.NAME]`: where in a sender's JSON each thing is, as JSON pointers (RFC 6901).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MappingFile {
    /// The same for every notification about the same thing.
    pub fingerprint: String,
    /// RFC 3339, or Unix seconds or milliseconds.
    pub starts: String,
    pub ends: Option<String>,
    /// Where it says `firing` or `resolved`; firing where this is left out.
    pub status: Option<String>,
    /// Words that mean that it is over.
    pub resolved: Vec<String>,
    pub summary: String,
    /// An object of strings.
    pub labels: Option<String>,
    /// Where alerts of this sender go: the id of a channel.
    pub channel: Option<String>,
}

/// All that the bot is told.
#[derive(Clone, Debug, Default)]
pub struct Bot {
    pub file: BotFile,
    pub webhooks: WebhooksFile,
    pub bot_token: Option<SecretString>,
    pub app_token: Option<SecretString>,
    pub signing_secret: Option<SecretString>,
    pub webhook_token: Option<SecretString>,
    pub database: Option<SecretString>,
    /// Base of Slack's API, where it is not Slack's own.
    pub api: Option<String>,
    /// This process among its fellows.
    pub owner: Option<String>,
}

impl Bot {
    /// Reads the environment and the files that it names.
    pub(super) fn load(file: BotFile, webhooks: WebhooksFile) -> Result<Self, AppError> {
        Ok(Self {
            bot_token: secret(BOT_TOKEN)?,
            app_token: secret(APP_TOKEN)?,
            signing_secret: secret(SIGNING_SECRET)?,
            webhook_token: secret(WEBHOOK_TOKEN)?,
            database: secret(DATABASE)?.or_else(|| file.database.clone().map(SecretString::from)),
            api: variable(SLACK_API),
            owner: variable(OWNER).or_else(|| variable(HOSTNAME)),
            file,
            webhooks,
        })
    }
}

/// A secret from a variable, or from the file that the variable with `_FILE` at its end names.
fn secret(name: &str) -> Result<Option<SecretString>, AppError> {
    if let Some(value) = variable(name) {
        return Ok(Some(SecretString::from(value)));
    }
    let named = format!("{name}_FILE");
    let Some(path) = env::var(&named).ok().filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let text = fs::read_to_string(&path).map_err(|error| {
        AppError::environment(format!("could not read the secret in `{path}`"))
            .because(&error)
            .hint(format!("{named} names it"))
    })?;
    Ok(Some(SecretString::from(text.trim().to_owned())))
}
