//! `kfl`: the filter language on the command line.

use serde_json::json;

use super::{args::KflAction, count, output};
use crate::{config::Config, error::AppError, kfl, progress::Show};

pub(super) fn run(config: &Config, action: &KflAction, show: Show) -> Result<u8, AppError> {
    match action {
        KflAction::Check { filter, json } => check(filter, *json, false),
        KflAction::Explain { filter, json } => check(filter, *json, true),
        KflAction::Count(args) => super::on_runtime(count::count(config, args, show)),
        KflAction::Fields { pattern, json } => fields(pattern.as_deref(), *json),
    }
}

fn check(filter: &str, as_json: bool, explain: bool) -> Result<u8, AppError> {
    match kfl::check(filter) {
        Ok(checked) => {
            let meaning = kfl::explain(&checked);
            if as_json {
                let value = json!({ "ok": true, "meaning": meaning, "warnings": checked.warnings() });
                output::stdout(&output::pretty(&value))?;
            } else {
                for warning in checked.warnings() {
                    output::stderr(&warning.render(filter));
                }
                output::stdout(if explain { &meaning } else { "the filter is right" })?;
            }
            Ok(0)
        }
        Err(diagnostics) => {
            if as_json {
                output::stdout(&output::pretty(&json!({ "ok": false, "errors": diagnostics })))?;
            } else {
                for diagnostic in &diagnostics {
                    output::stderr(&diagnostic.render(filter));
                }
            }
            Ok(1)
        }
    }
}

fn fields(pattern: Option<&str>, as_json: bool) -> Result<u8, AppError> {
    let found = kfl::field::search(pattern.unwrap_or_default());
    if as_json {
        let value: Vec<_> = found
            .iter()
            .map(|field| json!({ "name": field.name, "type": field.kind.name(), "group": field.group, "unit": field.unit, "note": field.note }))
            .collect();
        output::stdout(&output::pretty(&value))?;
    } else {
        for field in &found {
            let rest: Vec<&str> = [field.unit.as_deref(), field.note.as_deref()]
                .into_iter()
                .flatten()
                .collect();
            output::stdout(
                format!(
                    "{:<34} {:<20} {:<16} {}",
                    field.name,
                    field.kind.name(),
                    field.group,
                    rest.join("; ")
                )
                .trim_end(),
            )?;
        }
    }
    if found.is_empty() {
        return Err(AppError::environment(format!(
            "no field has `{}` in its name, group or note",
            pattern.unwrap_or_default()
        ))
        .hint("`rca-agent kfl fields` lists all"));
    }
    Ok(0)
}
