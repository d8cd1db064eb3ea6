//! The only place that reads the environment, the system's time zone and configuration files.
//!
//! Flags go over environment variables, these over `rca-agent.toml` of the working directory, that
//! over the one of the user's configuration directory.

mod bot;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde::Deserialize;

use crate::{
    error::AppError,
    time::{HourStyle, SystemZone, Zone},
};

pub use bot::{BOT_SECRETS, Bot, BotFile, ChannelFile, MappingFile, WebhooksFile};

/// Bearer token for Kubeshark's Hub.
pub const HUB_TOKEN: &str = "KUBESHARK_HUB_TOKEN";
/// Where cases are kept; `cases` in the working directory by default.
pub const CASES: &str = "RCA_CASES";
/// Like `--mcp-command`.
pub const MCP_COMMAND: &str = "RCA_MCP_COMMAND";
/// Like `--mcp-url`.
pub const MCP_URL: &str = "RCA_MCP_URL";
/// Like `--model`.
pub const MODEL: &str = "RCA_MODEL";
/// Like `--model-url`.
pub const MODEL_URL: &str = "RCA_MODEL_URL";
/// The key of the model's endpoint; without it the second one is read, then the file that `model.key_file` names.
pub const MODEL_KEY: &str = "RCA_MODEL_KEY";
pub const OPENAI_KEY: &str = "OPENAI_API_KEY";
/// Of buckets.
const AWS_ENDPOINT: &str = "AWS_ENDPOINT_URL";
const AWS_REGION: &str = "AWS_REGION";
const AWS_KEY: &str = "AWS_ACCESS_KEY_ID";
const AWS_SECRET: &str = "AWS_SECRET_ACCESS_KEY";
/// Like `--tz`.
pub const RCA_TZ: &str = "RCA_TZ";
/// Like `--dashboard`.
pub const DASHBOARD: &str = "RCA_DASHBOARD";
/// Set by CI services.
pub const CI: &str = "CI";
/// What is logged to stderr, in the syntax of tracing's `EnvFilter`.
pub const LOG: &str = "RCA_LOG";
/// `json` for a JSON object a line; text otherwise.
pub const LOG_FORMAT: &str = "RCA_LOG_FORMAT";
/// Where spans go, by the names that OpenTelemetry gives; its library reads them itself.
const OTLP: &[&str] = &[
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
];
/// Switches all telemetry off, by OpenTelemetry's name.
const OTLP_OFF: &str = "OTEL_SDK_DISABLED";
/// Name of the configuration file.
pub const FILE: &str = "rca-agent.toml";

/// `rca-agent.toml`. Every key is optional.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// IANA name of the zone.
    pub tz: Option<String>,
    /// Directory of cases.
    pub cases: Option<PathBuf>,
    /// Where Kubeshark's dashboard is.
    pub dashboard: Option<String>,
    pub mcp: McpFile,
    pub budget: BudgetFile,
    pub model: ModelFile,
    pub redact: RedactFile,
    pub bot: BotFile,
    pub webhooks: WebhooksFile,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct McpFile {
    pub command: Option<String>,
    pub url: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetFile {
    pub calls: Option<u32>,
    pub seconds: Option<u64>,
}

/// `[model]`: the language model, and what it may cost.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelFile {
    pub name: Option<String>,
    pub url: Option<String>,
    /// A file that holds the key and nothing else.
    pub key_file: Option<PathBuf>,
    pub temperature: Option<f64>,
    /// Value of `reasoning_effort`.
    pub effort: Option<String>,
    /// Further headers of every request.
    pub headers: BTreeMap<String, String>,
    pub calls: Option<u32>,
    /// Tokens in and out together.
    pub tokens: Option<u64>,
    /// In the currency of the prices.
    pub money: Option<f64>,
    /// Money for a million tokens.
    pub price_in: Option<f64>,
    pub price_out: Option<f64>,
    /// Tokens that the facts at the head of a prompt may take.
    pub digest_tokens: Option<u32>,
    /// One request may take so long, seconds.
    pub seconds: Option<u64>,
    /// First pause before a request is sent again, ms.
    pub pause_ms: Option<u64>,
}

impl ModelFile {
    /// What this file says, and where it does not what the outer one says.
    fn or(self, outer: Self) -> Self {
        Self {
            name: self.name.or(outer.name),
            url: self.url.or(outer.url),
            key_file: self.key_file.or(outer.key_file),
            temperature: self.temperature.or(outer.temperature),
            effort: self.effort.or(outer.effort),
            headers: outer.headers.into_iter().chain(self.headers).collect(),
            calls: self.calls.or(outer.calls),
            tokens: self.tokens.or(outer.tokens),
            money: self.money.or(outer.money),
            price_in: self.price_in.or(outer.price_in),
            price_out: self.price_out.or(outer.price_out),
            digest_tokens: self.digest_tokens.or(outer.digest_tokens),
            seconds: self.seconds.or(outer.seconds),
            pause_ms: self.pause_ms.or(outer.pause_ms),
        }
    }
}

/// `[redact]`: what else is a secret, beside what is known to be one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedactFile {
    /// Regular expressions; where one has a group, the group is the secret.
    pub patterns: Vec<String>,
    /// Names of headers and fields whose values are secrets.
    pub names: Vec<String>,
}

/// How buckets are reached; the variables are those of Amazon's own tools.
#[derive(Clone, Debug)]
pub struct S3 {
    pub endpoint: Option<String>,
    pub region: String,
    pub key: Option<String>,
    pub secret: Option<SecretString>,
}

/// Settings of the machine and of the user, before flags.
#[derive(Clone, Debug)]
pub struct Config {
    pub tz: Option<String>,
    pub cases: PathBuf,
    pub mcp_command: Option<String>,
    pub mcp_url: Option<String>,
    pub token: Option<SecretString>,
    pub dashboard: Option<String>,
    pub budget: BudgetFile,
    pub model: ModelFile,
    pub model_key: Option<SecretString>,
    pub redact: RedactFile,
    /// Of buckets that the embedded hub keeps snapshots in.
    pub s3: S3,
    /// The system's zone, and what is to be said about how it was found.
    pub system_zone: Zone,
    pub zone_notes: Vec<String>,
    pub hours: HourStyle,
    pub no_color: bool,
    /// This is a CI job.
    pub ci: bool,
    pub bot: Bot,
    pub log: Option<String>,
    pub log_format: LogFormat,
    /// Spans are exported.
    pub traces: bool,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

impl Config {
    /// Reads files and environment.
    pub fn load() -> Result<Self, AppError> {
        let mut user = env::home_dir().map(|home| home.join(".config"));
        if let Some(dir) = variable("XDG_CONFIG_HOME") {
            user = Some(PathBuf::from(dir));
        }
        let outer = user
            .map(|dir| dir.join("rca-agent").join(FILE))
            .map_or_else(|| Ok(File::default()), |path| read(&path))?;
        let inner = read(Path::new(FILE))?;
        let (system_zone, _, zone_notes) = system_zone();
        let mut model = inner.model.or(outer.model);
        model.name = variable(MODEL).or(model.name);
        model.url = variable(MODEL_URL).or(model.url);
        let model_key = model_key(&model)?;
        let mut redact = inner.redact;
        redact.patterns.extend(outer.redact.patterns);
        redact.names.extend(outer.redact.names);
        // Who may use the bot is said in one place, whole: two lists of permissions do not add up.
        let (bot, webhooks) = if inner.bot == BotFile::default() && inner.webhooks == WebhooksFile::default()
        {
            (outer.bot, outer.webhooks)
        } else {
            (inner.bot, inner.webhooks)
        };
        Ok(Self {
            tz: variable(RCA_TZ).or(inner.tz).or(outer.tz),
            cases: variable(CASES)
                .map(PathBuf::from)
                .or(inner.cases)
                .or(outer.cases)
                .unwrap_or_else(|| "cases".into()),
            mcp_command: variable(MCP_COMMAND).or(inner.mcp.command).or(outer.mcp.command),
            mcp_url: variable(MCP_URL).or(inner.mcp.url).or(outer.mcp.url),
            dashboard: variable(DASHBOARD).or(inner.dashboard).or(outer.dashboard),
            token: variable(HUB_TOKEN).map(SecretString::from),
            budget: BudgetFile {
                calls: inner.budget.calls.or(outer.budget.calls),
                seconds: inner.budget.seconds.or(outer.budget.seconds),
            },
            model,
            model_key,
            redact,
            s3: S3 {
                endpoint: variable(AWS_ENDPOINT),
                region: variable(AWS_REGION).unwrap_or_else(|| "us-east-1".to_owned()),
                key: variable(AWS_KEY),
                secret: variable(AWS_SECRET).map(SecretString::from),
            },
            system_zone,
            zone_notes,
            hours: HourStyle::from_locale(
                variable("LC_ALL").as_deref(),
                variable("LC_TIME").as_deref(),
                variable("LANG").as_deref(),
            ),
            no_color: variable("NO_COLOR").is_some(),
            ci: variable(CI).is_some_and(|value| value != "false"),
            bot: Bot::load(bot, webhooks)?,
            log: variable(LOG),
            log_format: match variable(LOG_FORMAT).as_deref() {
                Some("json") => LogFormat::Json,
                _ => LogFormat::Text,
            },
            traces: OTLP.iter().any(|name| variable(name).is_some())
                && variable(OTLP_OFF).is_none_or(|off| !off.eq_ignore_ascii_case("true")),
        })
    }
}

/// This program, to be started once more.
pub fn program() -> std::io::Result<PathBuf> {
    env::current_exe()
}

/// The key of the model's endpoint, from the environment or from a file.
fn model_key(model: &ModelFile) -> Result<Option<SecretString>, AppError> {
    let set = variable(MODEL_KEY).or_else(|| variable(OPENAI_KEY));
    if let Some(key) = set {
        return Ok(Some(SecretString::from(key)));
    }
    let Some(path) = &model.key_file else {
        return Ok(None);
    };
    let text = fs::read_to_string(path).map_err(|error| {
        AppError::environment(format!(
            "could not read the key of the model in `{}`",
            path.display()
        ))
        .because(&error)
        .hint("`model.key_file` in rca-agent.toml names it")
    })?;
    Ok(Some(SecretString::from(text.trim().to_owned())))
}

fn read(path: &Path) -> Result<File, AppError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(File::default()),
        Err(error) => {
            return Err(AppError::environment(format!(
                "could not read the configuration `{}`",
                path.display()
            ))
            .because(&error));
        }
    };
    toml::from_str(&text).map_err(|error| {
        AppError::usage(format!(
            "the configuration `{}` cannot be understood",
            path.display()
        ))
        .reason(error.to_string())
    })
}

/// The zone as the C library would find it: TZ, then /etc/localtime.
fn system_zone() -> (Zone, crate::time::ZoneSource, Vec<String>) {
    let tz = env::var("TZ").ok();
    let link = fs::read_link("/etc/localtime")
        .ok()
        .map(|path| path.to_string_lossy().into_owned());
    let bytes = if link.is_none() {
        fs::read("/etc/localtime").ok()
    } else {
        None
    };
    let named = fs::read_to_string("/etc/timezone").ok();
    let other = iana_time_zone::get_timezone().ok();
    Zone::from_system(SystemZone {
        tz_env: tz.as_deref(),
        localtime_link: link.as_deref(),
        localtime_bytes: bytes.as_deref(),
        etc_timezone: named.as_deref(),
        fallback: other.as_deref(),
    })
}
