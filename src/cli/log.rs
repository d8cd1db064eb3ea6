//! Logs: to stderr, where MCP over stdio leaves them alone, with secrets taken out.
//!
//! Libraries log what they carry. So every line passes the redactor, and those that would log whole messages of a
//! server are held to warnings.

use std::io::{self, Write};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::{config::Config, journal::redact::Redactor};

/// Targets that log messages of servers and models whole, and how much of them is logged at most.
const TALKATIVE: &[&str] = &[
    "rmcp=warn",
    "async_openai=error",
    "hyper=info",
    "hyper_util=info",
    "h2=info",
    "reqwest=info",
];

/// Starts logging. `verbose` counts the flags that ask for more.
pub(super) fn start(config: &Config, verbose: u8) {
    let default = match verbose {
        0 => "off,rca_agent=error",
        1 => "rca_agent=info,kubeshark=info,warn",
        2 => "rca_agent=debug,kubeshark=debug,info",
        _ => "trace",
    };
    let filter = config.log.as_deref().unwrap_or(default);
    let mut filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(default));
    if verbose > 0 || config.log.is_some() {
        for target in TALKATIVE {
            if let Ok(directive) = target.parse() {
                filter = filter.add_directive(directive);
            }
        }
    }
    let redactor = Redactor::new("log");
    let writer = Redacted(
        redactor
            .clone()
            .with(&config.redact.patterns, &config.redact.names)
            .unwrap_or(redactor),
    );
    // Fails only where something has set a subscriber already; then that one logs.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(!config.no_color)
        .try_init();
}

/// Writes to stderr what is left of a line without its secrets.
#[derive(Clone)]
struct Redacted(Redactor);

impl Write for Redacted {
    /// One event: it is formatted whole before it is written.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = self.0.text(&String::from_utf8_lossy(line));
        io::stderr().write_all(text.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for Redacted {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}
