//! Slack's rules for blocks, as far as a message of ours can break them: <https://docs.slack.dev/reference/block-kit/blocks>.

use std::collections::BTreeSet;

use serde_json::Value;

/// Where blocks are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Message,
    Home,
}

/// Every rule that a message's text breaks.
pub(crate) fn text_faults(text: &str, known: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    if text.chars().count() > 40_000 {
        faults.push("the text is longer than 40000".to_owned());
    }
    marks(text, "text", known, &mut faults);
    faults
}

/// Every rule that the blocks break; `known` says who may be mentioned.
pub(crate) fn faults(blocks: &[Value], surface: Surface, known: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut check = Check {
        faults: Vec::new(),
        block_ids: BTreeSet::new(),
        action_ids: BTreeSet::new(),
        known,
    };
    let most = if surface == Surface::Home { 100 } else { 50 };
    if blocks.len() > most {
        check
            .faults
            .push(format!("{} blocks, more than {most}", blocks.len()));
    }
    for (at, block) in blocks.iter().enumerate() {
        check.block(&format!("blocks[{at}]"), block);
    }
    check.faults
}

struct Check<'a> {
    faults: Vec<String>,
    block_ids: BTreeSet<String>,
    action_ids: BTreeSet<String>,
    known: &'a dyn Fn(&str) -> bool,
}

impl Check<'_> {
    fn fault(&mut self, at: &str, what: &str) {
        self.faults.push(format!("{at}: {what}"));
    }

    fn block(&mut self, at: &str, block: &Value) {
        if let Some(id) = block.get("block_id") {
            match id.as_str() {
                Some(id) if id.chars().count() > 255 => self.fault(at, "block_id is longer than 255"),
                Some(id) if !self.block_ids.insert(id.to_owned()) => {
                    self.fault(at, "block_id is there twice");
                }
                Some(_) => {}
                None => self.fault(at, "block_id is no text"),
            }
        }
        match block.get("type").and_then(Value::as_str) {
            Some("header") => {
                self.only(at, block, &["type", "block_id", "text", "level"]);
                self.text(&format!("{at}.text"), block.get("text"), 150, true);
            }
            Some("section") => self.section(at, block),
            Some("divider") => self.only(at, block, &["type", "block_id"]),
            Some("context") => {
                self.only(at, block, &["type", "block_id", "elements"]);
                for (n, element) in self.list(at, block, "elements", 10) {
                    let at = format!("{at}.elements[{n}]");
                    if element.get("type").and_then(Value::as_str) == Some("image") {
                        self.image(&at, &element);
                    } else {
                        self.text(&at, Some(&element), 3_000, false);
                    }
                }
            }
            Some("actions") => {
                self.only(at, block, &["type", "block_id", "elements"]);
                for (n, element) in self.list(at, block, "elements", 25) {
                    self.button(&format!("{at}.elements[{n}]"), &element);
                }
            }
            Some("image") => self.image(at, block),
            Some(other) => self.fault(at, &format!("no block type that is used here: {other}")),
            None => self.fault(at, "it has no type"),
        }
    }

    fn section(&mut self, at: &str, block: &Value) {
        self.only(
            at,
            block,
            &["type", "block_id", "text", "fields", "accessory", "expand"],
        );
        if block.get("text").is_none() && block.get("fields").is_none() {
            self.fault(at, "a section needs text or fields");
        }
        if let Some(text) = block.get("text") {
            self.text(&format!("{at}.text"), Some(text), 3_000, false);
        }
        if block.get("fields").is_some() {
            for (n, field) in self.list(at, block, "fields", 10) {
                self.text(&format!("{at}.fields[{n}]"), Some(&field), 2_000, false);
            }
        }
        if let Some(accessory) = block.get("accessory") {
            self.button(&format!("{at}.accessory"), accessory);
        }
    }

    fn image(&mut self, at: &str, block: &Value) {
        if block.get("image_url").is_none() && block.get("slack_file").is_none() {
            self.fault(at, "an image needs image_url or slack_file");
        }
        match block.get("alt_text").and_then(Value::as_str) {
            Some(text) if text.chars().count() <= 2_000 => {}
            Some(_) => self.fault(at, "alt_text is longer than 2000"),
            None => self.fault(at, "an image needs alt_text"),
        }
    }

    fn button(&mut self, at: &str, element: &Value) {
        if element.get("type").and_then(Value::as_str) != Some("button") {
            self.fault(at, "no element that is used here");
            return;
        }
        self.only(
            at,
            element,
            &[
                "type",
                "action_id",
                "value",
                "text",
                "style",
                "url",
                "confirm",
                "accessibility_label",
            ],
        );
        self.text(&format!("{at}.text"), element.get("text"), 75, true);
        match element.get("action_id").and_then(Value::as_str) {
            Some(id) if id.is_empty() || id.chars().count() > 255 => {
                self.fault(at, "action_id is empty or longer than 255");
            }
            Some(id) if !self.action_ids.insert(id.to_owned()) => self.fault(at, "action_id is there twice"),
            Some(_) => {}
            None => self.fault(at, "a button needs an action_id"),
        }
        if let Some(value) = element.get("value") {
            match value.as_str() {
                Some(value) if value.chars().count() <= 2_000 => {}
                _ => self.fault(at, "value is no text, or longer than 2000"),
            }
        }
        if let Some(style) = element.get("style")
            && !matches!(style.as_str(), Some("primary" | "danger"))
        {
            self.fault(at, "style is neither primary nor danger");
        }
        if let Some(confirm) = element.get("confirm") {
            for (name, most, plain) in [
                ("title", 100, true),
                ("text", 300, false),
                ("confirm", 30, true),
                ("deny", 30, true),
            ] {
                self.text(&format!("{at}.confirm.{name}"), confirm.get(name), most, plain);
            }
        }
    }

    /// A text object: plain or in mark-up, not empty, not too long.
    fn text(&mut self, at: &str, text: Option<&Value>, most: usize, plain: bool) {
        let Some(text) = text else {
            self.fault(at, "it is missing");
            return;
        };
        let kind = text.get("type").and_then(Value::as_str);
        match kind {
            Some("plain_text") => self.only(at, text, &["type", "text", "emoji"]),
            Some("mrkdwn") if !plain => self.only(at, text, &["type", "text", "verbatim"]),
            _ => self.fault(at, "no text object that may be here"),
        }
        let Some(said) = text.get("text").and_then(Value::as_str) else {
            self.fault(at, "it has no text");
            return;
        };
        if said.is_empty() {
            self.fault(at, "it is empty");
        }
        if said.chars().count() > most {
            self.fault(at, &format!("it is longer than {most}"));
        }
        if kind == Some("mrkdwn") {
            marks(said, at, self.known, &mut self.faults);
        }
    }

    fn list(&mut self, at: &str, block: &Value, name: &str, most: usize) -> Vec<(usize, Value)> {
        let items = block
            .get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        if items.is_empty() || items.len() > most {
            self.fault(at, &format!("{name}: {} of them, not 1 to {most}", items.len()));
        }
        items.into_iter().enumerate().collect()
    }

    fn only(&mut self, at: &str, value: &Value, names: &[&str]) {
        for name in value.as_object().into_iter().flatten().map(|(name, _)| name) {
            if !names.contains(&name.as_str()) {
                self.fault(at, &format!("no field of it: {name}"));
            }
        }
    }
}

/// What rings people must be ours: nobody who is not known is mentioned, and never everybody.
fn marks(text: &str, at: &str, known: &dyn Fn(&str) -> bool, faults: &mut Vec<String>) {
    for (start, _) in text.match_indices('<') {
        let rest = &text[start + 1..];
        let Some(inside) = rest.split_once('>').map(|(inside, _)| inside) else {
            faults.push(format!("{at}: an unescaped <"));
            continue;
        };
        let fine = match inside.chars().next() {
            Some('!') => inside.starts_with("!date^"),
            Some('@') => known(inside[1..].split('|').next().unwrap_or_default()),
            Some('#') => false,
            _ => ["https://", "http://", "mailto:"]
                .iter()
                .any(|scheme| inside.starts_with(scheme)),
        };
        if !fine {
            faults.push(format!("{at}: a mark that must not be here: <{inside}>"));
        }
    }
}

#[test]
fn the_rules_are_held() {
    use serde_json::json;

    let known = |user: &str| user == "UMARTA";
    let button =
        |id: &str| json!({"type": "button", "action_id": id, "text": {"type": "plain_text", "text": "Go"}});
    let good = [
        json!({"type": "header", "text": {"type": "plain_text", "text": "Checkout"}}),
        json!({"type": "section", "text": {"type": "mrkdwn", "text": "<@UMARTA> <!date^1^{time}|x> &lt;!here&gt;"}}),
        json!({"type": "divider"}),
        json!({"type": "actions", "elements": [button("a"), button("b")]}),
    ];
    assert_eq!(faults(&good, Surface::Message, &known), Vec::<String>::new());
    let bad = [
        json!({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}),
        json!({"type": "section", "text": {"type": "mrkdwn", "text": "<!channel> <@UEVIL>"}}),
        json!({"type": "section", "text": {"type": "mrkdwn", "text": "x".repeat(3_001)}}),
        json!({"type": "section"}),
        json!({"type": "actions", "elements": [button("a"), button("a")]}),
        json!({"type": "actions", "elements": []}),
        json!({"type": "carousel"}),
    ];
    insta::assert_snapshot!(faults(&bad, Surface::Message, &known).join("\n"));
    let many = vec![json!({"type": "divider"}); 51];
    assert_eq!(
        faults(&many, Surface::Message, &known),
        ["51 blocks, more than 50"]
    );
    assert!(faults(&many, Surface::Home, &known).is_empty());
}
