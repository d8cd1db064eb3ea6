//! Flags of the commands that are no investigation.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ModelArgs, SnapshotArgs, SourceArgs, TimeArgs};
use crate::investigation::settings::LiveChoice;

#[derive(Debug, Args)]
pub(in crate::cli) struct AskArgs {
    /// The question, in your own words; a time in it is the window
    #[arg(required = true)]
    pub(in crate::cli) question: Vec<String>,
    /// The filter for the question, where the words are not to be read
    #[arg(long, value_name = "KFL")]
    pub(in crate::cli) kfl: Option<String>,
    /// Rows to show
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(in crate::cli) rows: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// When it began (default: what the question says; for --capture and --snapshot all of it)
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
    #[command(flatten)]
    pub(in crate::cli) live: LiveArgs,
    /// Never ask what an ambiguous time means
    #[arg(long)]
    pub(in crate::cli) no_input: bool,
    #[command(flatten)]
    pub(in crate::cli) snapshot: SnapshotArgs,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) time: TimeArgs,
    #[command(flatten)]
    pub(in crate::cli) model: ModelArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct LiveArgs {
    /// Ask live traffic and no snapshot: what the server dissected as it came (default: where that covers the window)
    #[arg(long, conflicts_with_all = ["snapshot", "no_live"])]
    pub(in crate::cli) live: bool,
    /// Ask a snapshot, also where live traffic covers the window
    #[arg(long)]
    pub(in crate::cli) no_live: bool,
    /// With --live: switch live dissection on where it is off
    #[arg(long)]
    pub(in crate::cli) yes: bool,
}

impl LiveArgs {
    pub(in crate::cli) fn choice(&self) -> LiveChoice {
        match (self.live, self.no_live) {
            (true, _) => LiveChoice::Only,
            (_, true) => LiveChoice::Never,
            _ => LiveChoice::WhereCovered,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CompareArgs {
    /// The window to compare with: a range such as `yesterday 3pm-4pm`
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    pub(in crate::cli) baseline: Option<String>,
    /// The snapshot to compare with
    #[arg(long, value_name = "NAME", conflicts_with = "baseline")]
    pub(in crate::cli) baseline_snapshot: Option<String>,
    /// A series: the same window so often before, as in 1d or 6h
    #[arg(long, value_name = "DURATION", requires = "last", conflicts_with_all = ["baseline", "baseline_snapshot"])]
    pub(in crate::cli) every: Option<String>,
    /// How far the series goes back, as in 7d
    #[arg(long, value_name = "DURATION", requires = "every")]
    pub(in crate::cli) last: Option<String>,
    /// When the window began (default for --capture and --snapshot: all of it)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) since: Option<String>,
    /// When it ended (default: at most an hour after --since)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "since")]
    pub(in crate::cli) until: Option<String>,
    /// Look at the calls to this namespace only
    #[arg(short, long)]
    pub(in crate::cli) namespace: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
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

#[derive(Debug, Args)]
pub(in crate::cli) struct ConfirmArgs {
    /// Id of the case, or its directory
    pub(in crate::cli) case: String,
    /// When the fresh window began (default: 15 minutes ago)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) since: Option<String>,
    /// When it ended (default: at most an hour after --since)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "since")]
    pub(in crate::cli) until: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Never ask what an ambiguous time means
    #[arg(long)]
    pub(in crate::cli) no_input: bool,
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) cases: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) snapshot: SnapshotArgs,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) time: TimeArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PcapArgs {
    /// A case: the packets of the workloads on the path that it found, with frame times and a request to send again
    pub(in crate::cli) case: Option<String>,
    /// Workloads, as NAMESPACE/NAME or NAME; the name is a regular expression. May be given several times
    #[arg(short, long, value_name = "NAMESPACE/NAME")]
    pub(in crate::cli) workload: Vec<String>,
    /// Workloads that have this label; several have to hold all
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub(in crate::cli) label: Vec<String>,
    /// Namespace of the workloads; without names all of it
    #[arg(short, long)]
    pub(in crate::cli) namespace: Option<String>,
    /// An address; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub(in crate::cli) ip: Vec<std::net::IpAddr>,
    /// Packet filter on top, as for tcpdump
    #[arg(long, value_name = "FILTER")]
    pub(in crate::cli) bpf: Option<String>,
    /// Only of this node; may be given several times
    #[arg(long, value_name = "NODE")]
    pub(in crate::cli) node: Vec<String>,
    /// When it began (default: the case's window; for --capture and --snapshot all of it)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) since: Option<String>,
    /// When it ended (default: at most an hour after --since)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "since")]
    pub(in crate::cli) until: Option<String>,
    /// The file to write (default: `CASE.pcap`, or `rca-` and the time); a description is written beside it as .md
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Never ask what an ambiguous time means
    #[arg(long)]
    pub(in crate::cli) no_input: bool,
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) cases: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) snapshot: SnapshotArgs,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) time: TimeArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// Id of the case, or its directory
    pub(in crate::cli) case: String,
    /// Check journal and report only; no server is reached
    #[arg(long)]
    pub(in crate::cli) offline: bool,
    /// Where the server does not have the snapshot any more, take it again, if its window is still recorded
    #[arg(long, conflicts_with = "offline")]
    pub(in crate::cli) retake: bool,
    /// Print what was found as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) cases: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SnapshotsArgs {
    #[command(subcommand)]
    pub(in crate::cli) action: Option<SnapshotsAction>,
    #[command(flatten)]
    pub(in crate::cli) list: SnapshotsListArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SnapshotsListArgs {
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) time: TimeArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SnapshotsAction {
    /// Freeze a window before the buffers overwrite it; one that covers it already is found instead
    Take(Box<SnapshotsTakeArgs>),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SnapshotsTakeArgs {
    /// Name of the new snapshot (default: `rca-` and the time)
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) name: Option<String>,
    /// Minutes kept on both sides of the window (default: as the playbook network-rca says)
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(0..=1440))]
    pub(in crate::cli) buffer: Option<u32>,
    /// When it began (default for --capture: all of it)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(in crate::cli) since: Option<String>,
    /// When it ended (default: at most an hour after --since)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "since")]
    pub(in crate::cli) until: Option<String>,
    /// Never ask what an ambiguous time means
    #[arg(long)]
    pub(in crate::cli) no_input: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) time: TimeArgs,
}
