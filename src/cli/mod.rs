//! The command line: the outermost layer, and one of the three that print.

mod args;
mod ask;
mod benchmark;
mod bot;
mod capture_file;
mod cases;
mod compare;
mod confirm;
mod count;
mod doctor;
mod eval;
mod handoff;
mod hub;
mod investigate;
mod kfl;
mod log;
mod model;
mod order;
mod output;
mod pcap;
mod playbooks;
mod preserve;
mod propose;
mod record;
mod run;
mod snapshots;
mod source;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use crate::{config::Config, error::AppError};

/// Runs the program and returns its exit status.
pub fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap knows which of help and errors goes where; a closed pipe is silence.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match dispatch(cli) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            output::stderr(&error.to_string());
            ExitCode::from(error.kind.status())
        }
    }
}

fn dispatch(cli: args::Cli) -> Result<u8, AppError> {
    let config = Config::load()?;
    // Nobody watches a bot: what it does is in its log.
    let bot = matches!(cli.command, args::Command::Slack(_) | args::Command::Serve(_));
    let _logging = log::start(&config, cli.verbosity.verbose.max(u8::from(bot)))?;
    let logging = cli.verbosity.verbose > 0 || config.log.is_some();
    let show = crate::progress::Show::fitting(cli.verbosity.quiet, logging);
    match cli.command {
        args::Command::Demo(args) => {
            if args.list {
                return investigate::list_demos();
            }
            on_runtime(investigate::demo(&config, &args, show))
        }
        args::Command::Investigate(args) if args.print_schema => {
            output::stdout(&output::pretty(&crate::report::schema())).map(|()| 0)
        }
        args::Command::Investigate(args) => on_runtime(investigate::investigate(&config, &args, show)),
        args::Command::Hub(args) => {
            if args.list_faults {
                return hub::list_faults();
            }
            on_runtime(hub::hub(&config, &args))
        }
        args::Command::Cases(args) => cases::run(&config, &args),
        args::Command::Resume(args) => on_runtime(run::resume(&config, &args, show)),
        args::Command::Replay(args) => on_runtime(run::replay(&config, &args)),
        args::Command::Compare(args) => on_runtime(compare::compare(&config, &args, show)),
        args::Command::Confirm(args) => on_runtime(confirm::confirm(&config, &args, show)),
        args::Command::Ask(args) => on_runtime(ask::ask(&config, &args, show)),
        args::Command::Pcap(args) => on_runtime(pcap::pcap(&config, &args, show)),
        args::Command::Verify(args) => on_runtime(verify::verify(&config, &args, show)),
        args::Command::Snapshots(args) => on_runtime(snapshots::run(&config, &args, show)),
        args::Command::Slack(args) => on_runtime(bot::slack(&config, &args)),
        args::Command::Serve(args) => on_runtime(bot::serve(&config, &args)),
        args::Command::Doctor(args) => on_runtime(doctor::doctor(&config, &args)),
        args::Command::Kfl(args) => kfl::run(&config, &args.action, show),
        args::Command::Playbooks(args) => playbooks::run(&args),
        args::Command::Preserve(args) => on_runtime(preserve::preserve(&config, &args, show)),
        args::Command::Restore(args) => on_runtime(preserve::restore(&config, &args, show)),
        args::Command::Eval(args) => eval::eval(&config, &args, show),
        args::Command::Benchmark(args) => on_runtime(benchmark::benchmark(&config, &args, show)),
    }
}

/// Runs a future to its end and leaves at once: a thread that still waits for stdin keeps nobody.
fn on_runtime(work: impl Future<Output = Result<u8, AppError>>) -> Result<u8, AppError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| AppError::environment("could not start the asynchronous runtime").because(&error))?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}
