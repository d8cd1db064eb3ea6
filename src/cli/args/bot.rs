//! `slack` and `serve`.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{ModelArgs, SourceArgs};

/// What both ways to run the bot take.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct BotArgs {
    /// Workflow of the investigations: a name that `rca-agent playbooks` lists, or a file
    #[arg(long, value_name = "NAME|FILE")]
    pub(in crate::cli) playbook: Option<String>,
    /// Directory of cases (default: `cases`, or RCA_CASES)
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) cases: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) model: ModelArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SlackArgs {
    /// Print the manifest of the Slack app and end
    #[arg(long)]
    pub(in crate::cli) manifest: bool,
    /// Also serve health, readiness, metrics and the alert webhooks here
    #[arg(long, value_name = "ADDR")]
    pub(in crate::cli) listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(in crate::cli) bot: BotArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ServeArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(in crate::cli) listen: SocketAddr,
    #[command(flatten)]
    pub(in crate::cli) bot: BotArgs,
}
