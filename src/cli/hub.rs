//! `hub`: serves captures as Kubeshark's MCP server does.

use std::sync::Arc;

use super::{args::HubArgs, output};
use crate::{
    config::Config,
    demo,
    error::AppError,
    hub::{self, Bucket, BucketAccess, Capture, Cloud, Fault, Faults, Hub, KflErrors},
};

pub(super) fn list_faults() -> Result<u8, AppError> {
    let lines: Vec<String> = Fault::ALL
        .iter()
        .map(|fault| format!("{:<26} {}", fault.name, fault.does))
        .collect();
    output::stdout(&lines.join("\n")).map(|()| 0)
}

/// Where snapshots can be kept: a folder, or a bucket as `s3://BUCKET/PREFIX`.
fn cloud(config: &Config, args: &HubArgs) -> Result<Option<Arc<Cloud>>, AppError> {
    let Some(place) = &args.cloud else { return Ok(None) };
    let Some(bucket) = place.strip_prefix("s3://") else {
        let folder = std::path::PathBuf::from(place);
        std::fs::create_dir_all(&folder).map_err(|error| {
            AppError::environment(format!("could not use `{place}` as cloud storage")).because(&error)
        })?;
        return Ok(Some(Arc::new(Cloud::Folder(folder))));
    };
    let (bucket, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
    let Some((key, secret)) = config.s3.key.clone().zip(config.s3.secret.clone()) else {
        return Err(AppError::usage("the bucket needs credentials")
            .hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; AWS_ENDPOINT_URL names a server other than Amazon's"));
    };
    let region = config.s3.region.clone();
    let endpoint = config
        .s3
        .endpoint
        .clone()
        .unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
    let bucket = Bucket::new(&BucketAccess {
        endpoint,
        region,
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        key,
        secret,
    })
    .map_err(|error| AppError::usage(format!("could not use `{place}` as cloud storage")).because(&error))?;
    Ok(Some(Arc::new(Cloud::Bucket(Box::new(bucket)))))
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
            cloud: cloud(config, args)?,
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
