//! From flags and configuration to an endpoint: where Kubeshark is.

use std::path::Path;

use super::args::SourceArgs;
use crate::{
    config::{BOT_SECRETS, Config},
    demo,
    error::AppError,
    hub::{self, Capture, Hub},
    investigation::settings::Source,
    kubeshark::Endpoint,
};

/// What is started where nothing else is said.
const DEFAULT_COMMAND: &str = "kubeshark mcp";

/// The source that flags and configuration name.
pub(super) fn chosen(config: &Config, args: &SourceArgs) -> Result<Source, AppError> {
    if let Some(command) = &args.mcp_command {
        return Ok(Source::Command {
            command: command.clone(),
        });
    }
    if let Some(url) = &args.mcp_url {
        return Ok(Source::Url { url: url.clone() });
    }
    if let Some(path) = &args.capture {
        // A resumed run may be started elsewhere.
        let path = path.canonicalize().map_err(|error| {
            AppError::environment(format!("could not open the capture `{}`", path.display())).because(&error)
        })?;
        return Ok(Source::Capture {
            path: path.to_string_lossy().into_owned(),
        });
    }
    Ok(match (&config.mcp_url, &config.mcp_command) {
        (Some(url), _) => Source::Url { url: url.clone() },
        (None, Some(command)) => Source::Command {
            command: command.clone(),
        },
        (None, None) => Source::Command {
            command: DEFAULT_COMMAND.to_owned(),
        },
    })
}

/// Whether flags name a source at all.
pub(super) fn is_named(args: &SourceArgs) -> bool {
    args.mcp_command.is_some() || args.mcp_url.is_some() || args.capture.is_some()
}

/// How to reach a source.
pub(super) fn endpoint(config: &Config, source: &Source) -> Result<Endpoint, AppError> {
    match source {
        Source::Command { command } => {
            let mut words = split(command)?.into_iter();
            let Some(program) = words.next() else {
                return Err(AppError::usage("the command to start is empty")
                    .hint("for example --mcp-command \"kubeshark mcp\""));
            };
            Ok(Endpoint::Command {
                program,
                args: words.collect(),
                env: Vec::new(),
                without: BOT_SECRETS,
            })
        }
        Source::Url { url } => Ok(Endpoint::Url {
            url: url.clone(),
            token: config.token.clone(),
        }),
        Source::Capture { path } => {
            let capture = Capture::open(Path::new(path)).map_err(|error| {
                AppError::environment(format!("could not open the capture `{path}`")).because(&error)
            })?;
            Ok(embedded(capture))
        }
        Source::Demo { name } => {
            let capture = demo::capture(name)
                .ok_or_else(|| {
                    AppError::usage(format!("there is no bundled capture `{name}`"))
                        .hint("`rca-agent demo --list` names them")
                })?
                .map_err(|error| {
                    AppError::environment(format!("could not open the bundled capture `{name}`"))
                        .because(&error)
                })?;
            Ok(embedded(capture))
        }
    }
}

fn embedded(capture: Capture) -> Endpoint {
    let hub = Hub::new(capture, hub::Options::default());
    Endpoint::in_process(move || hub::duplex(&hub))
}

/// Words of a command as a shell splits them: quotes and backslashes, nothing else.
fn split(command: &str) -> Result<Vec<String>, AppError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(AppError::usage(format!(
            "a quote in the command `{command}` is not closed"
        )));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn commands_split_like_a_shell_splits_them() {
        assert_eq!(
            split(r#"kubeshark mcp --set "a b=c" 'd "e' f\ g "#).unwrap(),
            ["kubeshark", "mcp", "--set", "a b=c", "d \"e", "f g"]
        );
        assert_eq!(split("  ").unwrap(), Vec::<String>::new());
        assert!(split("a 'b").is_err());
    }
}
