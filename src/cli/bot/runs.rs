//! Runs the bot's cases: investigations in this process, what follows them as commands of their own.

use std::{fs, path::Path, process::Stdio, time::Duration};

use tokio::{io::AsyncReadExt, process::Command, time::timeout};

use super::super::{
    args::{ModelArgs, RunArgs, SourceArgs},
    investigate::{self, Moment, Plan},
    output, run, source,
};
use crate::{
    bot::{
        runs::{Attachment, Ended, Followed, Runs},
        work::{Follow, FollowUp, Request},
    },
    config::{self, BOT_SECRETS, Config},
    driver::{Performed, Watch},
    error::AppError,
    investigation::{Settings, guard},
    journal::{self, JOURNAL, Recording},
    report::Report,
    time::{Utc, Window},
};

/// A follow-up may take so long.
const LIMIT: Duration = Duration::from_mins(15);

/// What a follow-up may say, bytes; the rest is cut.
const SAID: u64 = 64 * 1024;

/// A larger file stays with the case: Slack shows nobody what is in it, and everybody has to fetch it.
const LARGEST: u64 = 100 * 1024 * 1024;

/// Of a case's files those that go into its thread.
const SHOWN: &[(&str, &str)] = &[
    ("report.png", "How it spread"),
    ("report.html", "The report as a page"),
    ("report.md", "The report as text"),
];

/// Runs cases against one Kubeshark.
pub(super) struct Cases {
    pub(super) config: Config,
    pub(super) source: SourceArgs,
    pub(super) model: ModelArgs,
    pub(super) playbook: Option<String>,
}

impl Runs for Cases {
    fn investigate<'a>(
        &'a self,
        request: &'a Request,
        dir: &'a Path,
        watch: &'a mut dyn Watch,
    ) -> Performed<'a, Result<Ended, AppError>> {
        Box::pin(async move {
            let (start, recording) = if dir.join(JOURNAL).is_file() {
                self.again(dir)?
            } else {
                (self.anew(request, dir)?, Recording::nothing())
            };
            let (machine, report) = run::concluded(start, recording, watch).await?;
            output::write_all(dir, &report, &machine.case().settings.clock())?;
            let files = attachments(dir, &report)?;
            Ok(Ended {
                report: Box::new(report),
                files,
            })
        })
    }

    fn follow<'a>(&'a self, follow: &'a Follow, dir: &'a Path) -> Performed<'a, Result<Followed, AppError>> {
        Box::pin(async move {
            let recording = journal::read(dir).map_err(|error| run::journal_error(&error, dir))?;
            let (_, _, settings) = run::opening(&recording, dir)?;
            let packets = dir.join("packets.pcap");
            let zone = format!("--tz={}", follow.zone.name());
            let mut words = match follow.what {
                FollowUp::Pcap => vec![
                    "pcap".to_owned(),
                    dir.display().to_string(),
                    "--no-input".to_owned(),
                    format!("--out={}", packets.display()),
                ],
                FollowUp::Compare => self.comparison(&settings, follow),
                FollowUp::Confirm => vec![
                    "confirm".to_owned(),
                    dir.display().to_string(),
                    "--no-input".to_owned(),
                ],
                FollowUp::Preserve => {
                    vec![
                        "preserve".to_owned(),
                        dir.display().to_string(),
                        "--yes".to_owned(),
                    ]
                }
            };
            words.extend([zone, "--quiet".to_owned()]);
            if follow.what == FollowUp::Pcap {
                // Of an attempt that died, or of an earlier request: the command overwrites nothing.
                let _ = fs::remove_file(&packets);
                let _ = fs::remove_file(packets.with_extension("md"));
            }
            let text = command(&words).await?;
            let files = if follow.what == FollowUp::Pcap {
                of_packets(&packets, &follow.case)?
            } else {
                Vec::new()
            };
            Ok(Followed { text, files })
        })
    }
}

impl Cases {
    /// A case from its beginning.
    fn anew(&self, request: &Request, dir: &Path) -> Result<run::Start, AppError> {
        let restricted = !request.namespaces.is_empty();
        if restricted
            && !request
                .namespace
                .as_ref()
                .is_some_and(|one| request.namespaces.contains(one))
        {
            return Err(
                AppError::usage("this channel may ask about certain namespaces only")
                    .hint(format!("name one of them: {}", request.namespaces.join(", "))),
            );
        }
        let plan = Plan {
            question: request.question.clone(),
            source: source::chosen(&self.config, &self.source)?,
            since: request.since.clone(),
            until: request.until.clone(),
            reading: request.reading.clone(),
            snapshot: None,
            unread: None,
            baseline: None,
            namespace: request.namespace.clone(),
            service: request.service.clone(),
        };
        let moment = Moment {
            zone: request.zone,
            now: request.now,
            notes: request.notes.clone(),
        };
        let args = RunArgs {
            // Nobody sits at a terminal, and what changes state is approved in the thread.
            no_input: true,
            playbook: self.playbook.clone(),
            model: self.model.clone(),
            ..RunArgs::default()
        };
        let created = investigate::system_now();
        let mut start = investigate::prepare_in(&self.config, plan, moment, created, &args, || {
            made(dir).map(|()| (request.case.clone(), dir.to_owned()))
        })?;
        // What somebody says in this channel must not show what others do in theirs.
        if restricted {
            let playbook = &mut start.settings.playbook;
            playbook.ask_for("one-namespace", guard::consulted_in("one-namespace"));
        }
        Ok(start)
    }

    /// A case that was interrupted.
    fn again(&self, dir: &Path) -> Result<(run::Start, Recording), AppError> {
        let recording = journal::read(dir).map_err(|error| run::journal_error(&error, dir))?;
        let Ok((id, created, mut settings)) = run::opening(&recording, dir) else {
            // Died before its first line was whole: the next attempt begins again.
            fs::remove_file(dir.join(JOURNAL))
                .map_err(|error| AppError::environment("could not begin the case again").because(&error))?;
            return Err(AppError::environment("the case had not begun")
                .reason("the process that had it ended before it wrote the first line"));
        };
        settings.no_input = true;
        // The address may hold a secret that the journal does not; the configuration does.
        let endpoint = source::endpoint(&self.config, &source::chosen(&self.config, &self.source)?)?;
        let start = run::Start {
            model: super::super::model::connect(
                &self.config,
                settings.model.as_ref(),
                dir.join("questions"),
            )?,
            redactor: run::redactor(&self.config, &id)?,
            id,
            created,
            settings,
            endpoint,
            prompts: false,
            dir: dir.to_owned(),
            out: None,
            format: None,
            show: crate::progress::Show::Nothing,
        };
        Ok((start, recording))
    }

    /// The window of a case beside the same hours of the day before.
    fn comparison(&self, settings: &Settings, follow: &Follow) -> Vec<String> {
        let window = settings.reading.window;
        let before = Window {
            start: follow.zone.day_before(window.start),
            end: follow.zone.day_before(window.end),
        };
        let mut words = vec![
            "compare".to_owned(),
            "--no-input".to_owned(),
            format!("--since={}", instant(window.start)),
            format!("--until={}", instant(window.end)),
            format!("--baseline={}..{}", instant(before.start), instant(before.end)),
        ];
        let namespace = settings.namespace.as_ref();
        words.extend(namespace.map(|namespace| format!("--namespace={namespace}")));
        words.extend(self.source.words());
        words
    }
}

fn instant(at: Utc) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

fn made(dir: &Path) -> Result<(), AppError> {
    fs::create_dir_all(dir).map_err(|error| {
        AppError::environment(format!("could not create the case `{}`", dir.display()))
            .because(&error)
            .hint("RCA_CASES names a directory that can be written")
    })
}

/// Runs this program with these words and gives what it printed. What it starts does not see the bot's secrets.
async fn command(words: &[String]) -> Result<String, AppError> {
    let failed = |error: &std::io::Error| AppError::environment("could not start the command").because(error);
    let mut command = Command::new(config::program().map_err(|error| failed(&error))?);
    for name in BOT_SECRETS {
        command.env_remove(name);
    }
    // Telemetry of the parent would be told twice, and colours are for terminals.
    command.env("NO_COLOR", "1").env_remove(config::LOG);
    let mut child = command
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&error))?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(AppError::environment("could not read what the command printed"));
    };
    let ended = timeout(LIMIT, async {
        let (out, err) = tokio::join!(cut(stdout), cut(stderr));
        (child.wait().await, out, err)
    });
    let Ok((status, out, err)) = ended.await else {
        return Err(AppError::environment(format!(
            "the command did not end within {} minutes",
            LIMIT.as_secs() / 60
        )));
    };
    let status = status.map_err(|error| failed(&error))?;
    // "Not enough to say" and "still abnormal" are answers.
    match status.code() {
        Some(0 | 3 | 4) if !out.trim().is_empty() => Ok(out),
        _ => Err(said(&err)),
    }
}

/// The error that a command printed, as one of ours.
fn said(err: &str) -> AppError {
    let mut error = AppError::environment("the command failed");
    for line in err.lines() {
        if let Some(what) = line.strip_prefix("error: ") {
            what.clone_into(&mut error.what);
        } else if let Some(why) = line.strip_prefix("  because: ") {
            error.because.push(why.to_owned());
        } else if let Some(hint) = line.strip_prefix("hint: ") {
            error.hints.push(hint.to_owned());
        }
    }
    error
}

/// What somebody writes, to its end, and of it no more than is shown: a pipe that nobody reads would stop the writer.
async fn cut(mut from: impl AsyncReadExt + Unpin) -> String {
    let mut kept = Vec::new();
    // A pipe that breaks has said what it said.
    let _ = (&mut from).take(SAID).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&kept).into_owned()
}

fn attachments(dir: &Path, report: &Report) -> Result<Vec<Attachment>, AppError> {
    let mut files = Vec::new();
    for (name, title) in SHOWN {
        let path = dir.join(name);
        // Where nothing spread there is no picture.
        if path.is_file() {
            files.push(attachment(&path, (*name).to_owned(), (*title).to_owned())?);
        }
    }
    for file in &report.attachments {
        let path = dir.join(&file.file);
        if path.is_file() && size(&path) <= LARGEST {
            let name = path.file_name().map_or_else(
                || "packets.pcap".to_owned(),
                |name| name.to_string_lossy().into_owned(),
            );
            files.push(attachment(&path, name, "Packets".to_owned())?);
        }
    }
    Ok(files)
}

/// The packets and what describes them.
fn of_packets(packets: &Path, case: &str) -> Result<Vec<Attachment>, AppError> {
    let mut files = Vec::new();
    let described = packets.with_extension("md");
    for (path, name, title) in [
        (packets, format!("{case}.pcap"), "Packets"),
        (
            described.as_path(),
            format!("{case}-packets.md"),
            "About the packets",
        ),
    ] {
        if path.is_file() && size(path) <= LARGEST {
            files.push(attachment(path, name, title.to_owned())?);
        }
    }
    Ok(files)
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(u64::MAX, |metadata| metadata.len())
}

fn attachment(path: &Path, name: String, title: String) -> Result<Attachment, AppError> {
    let bytes = fs::read(path).map_err(|error| {
        AppError::environment(format!("could not read `{}`", path.display())).because(&error)
    })?;
    Ok(Attachment { name, title, bytes })
}
