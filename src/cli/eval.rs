//! `eval`: cases with known truth, run and scored.

use std::{fs, io::Write, path::Path, sync::Arc, time::Instant};

use super::{
    args::{EvalAction, EvalArgs, EvalRunArgs, TierArg},
    output, run, source,
};
use crate::{
    config::Config,
    error::{AppError, Kind},
    eval::{
        self, BrokenCase, CaseResult, EvalCase, Match, Order, Status, Suite, Tier,
        compare::{self, Change},
        tell,
    },
    journal,
    progress::{Progress, Show},
    report,
};

pub(super) fn eval(config: &Config, args: &EvalArgs, show: Show) -> Result<u8, AppError> {
    match &args.action {
        None => scored(config, &args.run, show),
        Some(EvalAction::List(chosen)) => list(&chosen.evals),
        Some(EvalAction::Record(record)) => super::record::record(config, record, show),
        Some(EvalAction::Adopt(adopt)) => super::record::adopt(config, adopt),
        Some(EvalAction::Schema) => output::stdout(&output::pretty(&eval::schema())).map(|()| 0),
    }
}

/// Cases of a directory, the broken ones among them.
pub(super) type Cases = Vec<Result<EvalCase, BrokenCase>>;

/// All cases of the directory.
pub(super) fn all(evals: &Path) -> Result<Cases, AppError> {
    let cases = eval::cases(evals).map_err(|error| {
        AppError::environment(format!("there are no cases in `{}`", evals.display()))
            .because(&error)
            .hint("`--evals DIR` names the directory of cases; `rca-agent eval adopt CASE` makes one")
    })?;
    if cases.is_empty() {
        return Err(
            AppError::environment(format!("there are no cases in `{}`", evals.display()))
                .reason(format!("none of its directories holds a `{}`", eval::CASE))
                .hint("`--evals DIR` names the directory of cases; `rca-agent eval adopt CASE` makes one"),
        );
    }
    Ok(cases)
}

pub(super) fn name(case: &Result<EvalCase, BrokenCase>) -> &str {
    match case {
        Ok(case) => &case.name,
        Err(broken) => &broken.name,
    }
}

/// The cases of these names and tags; all where neither is given.
pub(super) fn chosen(evals: &Path, names: &[String], tags: &[String]) -> Result<Cases, AppError> {
    let cases = all(evals)?;
    for wanted in names {
        if cases.iter().any(|case| name(case) == wanted) {
            continue;
        }
        let near = crate::playbook::near(wanted, cases.iter().map(name));
        let mut missing = AppError::usage(format!("there is no case `{wanted}` in `{}`", evals.display()));
        if let Some(near) = near {
            missing = missing.hint(near);
        }
        return Err(missing.hint("`rca-agent eval list` names them"));
    }
    let tagged = |case: &Result<EvalCase, BrokenCase>| match case {
        Ok(case) => tags.iter().all(|tag| case.tags.contains(tag)),
        Err(_) => tags.is_empty(),
    };
    let kept: Cases = cases
        .into_iter()
        .filter(|case| (names.is_empty() || names.iter().any(|wanted| name(case) == wanted)) && tagged(case))
        .collect();
    if kept.is_empty() {
        return Err(
            AppError::usage(format!("no case has the tags {}", tags.join(" and ")))
                .hint("`rca-agent eval list` shows the tags"),
        );
    }
    Ok(kept)
}

fn list(evals: &Path) -> Result<u8, AppError> {
    let mut rows = Vec::new();
    for case in all(evals)? {
        match case {
            Ok(case) => {
                let kept = fs::metadata(case.dir.join(journal::PACKED)).map_or(0, |file| file.len() / 1024);
                let endings: Vec<&str> = case.endings().iter().map(|ending| ending.word()).collect();
                rows.push(vec![
                    case.name.clone(),
                    if endings.is_empty() {
                        "not filled in".to_owned()
                    } else {
                        endings.join(" or ")
                    },
                    if case.has_capture() {
                        "replay, hub"
                    } else {
                        "replay"
                    }
                    .to_owned(),
                    format!("{kept} kB"),
                    case.tags.iter().cloned().collect::<Vec<_>>().join(" "),
                    case.about.clone(),
                ]);
            }
            Err(broken) => output::stderr(&report::plain(&format!("warning: {broken}"))),
        }
    }
    let table = report::document::Document {
        title: format!("{} cases in {}", rows.len(), evals.display()),
        card: None,
        blocks: vec![report::document::Block::Table {
            head: ["case", "truth", "tiers", "session", "tags", "about"]
                .map(str::to_owned)
                .to_vec(),
            rows,
        }],
    };
    output::stdout(&report::text(&table, output::width())).map(|()| 0)
}

fn scored(config: &Config, args: &EvalRunArgs, show: Show) -> Result<u8, AppError> {
    let cases = chosen(&args.chosen.evals, &args.cases, &args.tag)?;
    // Before anything is run: a base that cannot be read is wrong usage.
    let base = args.compare.as_deref().map(base).transpose()?;
    let order = order(config, args)?;
    let progress = Progress::new(show);
    progress.live(&format!("{} cases", cases.len()));
    let began = Instant::now();
    let results = eval::run_all(&cases, &order, |case| progress.line(&line(case)));
    progress.finish();
    let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let suite = Suite::new(order.tier, results, took);
    let changes = base.as_ref().map(|base| compare::changes(base, &suite));
    let document = tell::document(&suite, changes.as_deref());
    if args.json.as_deref() == Some(Path::new("-")) {
        output::stdout(&output::pretty(&suite))?;
    } else {
        output::stdout(&report::text(&document, output::width()))?;
    }
    files(args, &suite, &document)?;
    verdict(args, &suite, changes.as_deref())
}

/// A case in one line, while the others run.
fn line(case: &CaseResult) -> String {
    let Some(run) = case.telling() else {
        return case.name.clone();
    };
    let sign = match run.status {
        Status::Passed => "✓",
        Status::Skipped | Status::Unscored => "–",
        Status::Failed | Status::Diverged | Status::Broken => "✗",
    };
    let first = run.why.first().cloned().unwrap_or_default();
    let first = first.lines().next().unwrap_or_default();
    let why = match run.status {
        Status::Passed => String::new(),
        Status::Diverged if first.is_empty() => ": asks something else than recorded".to_owned(),
        _ => format!(": {first}"),
    };
    format!("{sign} {} {}{why}", case.name, run.status.word())
}

fn order(config: &Config, args: &EvalRunArgs) -> Result<Order, AppError> {
    let tier = match args.tier {
        TierArg::Replay => Tier::Replay,
        TierArg::Hub => Tier::Hub,
        TierArg::Live => Tier::Live,
    };
    let named = source::is_named(&args.source);
    if named && tier != Tier::Live {
        return Err(AppError::usage("a server can be named for the live tier only").hint("add `--tier live`"));
    }
    if tier == Tier::Live && config.ci {
        return Err(AppError::usage("the live tier is not for CI")
            .reason("its numbers depend on a server and a model that are not part of the change")
            .hint("`--tier replay` and `--tier hub` need neither; unset CI to run it all the same"));
    }
    let server = if named {
        let chosen = source::chosen(config, &args.source)?;
        let endpoint = source::endpoint(config, &chosen)?;
        let endpoint = Arc::new(endpoint);
        let server: eval::suite::Server = Box::new(move |_| Ok((*endpoint).clone()));
        Some(server)
    } else {
        None
    };
    let model = teller(config, args, tier)?;
    Ok(Order {
        tier,
        model,
        how: if args.exact { Match::Exact } else { Match::Shape },
        runs: args.runs,
        jobs: args
            .jobs
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from)),
        server,
        keep: args.keep.clone(),
    })
}

/// The model that flags or configuration name, for live runs only: the others answer from a script.
fn teller(config: &Config, args: &EvalRunArgs, tier: Tier) -> Result<Option<eval::suite::Teller>, AppError> {
    if args.model.model.is_some() && tier != Tier::Live {
        return Err(AppError::usage("a model can be named for the live tier only").hint("add `--tier live`"));
    }
    if tier != Tier::Live {
        return Ok(None);
    }
    let redactor = journal::redact::Redactor::new("eval");
    let Some(settings) = super::model::settings(config, &args.model, &redactor)? else {
        return Ok(None);
    };
    let Some(url) = settings.url.clone() else {
        return Err(AppError::usage("answers by hand are not for evals").hint("name a model of an endpoint"));
    };
    let endpoint = Arc::new(super::model::endpoint(config, &settings, &url)?);
    Ok(Some(Box::new(move || {
        Ok((settings.clone(), Box::new(endpoint.clone())))
    })))
}

fn base(path: &Path) -> Result<Suite, AppError> {
    let unusable = || AppError::usage(format!("`{}` is no result to compare with", path.display()));
    let text = fs::read_to_string(path).map_err(|error| unusable().because(&error))?;
    let suite: Suite = serde_json::from_str(&text).map_err(|error| {
        unusable()
            .because(&error)
            .hint("`rca-agent eval --json FILE` writes one")
    })?;
    if suite.schema != eval::suite::RESULTS {
        return Err(unusable().reason(format!(
            "its schema is `{}`, and this version reads `{}`",
            suite.schema,
            eval::suite::RESULTS
        )));
    }
    Ok(suite)
}

fn files(args: &EvalRunArgs, suite: &Suite, document: &report::document::Document) -> Result<(), AppError> {
    let unwritable = |path: &Path, error: &std::io::Error| {
        AppError::environment(format!("could not write `{}`", path.display())).because(error)
    };
    if let Some(path) = args.json.as_deref().filter(|path| *path != Path::new("-")) {
        fs::write(path, output::pretty(suite) + "\n").map_err(|error| unwritable(path, &error))?;
    }
    if let Some(path) = &args.junit {
        let xml = tell::junit(suite).map_err(|error| {
            AppError::new(Kind::Bug, "the results cannot be written as JUnit XML").because(&error)
        })?;
        fs::write(path, xml).map_err(|error| unwritable(path, &error))?;
    }
    if let Some(path) = &args.summary {
        // A CI job has one page, and several steps write to it.
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .and_then(|mut file| writeln!(file, "{}", report::markdown(document)))
            .map_err(|error| unwritable(path, &error))?;
    }
    Ok(())
}

/// The exit status, and what was not reached.
fn verdict(args: &EvalRunArgs, suite: &Suite, changes: Option<&[Change]>) -> Result<u8, AppError> {
    let sum = &suite.summary;
    if sum.runs == 0 {
        let mut nothing = AppError::new(Kind::Diverged, "nothing was scored");
        let reasons = suite.cases.iter().filter_map(CaseResult::telling);
        let mut reasons: Vec<String> = reasons.flat_map(|run| run.why.clone()).collect();
        reasons.sort();
        reasons.dedup();
        reasons.truncate(5);
        nothing.because = reasons;
        return Err(nothing);
    }
    let mut missed = Vec::new();
    if sum.rate + 1e-9 < args.min_rate {
        missed.push(format!(
            "{} of {} runs passed, and {:.1} % are wanted",
            sum.passed,
            sum.runs,
            args.min_rate * 100.0
        ));
    }
    if let Some(least) = args.min_score.filter(|least| sum.score < *least) {
        missed.push(format!(
            "the mean score is {:.3}, and {least} is wanted",
            sum.score
        ));
    }
    if let Some(most) = args.max_wrong_causes.filter(|most| sum.wrong_causes > *most) {
        missed.push(format!(
            "{} runs blame somebody wrong, and {most} are allowed",
            sum.wrong_causes
        ));
    }
    if let (Some(most), Some(brier)) = (args.max_brier, sum.calibration.brier)
        && brier > most
    {
        missed.push(format!("the Brier score is {brier:.4}, and {most} is allowed"));
    }
    let worse: Vec<&str> = changes
        .into_iter()
        .flatten()
        .filter(|change| change.is_worse())
        .map(|change| change.name.as_str())
        .collect();
    if !worse.is_empty() {
        missed.push(format!("worse than the base: {}", worse.join(", ")));
    }
    if missed.is_empty() {
        return Ok(0);
    }
    let mut error = AppError::new(Kind::Diverged, "the suite is not good enough");
    error.because = missed;
    if suite.tier == Tier::Replay && suite.runs().any(|run| run.status == Status::Diverged) {
        error = error.hint(
            "where today's way to ask is the better one, `rca-agent eval record CASE` records the session again; read its diff before you keep it",
        );
    }
    Err(error)
}

/// What has to be said of an error of a case that is run alone.
pub(super) fn failed(case: &EvalCase, error: &eval::run::EvalError, dir: &Path) -> AppError {
    let what = format!("could not run the case `{}`", case.name);
    match error {
        eval::run::EvalError::Session(error) => run::journal_error(error, dir),
        other => AppError::environment(what).because(other),
    }
}
