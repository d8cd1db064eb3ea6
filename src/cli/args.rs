//! The command line. Nothing here does anything.

#![expect(
    clippy::doc_markdown,
    reason = "help is read on a terminal, where backquotes are noise"
)]

mod bot;
mod eval;
mod kfl;
mod orders;
mod preserve;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::investigation::settings::NamedSnapshot;
pub(super) use kfl::{By, CountArgs, KflAction, KflArgs};
pub(super) use orders::*;

pub(super) use bot::{BotArgs, ServeArgs, SlackArgs};
pub(super) use eval::{EvalAction, EvalAdoptArgs, EvalArgs, EvalRecordArgs, EvalRunArgs, TierArg};
pub(super) use preserve::{PreserveArgs, RestoreArgs};

/// Find out why an incident happened, from recorded Kubernetes network traffic
///
/// rca-agent asks a Kubeshark MCP server, or the embedded one over packet captures, and writes a
/// root cause report in your own time zone. It reads and records; it changes nothing in a cluster.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, after_long_help = AFTER)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) verbosity: Verbosity,
}

const AFTER: &str = "\
Exit status: 0 root cause found or no anomaly; 3 inconclusive or no data; 2 wrong usage;
1 the environment (no server, no permission, no capture); 4 a replay diverged, a case
does not verify or is not mended; 70 a bug.

Start with `rca-agent demo`: it needs no cluster, no key and no network.";

#[derive(Debug, Args)]
pub(super) struct Verbosity {
    /// Show no progress
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Log more to stderr; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Investigate a bundled capture; needs no cluster, no key, no network
    Demo(DemoArgs),
    /// Find what failed first, why, and how it spread
    ///
    /// Example: rca-agent investigate "why did checkout fail?" --since 3pm --until 3:30pm
    Investigate(Box<InvestigateArgs>),
    /// Serve packet captures as Kubeshark's MCP server does
    Hub(HubArgs),
    /// List, show and export investigations
    Cases(CasesArgs),
    /// Go on with an investigation that was interrupted
    Resume(ResumeArgs),
    /// Run an investigation again from its journal, without any server
    Replay(ReplayArgs),
    /// Answer one question about calls by one fresh, checked query
    ///
    /// Example: rca-agent ask "errors in checkout since 3pm"
    Ask(Box<AskArgs>),
    /// Compare two windows or snapshots, or a series of them: what drifted beyond what chance explains
    ///
    /// Example: rca-agent compare --baseline "yesterday 3pm-4pm" --since 3pm
    Compare(Box<CompareArgs>),
    /// After the fix: look at a case's path again in a fresh window, beside before and during
    Confirm(Box<ConfirmArgs>),
    /// Export packets of workloads to a file for Wireshark and tcpdump; no dissection is needed
    ///
    /// Example: rca-agent pcap --workload 'prod/payment-.*' --since 3pm --bpf "port 8080"
    Pcap(Box<PcapArgs>),
    /// Ask the recorded queries of a case again, and hold journal, report and answers against each other
    Verify(VerifyArgs),
    /// List the snapshots of a server, or take one
    Snapshots(SnapshotsArgs),
    /// Answer questions in Slack, over Socket Mode: no public address is needed
    ///
    /// Tokens come from SLACK_BOT_TOKEN and SLACK_APP_TOKEN, or from the files that these with _FILE at the end name.
    Slack(Box<SlackArgs>),
    /// Answer questions in Slack over HTTP (Events API), take alerts, serve health and metrics
    ///
    /// SLACK_BOT_TOKEN speaks for the bot, SLACK_SIGNING_SECRET proves who sends, RCA_WEBHOOK_TOKEN is the bearer token of
    /// the alert webhooks; each also as a file, by the name with _FILE at the end.
    Serve(Box<ServeArgs>),
    /// Check Kubeshark, raw capture, permissions, model, Slack and the time zone, and say how to mend each
    Doctor(DoctorArgs),
    /// Check and explain filters, and count what they match
    Kfl(KflArgs),
    /// List, explain and check the workflows
    Playbooks(PlaybooksArgs),
    /// Investigate incidents whose cause is known, and say how often it was found
    Benchmark(BenchmarkArgs),
    /// Run cases with known truth, and score today's code on them
    ///
    /// Example: rca-agent eval --tag dns --tier hub
    ///
    /// A case is a directory of `evals` with a `case.yaml` and a recorded session. Exit status 4 where a run does not
    /// pass or a threshold is not reached.
    Eval(Box<EvalArgs>),
    /// Keep a case's snapshot in cloud storage, and its packets and files in a directory, with hashes
    ///
    /// Example: rca-agent preserve 2026-03-14-1823-k7 --out incident-42 --yes
    Preserve(Box<PreserveArgs>),
    /// Bring a snapshot from cloud storage to this Hub, and investigate it there
    ///
    /// Example: rca-agent restore rca-2026-03-14-1823-k7 --yes --investigate "why did checkout fail?"
    Restore(Box<RestoreArgs>),
}

/// Where Kubeshark is; one of these, or `kubeshark mcp` is started.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Where Kubeshark is")]
pub(super) struct SourceArgs {
    /// Start this command and speak MCP over its stdin and stdout
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["mcp_url", "capture"])]
    pub(super) mcp_command: Option<String>,
    /// Speak MCP over streamable HTTP; the bearer token is read from KUBESHARK_HUB_TOKEN
    #[arg(long, value_name = "URL", conflicts_with = "capture")]
    pub(super) mcp_url: Option<String>,
    /// Investigate a capture directory, a single pcap, or calls as JSON lines, through the embedded hub
    #[arg(long, value_name = "PATH")]
    pub(super) capture: Option<PathBuf>,
}

impl SourceArgs {
    /// The same as words of a command line; none where none of them was given.
    pub(super) fn words(&self) -> Vec<String> {
        let capture = self.capture.as_ref().map(|path| path.display().to_string());
        let flags = [
            ("--mcp-command", self.mcp_command.clone()),
            ("--mcp-url", self.mcp_url.clone()),
            ("--capture", capture),
        ];
        flags
            .into_iter()
            .filter_map(|(flag, value)| Some(format!("{flag}={}", value?)))
            .collect()
    }
}

/// Which snapshot, where it is to be a certain one.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Where Kubeshark is")]
pub(super) struct SnapshotArgs {
    /// Work on this snapshot, by name or id, whatever is still recorded; without --since on all of it
    #[arg(long, value_name = "NAME")]
    pub(super) snapshot: Option<String>,
}

impl SnapshotArgs {
    pub(super) fn named(&self) -> Option<NamedSnapshot> {
        let name = self.snapshot.clone()?;
        Some(NamedSnapshot { name, retake: None })
    }
}

/// How times are read and written.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Time")]
pub(super) struct TimeArgs {
    /// Time zone, by its IANA name (default: the system's)
    #[arg(long, value_name = "ZONE")]
    pub(super) tz: Option<String>,
    /// Investigate as of this moment
    #[arg(long, value_name = "TIME")]
    pub(super) now: Option<String>,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// Format of the report on stdout (default: text on a terminal, md otherwise)
    #[arg(long, value_enum)]
    pub(super) format: Option<Format>,
    /// Also write all formats, the journal and attachments into this directory
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Md,
    Json,
    Html,
}

/// Limits and permissions.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Limits and permissions")]
pub(super) struct RunArgs {
    /// Where Kubeshark's dashboard is, for links from the report to the calls behind it
    #[arg(long, value_name = "URL", help_heading = "Output")]
    pub(super) dashboard: Option<String>,
    /// Tool calls that may be made, failed ones included
    #[arg(long, value_name = "N")]
    pub(super) budget_calls: Option<u32>,
    /// Seconds that may be spent in tools and in waiting for them
    #[arg(long, value_name = "N")]
    pub(super) budget_seconds: Option<u64>,
    /// Never ask; what is chosen instead is written in the report as an assumption
    #[arg(long)]
    pub(super) no_input: bool,
    /// Approve what would change the cluster's state
    #[arg(long)]
    pub(super) yes: bool,
    /// Export the packets of the workloads involved
    #[arg(long)]
    pub(super) pcap: bool,
    /// Workflow to follow: a name that `rca-agent playbooks` lists, or a file
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) playbook: Option<String>,
    /// Directory of cases (default: `cases`, or RCA_CASES)
    #[arg(long, value_name = "DIR")]
    pub(super) cases: Option<PathBuf>,
    #[command(flatten)]
    pub(super) model: ModelArgs,
}

/// A language model, which proposes and decides nothing.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Language model")]
pub(super) struct ModelArgs {
    /// Model to ask, as its endpoint names it; `none` investigates without one, `manual` shows each question and reads the answer from stdin (default: none, or RCA_MODEL)
    #[arg(long, value_name = "NAME")]
    pub(super) model: Option<String>,
    /// Base of an OpenAI-compatible API (default: OpenAI's, or RCA_MODEL_URL); the key is read from RCA_MODEL_KEY or OPENAI_API_KEY
    #[arg(long, value_name = "URL")]
    pub(super) model_url: Option<String>,
    /// Sampling temperature, 0 to 2 (default: the endpoint's)
    #[arg(long, value_name = "T")]
    pub(super) temperature: Option<f64>,
    /// Reasoning effort, as in low, medium, high (default: the endpoint's)
    #[arg(long, value_name = "EFFORT")]
    pub(super) reasoning_effort: Option<String>,
    /// Calls to the model that may be made, failed ones included
    #[arg(long, value_name = "N")]
    pub(super) budget_model_calls: Option<u32>,
    /// Tokens that the model may take, in and out together
    #[arg(long, value_name = "N")]
    pub(super) budget_tokens: Option<u64>,
    /// Money that the model may cost, in the currency of the prices in rca-agent.toml
    #[arg(long, value_name = "AMOUNT")]
    pub(super) budget_money: Option<f64>,
    /// Print what is sent to the model and what it answers to stderr
    #[arg(long)]
    pub(super) show_prompts: bool,
}

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Which capture; without a name the incident. `--list` names all
    pub(super) name: Option<String>,
    /// List the bundled captures
    #[arg(long)]
    pub(super) list: bool,
    #[command(flatten)]
    pub(super) time: TimeArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct InvestigateArgs {
    /// What you want to know, in your own words
    pub(super) question: Option<String>,
    /// When it began, needed unless a model is to read it out of the question: `3pm`, `yesterday 14:05`, `20 minutes ago`, `14:05..14:20`, `last 45 min`, `2026-03-14 18:12+02:00`
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) since: Option<String>,
    /// When it ended (default: at most an hour after --since)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) until: Option<String>,
    /// What to compare with: a range such as `yesterday 3pm-4pm` (default: the time before --since)
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    pub(super) baseline: Option<String>,
    /// Look at the calls to this namespace only
    #[arg(short, long)]
    pub(super) namespace: Option<String>,
    /// The workload you ask about, as NAMESPACE/NAME
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub(super) service: Option<String>,
    /// Print the JSON Schema of report.json and end
    #[arg(long)]
    pub(super) print_schema: bool,
    #[command(flatten)]
    pub(super) snapshot: SnapshotArgs,
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) time: TimeArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct HubArgs {
    /// A capture directory, a single pcap or pcapng (also .zst), calls as .jsonl (also .gz, .zst), or the name of a
    /// bundled capture
    #[arg(required_unless_present = "list_faults")]
    pub(super) path: Option<PathBuf>,
    /// Serve streamable HTTP at http://ADDR/mcp instead of stdio; the token, if any, is read from KUBESHARK_HUB_TOKEN
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<std::net::SocketAddr>,
    /// Keep snapshots in this cloud storage: a folder, or `s3://BUCKET/PREFIX` (credentials and region from the usual AWS_ variables, AWS_ENDPOINT_URL for a server other than Amazon's)
    #[arg(long, value_name = "PLACE")]
    pub(super) cloud: Option<String>,
    /// Behave like a server with this fault, to rehearse; may be given several times
    #[arg(long, value_name = "FAULT")]
    pub(super) fault: Vec<String>,
    /// List the faults that can be rehearsed
    #[arg(long)]
    pub(super) list_faults: bool,
    /// What a filter with an unknown field does: `silent` answers nothing, as Kubeshark does; `strict` is an error
    #[arg(long, value_name = "MODE", default_value = "silent", value_parser = ["silent", "strict"])]
    pub(super) kfl_errors: String,
}

#[derive(Debug, Args)]
pub(super) struct CasesArgs {
    #[command(subcommand)]
    pub(super) action: Option<CasesAction>,
    /// Directory of cases (default: `cases`, or RCA_CASES)
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) cases: Option<PathBuf>,
    #[command(flatten)]
    pub(super) time: TimeArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum CasesAction {
    /// List all cases, the newest first
    List,
    /// Show a case's report and what was done
    Show {
        case: String,
        #[arg(long, value_enum)]
        format: Option<Format>,
    },
    /// Copy a case with all its formats into a directory
    Export { case: String, dir: PathBuf },
}

#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    /// Id of the case, or its directory
    pub(super) case: String,
    /// Print what is sent to the model and what it answers to stderr
    #[arg(long)]
    pub(super) show_prompts: bool,
    #[arg(long, value_name = "DIR")]
    pub(super) cases: Option<PathBuf>,
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Never ask
    #[arg(long)]
    pub(super) no_input: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Id of the case, or its directory
    pub(super) case: String,
    /// Print what was sent to the model and what it answered to stderr
    #[arg(long)]
    pub(super) show_prompts: bool,
    #[arg(long, value_name = "DIR")]
    pub(super) cases: Option<PathBuf>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) time: TimeArgs,
    #[command(flatten)]
    pub(super) model: ModelArgs,
}

#[derive(Debug, Args)]
pub(super) struct BenchmarkArgs {
    /// Directory of incidents: each a directory with a capture or calls and a `case.json` or `truth.json`
    pub(super) path: PathBuf,
    /// Only incidents with this in their names
    #[arg(long, value_name = "TEXT")]
    pub(super) only: Option<String>,
    /// Compare with the time before each incident, also where another stretch is published as fault-free
    #[arg(long)]
    pub(super) own_baseline: bool,
    /// Keep the cases in this directory
    #[arg(long, value_name = "DIR")]
    pub(super) keep: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct PlaybooksArgs {
    #[command(subcommand)]
    pub(super) action: Option<PlaybooksAction>,
}

#[derive(Debug, Subcommand)]
pub(super) enum PlaybooksAction {
    /// List the workflows: those that are compiled in, and those in the directory `playbooks`
    List,
    /// Say what a workflow does: phases, guards, tools, limits
    Show {
        /// A name, or a file
        name: String,
        /// Print the file itself, to start one's own from
        #[arg(long)]
        yaml: bool,
    },
    /// Check files against the machine; exit status 1 where one is wrong
    Check {
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print the JSON Schema of a playbook, for editors
    Schema,
}
