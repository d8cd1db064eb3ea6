//! `hub`: serves captures as Kubeshark's MCP server does.

use super::{args::HubArgs, output};
use crate::{
    config::Config,
    demo,
    error::AppError,
    hub::{self, Capture, Fault, Faults, Hub, KflErrors},
};

pub(super) fn list_faults() -> Result<u8, AppError> {
    let lines: Vec<String> = Fault::ALL
        .iter()
        .map(|fault| format!("{:<26} {}", fault.name, fault.does))
        .collect();
    output::stdout(&lines.join("\n")).map(|()| 0)
}

pub(super) async fn hub(config: &Config, args: &HubArgs) -> Result<u8, AppError> {
    let faults = args
        .fault
        .iter()
        .map(|text| text.parse::<Fault>())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| {
            AppError::usage("--fault cannot be read")
                .because(&error)
                .hint("`rca-agent hub --list-faults` tells what each does")
        })?;
    let Some(path) = &args.path else {
        return Err(AppError::usage("there is no capture to serve"));
    };
    let bundled = path.to_str().filter(|_| !path.exists()).and_then(demo::capture);
    let capture = bundled.unwrap_or_else(|| Capture::open(path)).map_err(|error| {
        AppError::environment(format!("could not open the capture `{}`", path.display()))
            .because(&error)
            .hint("a capture is a pcap or pcapng file (also .zst), or a directory of them with a workloads.json; calls may come as .jsonl (also .gz, .zst)")
    })?;
    for problem in &capture.problems {
        output::stderr(&format!("warning: {problem}"));
    }
    let kfl_errors = if args.kfl_errors == "strict" {
        KflErrors::Strict
    } else {
        KflErrors::Silent
    };
    let hub = Hub::new(
        capture,
        hub::Options {
            state_per_process: args.listen.is_none(),
            kfl_errors,
            faults: Faults::new(faults),
        },
    );
    let stop = async {
        // Without a handler for the signal the process simply ends at it.
        let _ = tokio::signal::ctrl_c().await;
    };
    let Some(address) = args.listen else {
        hub::serve(&hub, tokio::io::stdin(), tokio::io::stdout(), stop)
            .await
            .map_err(|error| AppError::environment("could not serve over stdio").because(&error))?;
        return Ok(0);
    };
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| AppError::environment(format!("could not listen on {address}")).because(&error))?;
    let bound = listener
        .local_addr()
        .map_err(|error| AppError::environment("could not listen").because(&error))?;
    let open = if config.token.is_some() {
        "a token is required"
    } else {
        "no token is required"
    };
    output::stderr(&format!("serving http://{bound}/mcp ({open}); stop with ctrl-c"));
    let options = hub::HttpOptions {
        token: config.token.clone(),
        any_host: !bound.ip().is_loopback(),
    };
    hub::serve_http(&hub, listener, options, stop)
        .await
        .map_err(|error| AppError::environment("could not serve over HTTP").because(&error))?;
    Ok(0)
}
