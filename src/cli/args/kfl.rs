//! `kfl` and what it does.

use clap::{Args, Subcommand, ValueEnum};

use super::{SnapshotArgs, SourceArgs, TimeArgs};

#[derive(Debug, Args)]
pub(in crate::cli) struct KflArgs {
    #[command(subcommand)]
    pub(in crate::cli) action: KflAction,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KflAction {
    /// Check a filter: names, types, units; exit status 1 where it is wrong
    Check {
        filter: String,
        /// Print what was found as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say in plain words what a filter matches
    Explain {
        filter: String,
        #[arg(long)]
        json: bool,
    },
    /// Count exactly what a filter matches, or show how that would be done
    ///
    /// Example: rca-agent kfl count 'http && status_code >= 500' --since '1 hour ago' --by time,service
    ///
    /// A list of Kubeshark holds a thousand rows and no cursor, so the numbers are found by counting queries,
    /// over a snapshot, once it is proven that the server counts every match. Exit status 3 where a part stayed unknown.
    Count(Box<CountArgs>),
    /// List the fields of the language
    Fields {
        /// Part of a name, a group or a note
        pattern: Option<String>,
        #[arg(long)]
        json: bool,
    },
}

/// What calls are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum By {
    /// The service called
    Service,
    /// The service that called
    Caller,
    /// The namespace called
    Namespace,
    /// The hundreds of the HTTP status
    Status,
    /// Bins of time
    Time,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CountArgs {
    /// KFL; empty counts all calls
    pub(in crate::cli) filter: String,
    /// Count apart; several with commas
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(in crate::cli) by: Vec<By>,
    /// Width of the bins of time, as in 30s or 5m (default: 30 bins at most)
    #[arg(long, value_name = "DURATION")]
    pub(in crate::cli) every: Option<String>,
    /// Show the plan, and ask none of it
    #[arg(long)]
    pub(in crate::cli) explain: bool,
    /// Print what was counted as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// When it began (default for --capture: all of it)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) since: Option<String>,
    /// When it ended (default: at most an hour after --since)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "since")]
    pub(in crate::cli) until: Option<String>,
    /// Tool calls that the counting may take
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(in crate::cli) budget_calls: u32,
    /// Bytes of answers that the counting may take
    #[arg(long, value_name = "N", default_value_t = 4_000_000)]
    pub(in crate::cli) budget_bytes: u64,
    /// Never ask what an ambiguous time means
    #[arg(long)]
    pub(in crate::cli) no_input: bool,
    #[command(flatten)]
    pub(in crate::cli) snapshot: SnapshotArgs,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) time: TimeArgs,
}
