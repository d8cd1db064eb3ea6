//! A server as a child process.

use std::{
    collections::VecDeque,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{ChildStderr, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};

use super::lines::readable;
use crate::kubeshark::error::LastWords;

/// How many lines of stderr are kept.
const KEPT_LINES: usize = 20;

/// A longer line of stderr is cut into lines of this many bytes.
const MAX_STDERR_LINE: u64 = 8 * 1024;

/// How long is waited for a process that closed its stdout to end, and for its stderr to be read.
const REAP: Duration = Duration::from_millis(500);

type Kept = Arc<Mutex<VecDeque<String>>>;

/// A running server. It is killed when this is dropped.
pub(crate) struct ServerProcess {
    process: tokio::process::Child,
    stderr: Kept,
    reader: JoinHandle<()>,
}

impl ServerProcess {
    /// Starts a server whose stdin and stdout carry the protocol.
    pub(crate) fn start(
        program: &str,
        args: &[String],
        env: &[(String, SecretString)],
        without: &[&str],
    ) -> std::io::Result<(Self, ChildStdout, ChildStdin)> {
        let mut command = Command::new(program);
        for name in without {
            command.env_remove(name);
        }
        let mut process = command
            .args(args)
            .envs(env.iter().map(|(name, value)| (name, value.expose_secret())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let pipes = (process.stdout.take(), process.stdin.take(), process.stderr.take());
        let (Some(stdout), Some(stdin), Some(stderr)) = pipes else {
            return Err(std::io::Error::other("its standard streams are not connected"));
        };
        let kept = Kept::default();
        let reader = tokio::spawn(follow(stderr, Arc::clone(&kept)));
        Ok((
            Self {
                process,
                stderr: kept,
                reader,
            },
            stdout,
            stdin,
        ))
    }

    /// How it ended and what it said last. One that has closed its stdout gets a moment to end by
    /// itself; one that hangs is killed, and how that ends it says nothing.
    pub(crate) async fn last_words(mut self, hangs: bool) -> LastWords {
        let ended = if hangs {
            self.process.try_wait().ok().flatten()
        } else {
            timeout(REAP, self.process.wait()).await.ok().and_then(Result::ok)
        };
        if ended.is_none() {
            // It may end this very moment; then there is nothing to kill.
            let _ = self.process.start_kill();
        }
        // A grandchild may hold stderr open for longer than anybody wants to wait.
        let _ = timeout(REAP, &mut self.reader).await;
        let stderr = self
            .stderr
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect();
        LastWords {
            exit: ended.map(|status| status.to_string()),
            stderr,
        }
    }

    /// Waits for it to end after its stdin was closed; kills it when it takes longer than `patience`.
    pub(crate) async fn end(mut self, patience: Duration) {
        if timeout(patience, self.process.wait()).await.is_err() {
            // An error means that it ended by itself at the last moment.
            let _ = self.process.kill().await;
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Writes each line of stderr to the log and keeps the last ones.
async fn follow(stderr: ChildStderr, kept: Kept) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader)
            .take(MAX_STDERR_LINE)
            .read_until(b'\n', &mut line)
            .await
        {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = readable(&String::from_utf8_lossy(&line));
        if text.is_empty() {
            continue;
        }
        tracing::info!(target: "kubeshark::stderr", "{text}");
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(text);
    }
}
