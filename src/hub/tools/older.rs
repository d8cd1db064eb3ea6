//! The tools as an older Kubeshark has them: other parameters, thinner answers, numbers as strings.

use serde_json::{Map, Value, json};

use super::super::error::ToolError;
use super::super::hub::Shared;
use super::args::Args;
use super::{Answer, newer, snapshots};

/// Performs a call of the older dialect.
pub(super) fn call(hub: &Shared, tool: &str, args: &Args) -> Result<Answer, ToolError> {
    let answer = match tool {
        "get_l7_data_boundaries" | "get_api_call_details" => {
            return Err(ToolError::UnknownTool(tool.to_owned()));
        }
        "create_snapshot" => {
            let snapshot = snapshots::begin(hub, args)?;
            json!({"success": true, "name": snapshot.name, "status": "in_progress"}).into()
        }
        // Snapshots go by name: there are no ids to be seen.
        "list_snapshots" => {
            let all: Vec<Value> = hub
                .snapshots
                .list()
                .iter()
                .map(|one| thinner(snapshots::show(one)))
                .collect();
            json!({"snapshots": all}).into()
        }
        "get_snapshot" => {
            let snapshot = super::targets::snapshot(hub, args, &["name"])?;
            let mut shown = snapshots::show(&snapshot);
            shown.insert("packet_count".into(), json!(snapshot.size().0));
            thinner(shown).into()
        }
        "start_snapshot_dissection" => {
            let snapshot = super::targets::snapshot(hub, args, &["snapshot"])?;
            let begun = hub
                .snapshots
                .dissect(&snapshot, Some(args.required(&["name"])?))?;
            json!({"success": true, "snapshot": snapshot.name, "name": begun.name, "status": "pending"})
                .into()
        }
        "get_snapshot_dissection_status" => {
            let (_, dissection) = snapshots::asked_dissection(hub, args)?;
            let mut shown =
                json!({"progress": dissection.progress(), "active": snapshots::active(&dissection.phase())});
            let errors = dissection.errors();
            if let (false, Some(shown)) = (errors.is_empty(), shown.as_object_mut()) {
                shown.insert("error".into(), json!(errors.join("; ")));
            }
            shown.into()
        }
        "list_snapshot_dissections" => match newer(hub, tool, args)? {
            Answer::Json(mut shown) => {
                let all = shown.get_mut("dissections").and_then(Value::as_array_mut);
                for one in all.into_iter().flatten().filter_map(Value::as_object_mut) {
                    one.retain(|name, _| {
                        ["snapshot", "name", "status", "entry_count"].contains(&name.as_str())
                    });
                }
                shown.into()
            }
            text @ Answer::Text(_) => text,
        },
        "get_api_call" => match newer(hub, tool, args)? {
            Answer::Json(Value::Object(mut shown)) => {
                let mut entry = shown.remove("entry").unwrap_or_default();
                if let Some(entry) = entry.as_object_mut() {
                    entry.extend(
                        ["req_body", "resp_body"]
                            .into_iter()
                            .filter_map(|name| shown.remove_entry(name)),
                    );
                }
                entry.into()
            }
            other => other,
        },
        _ => newer(hub, tool, args)?,
    };
    Ok(match answer {
        Answer::Json(shown) => Answer::Json(numbers_as_text(shown)),
        text @ Answer::Text(_) => text,
    })
}

fn thinner(mut snapshot: Map<String, Value>) -> Value {
    for name in ["id", "progress", "start_ts", "end_ts", "node_count"] {
        snapshot.remove(name);
    }
    Value::Object(snapshot)
}

fn numbers_as_text(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        // What Go writes for a list that was never filled.
        Value::Array(all) if all.is_empty() => Value::Null,
        Value::Array(all) => all.into_iter().map(numbers_as_text).collect(),
        Value::Object(all) => all
            .into_iter()
            .map(|(name, value)| (name, numbers_as_text(value)))
            .collect(),
        other => other,
    }
}
