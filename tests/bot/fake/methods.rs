//! The methods of the Web API, with Slack's refusals.

use serde_json::{Value, json};

use super::{BOT, BOT_USER, Posted, Shared, State, Stored, TEAM, Whispered};
use crate::blockkit::{self, Surface};

fn text(body: &Value, name: &str) -> String {
    body.get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn optional(body: &Value, name: &str) -> Option<String> {
    Some(text(body, name)).filter(|text| !text.is_empty())
}

fn blocks(body: &Value) -> Vec<Value> {
    body.get("blocks")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

fn refused(word: &str) -> Value {
    json!({"ok": false, "error": word})
}

/// Carries out a call.
pub(super) fn call(state: &mut State, shared: &Shared, method: &str, body: &Value, form: bool) -> Value {
    let reads = matches!(
        method,
        "conversations.history" | "conversations.replies" | "files.getUploadURLExternal" | "users.info"
    );
    if reads && !form {
        state.violations.push(format!("{method} takes forms only"));
        return refused("invalid_arguments");
    }
    let answered = match method {
        "auth.test" => Ok(
            json!({"ok": true, "team_id": TEAM, "team": "Shop", "user_id": BOT_USER,
            "user": "rca-agent", "bot_id": BOT, "url": "https://shop.slack.com/"}),
        ),
        "apps.connections.open" => {
            let ticket = state.next("ticket");
            Ok(json!({"ok": true, "url": format!("{}/link/?ticket={ticket}", shared.socket_address)}))
        }
        "chat.postMessage" => post(state, body),
        "chat.update" => update(state, body),
        "chat.postEphemeral" => whisper(state, body),
        "conversations.replies" | "conversations.history" => messages(state, body),
        "files.getUploadURLExternal" => ticket(state, shared, body),
        "files.completeUploadExternal" => complete(state, body),
        "users.info" => {
            let user = state.users.get(&text(body, "user"));
            user.map(|user| json!({"ok": true, "user": user}))
                .ok_or("user_not_found")
        }
        "views.publish" => publish(state, body),
        _ => {
            state
                .violations
                .push(format!("no method that is known here: {method}"));
            Err("unknown_method")
        }
    };
    answered.unwrap_or_else(refused)
}

type Answered = Result<Value, &'static str>;

/// Whether something may be said in a channel.
fn open(state: &State, body: &Value) -> Result<String, &'static str> {
    let channel = text(body, "channel");
    let channel = optional(body, "channel_id").unwrap_or(channel);
    if state.closed.contains(&channel) {
        Err("not_in_channel")
    } else if channel.starts_with(['C', 'D', 'G']) {
        Ok(channel)
    } else {
        Err("channel_not_found")
    }
}

/// Holds a message against the rules.
fn check(state: &mut State, method: &str, body: &Value) -> Result<(), &'static str> {
    let users = &state.users;
    let known = |user: &str| users.contains_key(user) || user == BOT_USER;
    let said = text(body, "text");
    let mut found = blockkit::text_faults(&said, &known);
    found.extend(blockkit::faults(&blocks(body), Surface::Message, &known));
    if said.is_empty() {
        found.push("the text is empty: notifications would be".to_owned());
    }
    if found.is_empty() {
        return Ok(());
    }
    state
        .violations
        .extend(found.into_iter().map(|fault| format!("{method}: {fault}")));
    Err("invalid_blocks")
}

fn thread_of(state: &State, channel: &str, body: &Value) -> Result<Option<String>, &'static str> {
    let Some(thread) = optional(body, "thread_ts") else {
        return Ok(None);
    };
    let there = state
        .messages
        .iter()
        .any(|message| message.channel == channel && message.ts == thread);
    if there {
        Ok(Some(thread))
    } else {
        Err("thread_not_found")
    }
}

fn post(state: &mut State, body: &Value) -> Answered {
    let channel = open(state, body)?;
    check(state, "chat.postMessage", body)?;
    let thread = thread_of(state, &channel, body)?;
    let ts = state.next_ts();
    state.messages.push(Posted {
        channel: channel.clone(),
        ts: ts.clone(),
        thread,
        user: BOT_USER.to_owned(),
        text: text(body, "text"),
        blocks: blocks(body),
        metadata: body.get("metadata").cloned().unwrap_or_default(),
        ..Posted::default()
    });
    Ok(json!({"ok": true, "channel": channel, "ts": ts}))
}

fn update(state: &mut State, body: &Value) -> Answered {
    let channel = open(state, body)?;
    check(state, "chat.update", body)?;
    let ts = text(body, "ts");
    let message = state
        .messages
        .iter_mut()
        .find(|message| message.channel == channel && message.ts == ts)
        .ok_or("message_not_found")?;
    if message.user != BOT_USER {
        return Err("cant_update_message");
    }
    message.text = text(body, "text");
    message.blocks = blocks(body);
    message.edits += 1;
    Ok(json!({"ok": true, "channel": channel, "ts": ts}))
}

fn whisper(state: &mut State, body: &Value) -> Answered {
    let channel = open(state, body)?;
    check(state, "chat.postEphemeral", body)?;
    let to = text(body, "user");
    if !state.users.contains_key(&to) {
        return Err("user_not_in_channel");
    }
    let thread = thread_of(state, &channel, body)?;
    state.whispers.push(Whispered {
        to,
        channel,
        thread,
        text: text(body, "text"),
        blocks: blocks(body),
    });
    let ts = state.next_ts();
    Ok(json!({"ok": true, "message_ts": ts}))
}

/// A message as Slack shows it to an app.
pub(super) fn shown(state: &State, message: &Posted, metadata: bool) -> Value {
    let mut value = json!({"type": "message", "user": message.user, "ts": message.ts, "text": message.text,
        "blocks": message.blocks, "team": TEAM});
    let object = value.as_object_mut().unwrap();
    if let Some(thread) = &message.thread {
        object.insert("thread_ts".to_owned(), json!(thread));
    }
    if message.user == BOT_USER {
        object.insert("bot_id".to_owned(), json!(BOT));
    }
    if metadata && !message.metadata.is_null() {
        object.insert("metadata".to_owned(), message.metadata.clone());
    }
    if !message.files.is_empty() {
        let files: Vec<Value> = message
            .files
            .iter()
            .map(|id| json!({"id": id, "name": state.files[id].name, "title": state.files[id].title}))
            .collect();
        object.insert("files".to_owned(), json!(files));
    }
    value
}

fn messages(state: &State, body: &Value) -> Answered {
    let channel = open(state, body)?;
    let metadata = text(body, "include_all_metadata") == "true";
    let found: Vec<&Posted> = match optional(body, "ts") {
        Some(ts) => state.thread(&channel, &ts),
        None => state
            .messages
            .iter()
            .rev()
            .filter(|message| message.channel == channel && message.thread.is_none())
            .collect(),
    };
    if found.is_empty() && optional(body, "ts").is_some() {
        return Err("thread_not_found");
    }
    let limit = text(body, "limit").parse().unwrap_or(100_usize).clamp(1, 1_000);
    let from: usize = text(body, "cursor").parse().unwrap_or(0);
    let page: Vec<Value> = found
        .iter()
        .skip(from)
        .take(limit)
        .map(|message| shown(state, message, metadata))
        .collect();
    let more = from + limit < found.len();
    let next = if more {
        (from + limit).to_string()
    } else {
        String::new()
    };
    Ok(json!({"ok": true, "messages": page, "has_more": more, "response_metadata": {"next_cursor": next}}))
}

fn ticket(state: &mut State, shared: &Shared, body: &Value) -> Answered {
    let (name, length) = (
        text(body, "filename"),
        text(body, "length").parse::<usize>().unwrap_or(0),
    );
    if name.is_empty() || length == 0 {
        return Err("invalid_arguments");
    }
    let id = state.next("F");
    state.files.insert(
        id.clone(),
        Stored {
            name,
            length,
            ..Stored::default()
        },
    );
    Ok(json!({"ok": true, "upload_url": format!("{}/upload/{id}", shared.url), "file_id": id}))
}

/// Takes the bytes of a file.
pub(super) fn upload(state: &mut State, id: &str, bytes: &[u8]) -> Value {
    match state.files.get_mut(id) {
        Some(file) if file.length == bytes.len() => {
            file.bytes = bytes.to_vec();
            json!({"ok": true})
        }
        _ => {
            state
                .violations
                .push(format!("the bytes of {id} are not what was announced"));
            refused("invalid")
        }
    }
}

fn complete(state: &mut State, body: &Value) -> Answered {
    let channel = open(state, body)?;
    let thread = thread_of(state, &channel, body)?;
    let mut ids = Vec::new();
    for asked in body.get("files").and_then(Value::as_array).into_iter().flatten() {
        let id = text(asked, "id");
        let file = state.files.get_mut(&id).ok_or("file_not_found")?;
        if file.bytes.is_empty() {
            return Err("file_not_found");
        }
        file.title = text(asked, "title");
        ids.push(id);
    }
    if ids.is_empty() {
        return Err("invalid_arguments");
    }
    let ts = state.next_ts();
    state.messages.push(Posted {
        channel,
        ts,
        thread,
        user: BOT_USER.to_owned(),
        files: ids,
        ..Posted::default()
    });
    Ok(json!({"ok": true}))
}

fn publish(state: &mut State, body: &Value) -> Answered {
    let user = text(body, "user_id");
    let view = body.get("view").cloned().unwrap_or_default();
    let blocks = blocks(&view);
    let users = &state.users;
    let known = |user: &str| users.contains_key(user) || user == BOT_USER;
    let found = blockkit::faults(&blocks, Surface::Home, &known);
    if text(&view, "type") != "home" || !found.is_empty() {
        state
            .violations
            .extend(found.into_iter().map(|fault| format!("views.publish: {fault}")));
        return Err("invalid_arguments");
    }
    state.homes.insert(user, blocks);
    Ok(json!({"ok": true}))
}
