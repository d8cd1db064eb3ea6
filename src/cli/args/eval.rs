//! The command line of `eval`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{ModelArgs, SourceArgs};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct EvalArgs {
    #[command(subcommand)]
    pub(in crate::cli) action: Option<EvalAction>,
    #[command(flatten)]
    pub(in crate::cli) run: EvalRunArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum EvalAction {
    /// List the cases
    List(EvalsArgs),
    /// Record the sessions of cases: against the embedded hub, or against a server
    Record(EvalRecordArgs),
    /// Make a case of a finished investigation: redacted, with the truth to be filled in
    ///
    /// Example: rca-agent eval adopt 2026-03-14-1823-k7 --name payments-down --cause shop/payment-db --kind refused
    Adopt(EvalAdoptArgs),
    /// Print the JSON Schema of case.yaml, for editors
    Schema,
}

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct EvalsArgs {
    /// Directory of cases
    #[arg(long, value_name = "DIR", default_value = "evals")]
    pub(in crate::cli) evals: PathBuf,
}

/// Where answers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TierArg {
    /// The recorded session, through today's code
    Replay,
    /// The embedded hub over the capture of the case
    Hub,
    /// A server that is named, or the embedded hub
    Live,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct EvalRunArgs {
    /// Names of cases (default: all)
    pub(in crate::cli) cases: Vec<String>,
    /// Only cases with this tag; several are all needed
    #[arg(long, value_name = "TAG")]
    pub(in crate::cli) tag: Vec<String>,
    /// Where the answers come from
    #[arg(long, value_enum, default_value = "replay")]
    pub(in crate::cli) tier: TierArg,
    /// Replays match words for people and every ruling too, not only what decides the answers
    #[arg(long)]
    pub(in crate::cli) exact: bool,
    /// Run each case so often
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1000))]
    pub(in crate::cli) runs: usize,
    /// Cases run at once (default: one a core)
    #[arg(short, long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=256))]
    pub(in crate::cli) jobs: Option<usize>,
    #[command(flatten)]
    pub(in crate::cli) chosen: EvalsArgs,
    /// Write all numbers as JSON into this file; `-` prints them instead of the table
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(in crate::cli) json: Option<PathBuf>,
    /// Write JUnit XML into this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(in crate::cli) junit: Option<PathBuf>,
    /// Append a summary in Markdown to this file, as for the page of a CI job
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(in crate::cli) summary: Option<PathBuf>,
    /// Keep the journals of new runs in this directory
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(in crate::cli) keep: Option<PathBuf>,
    /// Compare with the JSON of an earlier run; a case that got worse is a failure
    #[arg(long, value_name = "BASE.json", help_heading = "Thresholds")]
    pub(in crate::cli) compare: Option<PathBuf>,
    /// Share of the runs that has to pass, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = share, help_heading = "Thresholds")]
    pub(in crate::cli) min_rate: f64,
    /// Least mean score, 0 to 1
    #[arg(long, value_name = "SCORE", value_parser = share, help_heading = "Thresholds")]
    pub(in crate::cli) min_score: Option<f64>,
    /// Most runs that may blame somebody wrong
    #[arg(long, value_name = "N", help_heading = "Thresholds")]
    pub(in crate::cli) max_wrong_causes: Option<u64>,
    /// Greatest Brier score of the confidences, 0 to 1
    #[arg(long, value_name = "SCORE", value_parser = share, help_heading = "Thresholds")]
    pub(in crate::cli) max_brier: Option<f64>,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) model: ModelArgs,
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a number from 0 to 1 is needed".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct EvalRecordArgs {
    /// Names of cases
    #[arg(required_unless_present = "all")]
    pub(in crate::cli) cases: Vec<String>,
    /// All cases that have a capture
    #[arg(long, conflicts_with = "cases")]
    pub(in crate::cli) all: bool,
    #[command(flatten)]
    pub(in crate::cli) chosen: EvalsArgs,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct EvalAdoptArgs {
    /// Id of the finished investigation, or its directory
    pub(in crate::cli) case: String,
    /// Name of the new case (default: the id)
    #[arg(long)]
    pub(in crate::cli) name: Option<String>,
    /// The service that was the cause, as NAMESPACE/NAME; without it the truth is filled in by hand
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub(in crate::cli) cause: Option<String>,
    /// The kind of fault, as in the report
    #[arg(long, requires = "cause")]
    pub(in crate::cli) kind: Option<String>,
    /// When it began, as with `investigate --since`
    #[arg(long, value_name = "TIME", requires = "cause", allow_hyphen_values = true)]
    pub(in crate::cli) onset: Option<String>,
    /// Nothing was wrong
    #[arg(long, conflicts_with = "cause")]
    pub(in crate::cli) healthy: bool,
    #[command(flatten)]
    pub(in crate::cli) chosen: EvalsArgs,
    /// Directory of finished investigations (default: `cases`, or RCA_CASES)
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) cases: Option<PathBuf>,
}
