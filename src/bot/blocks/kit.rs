//! Block Kit whose limits hold by construction, and text that can hold no mark-up but ours.

use serde_json::{Value, json};

use crate::{
    report::plain,
    time::{Utc, Zone},
};

/// Characters of a section's text. Slack's limit, as the others here.
const SECTION: usize = 3000;
const FIELD: usize = 2000;
const FIELDS: usize = 10;
const HEADER: usize = 150;
const LABEL: usize = 75;
const VALUE: usize = 2000;
const BUTTONS: usize = 25;
const BLOCKS: usize = 50;
/// Characters of the text beside the blocks.
const FALLBACK: usize = 1000;
/// Characters of one emphasised or quoted piece.
const PIECE: usize = 300;

/// Text in Slack's mark-up. What is not ours goes in through [`Mrkdwn::text`] and its like, and comes out harmless.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mrkdwn {
    /// Pieces that are shown whole or not at all.
    atoms: Vec<String>,
    /// UTF-16 units of all of them.
    length: usize,
}

impl Mrkdwn {
    pub fn new() -> Self {
        Self::default()
    }

    /// Ours: mark-up in it works.
    #[must_use]
    pub fn say(mut self, text: &'static str) -> Self {
        self.push(text.to_owned());
        self
    }

    /// Untrusted. What stands between backticks on one line is shown as code, so that a command can be copied.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        let mut before = None;
        let mut rest = text;
        // What cannot be shown any more is not worth escaping.
        while let Some(c) = rest.chars().next()
            && self.length <= SECTION
        {
            let after = rest.get(c.len_utf8()..).unwrap_or_default();
            rest = after;
            match c {
                '\n' => self.push("\n".to_owned()),
                '`' if let Some((code, tail)) = quoted(after) => {
                    self = self.code(code);
                    rest = tail;
                }
                c => {
                    if let Some(shown) = harmless(before, c, after.chars().next()) {
                        self.push(shown);
                    }
                }
            }
            before = Some(c);
        }
        self
    }

    /// Untrusted, bold.
    #[must_use]
    pub fn bold(self, text: &str) -> Self {
        let inner = escaped(&cut(&plain(text), PIECE));
        self.marked("*", inner.trim())
    }

    /// Untrusted, as code.
    #[must_use]
    pub fn code(self, text: &str) -> Self {
        // Nothing but the end of the code and the angle brackets means anything in it.
        let inner = cut(&plain(text), PIECE)
            .replace('`', "ˋ")
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        self.marked("`", inner.trim())
    }

    /// Untrusted, with its lines and columns as a terminal shows them; as many whole lines as fit into `most` characters.
    #[must_use]
    pub fn listing(mut self, text: &str, most: usize) -> Self {
        let mut out = String::new();
        for line in text.lines() {
            let line = plain(line)
                .replace('`', "ˋ")
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;");
            if units(&out) + units(&line) + 1 > most {
                break;
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        if !out.trim().is_empty() {
            self.push(format!("```\n{out}```"));
        }
        self
    }

    fn marked(mut self, mark: &str, inner: &str) -> Self {
        if !inner.is_empty() {
            self.push(format!("{mark}{inner}{mark}"));
        }
        self
    }

    /// Untrusted lines, each behind a bullet.
    #[must_use]
    pub fn bullets<'a>(self, lines: impl IntoIterator<Item = &'a String>) -> Self {
        lines
            .into_iter()
            .fold(self, |text, line| text.say("• ").text(line).say("\n"))
    }

    /// A person, by the id that Slack gave.
    #[must_use]
    pub fn person(mut self, user: &str) -> Self {
        let known = !user.is_empty() && user.len() <= 32 && user.chars().all(|c| c.is_ascii_alphanumeric());
        if known {
            self.push(format!("<@{user}>"));
            self
        } else {
            self.text("somebody")
        }
    }

    /// A time as each reader's Slack shows it, with UTC beside.
    #[must_use]
    pub fn at(mut self, at: Utc, zone: Zone) -> Self {
        let same = zone.local(at).date() == at.date_naive();
        let utc = at.format(if same { "%H:%M:%S" } else { "%-d %b %H:%M:%S" });
        self.push(format!(
            "<!date^{}^{{date_short_pretty}} {{time_secs}}|{}> ({utc} UTC)",
            at.timestamp(),
            escaped(&spelt(at, zone)),
        ));
        self
    }

    /// The same from RFC 3339, as reports hold times; what is no time is shown as it is.
    #[must_use]
    pub fn at_text(self, at: &str, zone: Zone) -> Self {
        match at.parse::<Utc>() {
            Ok(at) => self.at(at, zone),
            Err(_) => self.text(at),
        }
    }

    /// Everything of another one.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        for atom in other.atoms {
            self.push(atom);
        }
        self
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn push(&mut self, atom: String) {
        self.length += units(&atom);
        self.atoms.push(atom);
    }

    /// As Slack takes it, at most `limit` long.
    fn within(&self, limit: usize) -> String {
        if self.length <= limit {
            return self.atoms.concat();
        }
        let mut out = String::new();
        let mut used = 1;
        for atom in &self.atoms {
            used += units(atom);
            if used > limit {
                break;
            }
            out.push_str(atom);
        }
        out.push('…');
        out
    }

    fn element(&self, limit: usize) -> Value {
        let text = self.within(limit);
        // An empty text is refused.
        let text = if text.trim().is_empty() {
            "–".to_owned()
        } else {
            text
        };
        json!({ "type": "mrkdwn", "text": text, "verbatim": true })
    }
}

/// Slack counts as JavaScript does.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A character that is neither mark-up nor can hide or reorder others. Underscores inside of names stay.
fn harmless(before: Option<char>, c: char, after: Option<char>) -> Option<String> {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    Some(match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '*' => "∗".to_owned(),
        '_' if !(word(before) && word(after)) => "＿".to_owned(),
        '~' => "∼".to_owned(),
        '`' => "ˋ".to_owned(),
        c => {
            let shown = plain(c.encode_utf8(&mut [0; 4]));
            if shown.is_empty() {
                return None;
            }
            shown
        }
    })
}

/// What stands before the next backtick, and what after it; only where that is short and on the same line.
fn quoted(after: &str) -> Option<(&str, &str)> {
    let near = after.char_indices().nth(PIECE).map_or(after.len(), |(at, _)| at);
    let end = after.get(..near)?.find(['`', '\n'])?;
    let (code, tail) = (after.get(..end)?, after.get(end..)?.strip_prefix('`')?);
    (!code.trim().is_empty()).then_some((code, tail))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if let Some(shown) = harmless(before, c, rest.peek().copied()) {
            out.push_str(&shown);
        }
        before = Some(c);
    }
    out
}

/// At most `limit` UTF-16 units, with `…` where something was left out.
fn cut(text: &str, limit: usize) -> String {
    if units(text) <= limit {
        return text.to_owned();
    }
    let mut used = 1;
    let mut out: String = text
        .chars()
        .take_while(|c| {
            used += c.len_utf16();
            used <= limit
        })
        .collect();
    out.push('…');
    out
}

/// `23 Nov 03:34:12 IST`: what a notification shows in place of a date token.
fn spelt(at: Utc, zone: Zone) -> String {
    format!(
        "{} {}",
        zone.local(at).format("%-d %b %H:%M:%S"),
        zone.abbreviation(at)
    )
}

/// A button.
#[derive(Clone, Debug, PartialEq)]
pub struct Button {
    action: String,
    value: String,
    label: String,
    style: Option<&'static str>,
}

impl Button {
    /// `action` is what a press says; see [`crate::bot::incoming::read`].
    pub fn new(action: &str, value: &str, label: &str) -> Self {
        Self {
            action: action.to_owned(),
            value: value.to_owned(),
            label: label.to_owned(),
            style: None,
        }
    }

    #[must_use]
    pub fn primary(mut self) -> Self {
        self.style = Some("primary");
        self
    }

    #[must_use]
    pub fn danger(mut self) -> Self {
        self.style = Some("danger");
        self
    }

    fn value(&self, index: usize) -> Value {
        // Action ids have to differ within a message.
        let mut value = json!({
            "type": "button",
            "action_id": cut(&format!("rca_{}:{index}", self.action), 255),
            "value": cut(&self.value, VALUE),
            "text": { "type": "plain_text", "text": label(&self.label, LABEL), "emoji": false },
        });
        if let (Some(style), Some(object)) = (self.style, value.as_object_mut()) {
            object.insert("style".to_owned(), json!(style));
        }
        value
    }
}

fn label(text: &str, limit: usize) -> String {
    let text = cut(plain(text).trim(), limit);
    if text.is_empty() { "–".to_owned() } else { text }
}

/// Blocks of one message, at most fifty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blocks {
    blocks: Vec<Value>,
    left_out: bool,
}

impl Blocks {
    pub fn new() -> Self {
        Self::default()
    }

    fn push(mut self, block: Value) -> Self {
        // The last places are for what a message ends with: see `last`.
        if self.blocks.len() < BLOCKS - 3 {
            self.blocks.push(block);
        } else {
            self.left_out = true;
        }
        self
    }

    /// Untrusted.
    #[must_use]
    pub fn header(self, text: &str) -> Self {
        self.push(json!({
            "type": "header",
            "text": { "type": "plain_text", "text": label(text, HEADER), "emoji": false },
        }))
    }

    #[must_use]
    pub fn section(self, text: &Mrkdwn) -> Self {
        self.push(json!({ "type": "section", "text": text.element(SECTION) }))
    }

    /// Pairs of a name and what it is, at most ten.
    #[must_use]
    pub fn fields(self, fields: &[Mrkdwn]) -> Self {
        let fields: Vec<Value> = fields
            .iter()
            .take(FIELDS)
            .map(|field| field.element(FIELD))
            .collect();
        if fields.is_empty() {
            return self;
        }
        self.push(json!({ "type": "section", "fields": fields }))
    }

    #[must_use]
    pub fn divider(self) -> Self {
        self.push(json!({ "type": "divider" }))
    }

    /// Small print.
    #[must_use]
    pub fn context(self, text: &Mrkdwn) -> Self {
        self.push(json!({ "type": "context", "elements": [text.element(FIELD)] }))
    }

    /// The message's end: buttons, which are there however long it is.
    #[must_use]
    pub fn last(mut self, buttons: &[Button]) -> Self {
        if self.left_out {
            let more = Mrkdwn::new().say("_More is in the attached report._");
            self.blocks
                .push(json!({ "type": "context", "elements": [more.element(FIELD)] }));
            self.left_out = false;
        }
        let elements: Vec<Value> = buttons
            .iter()
            .take(BUTTONS)
            .enumerate()
            .map(|(index, button)| button.value(index))
            .collect();
        if !elements.is_empty() && self.blocks.len() < BLOCKS {
            self.blocks
                .push(json!({ "type": "actions", "elements": elements }));
        }
        self
    }

    /// The message. `text` is what a notification shows; untrusted.
    pub fn message(self, text: &str) -> crate::bot::slack::Message {
        crate::bot::slack::Message {
            text: Mrkdwn::new().text(&label(text, FALLBACK)).within(FALLBACK),
            blocks: self.blocks,
        }
    }

    /// The blocks alone, for a home.
    pub fn into_values(self) -> Vec<Value> {
        self.blocks
    }
}
