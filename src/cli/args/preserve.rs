//! `preserve` and `restore`.

use std::path::PathBuf;

use clap::Args;

use super::{SourceArgs, TimeArgs};

#[derive(Debug, Args)]
pub(in crate::cli) struct PreserveArgs {
    /// A case: its snapshot, and with --out its packets and its files
    #[arg(required_unless_present = "snapshot")]
    pub(in crate::cli) case: Option<String>,
    /// A snapshot, by name or id
    #[arg(long, value_name = "NAME", conflicts_with = "case")]
    pub(in crate::cli) snapshot: Option<String>,
    /// Keep the case, its packets and a list of hashes in this directory, which must not be there yet
    #[arg(long, value_name = "DIR", requires = "case")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Keep files only: nothing is sent to cloud storage
    #[arg(long, requires = "out")]
    pub(in crate::cli) no_upload: bool,
    /// Approve that the snapshot is sent to cloud storage
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) cases: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) time: TimeArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RestoreArgs {
    /// The snapshot in cloud storage, by name or id
    pub(in crate::cli) snapshot: String,
    /// Investigate it when it is here: the question, which may be empty
    #[arg(long, value_name = "QUESTION")]
    pub(in crate::cli) investigate: Option<String>,
    /// When it began, for --investigate (default: all of the snapshot)
    #[arg(
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        requires = "investigate"
    )]
    pub(in crate::cli) since: Option<String>,
    /// When it ended, for --investigate
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "since")]
    pub(in crate::cli) until: Option<String>,
    /// Approve that the snapshot is brought to this Hub
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "investigate")]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) time: TimeArgs,
}
