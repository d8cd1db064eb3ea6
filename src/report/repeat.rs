//! The commands that show a report again, and that ask the same of another moment.

use super::picture::Repeat;
use crate::investigation::{Case, settings::Source};

/// How to repeat an investigation, the cheapest first.
pub(super) fn repeat(case: &Case) -> Vec<Repeat> {
    let id = word(&case.id);
    let mut repeat = vec![Repeat {
        what: "this report again, from the journal, without any server".to_owned(),
        command: format!("rca-agent replay {id} --format html"),
    }];
    let settings = &case.settings;
    let source = match &settings.source {
        Source::Command { command } => Some(format!("--mcp-command {}", word(command))),
        Source::Url { url } => Some(format!("--mcp-url {}", word(url))),
        Source::Capture { path } => Some(format!("--capture {}", word(path))),
        Source::Demo { .. } => None,
    };
    let command = match (&settings.source, source) {
        (Source::Demo { name }, _) => format!("rca-agent demo {}", word(name)),
        (_, source) => {
            let window = settings.reading.window;
            let mut words = vec!["rca-agent investigate".to_owned()];
            if !settings.question.is_empty() {
                words.push(word(&settings.question));
            }
            words.extend(source);
            words.push(format!(
                "--since {} --until {}",
                window.start.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
                window.end.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
            ));
            if let Some(namespace) = &settings.namespace {
                words.push(format!("-n {}", word(namespace)));
            }
            if let Some(service) = &settings.service {
                words.push(format!("--service {}", word(&service.to_string())));
            }
            words.join(" ")
        }
    };
    repeat.push(Repeat {
        what: "the same question of the same time, with new queries".to_owned(),
        command,
    });
    repeat
}

/// One word of a shell, quoted where it has to be.
fn word(text: &str) -> String {
    let simple = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(simple) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The address of the dashboard: what settings say, else what `kubeshark mcp --url` was given, which serves both.
pub(super) fn dashboard(case: &Case) -> Option<String> {
    let settings = &case.settings;
    let said = settings.dashboard.as_deref().or(match &settings.source {
        Source::Command { command } => {
            let mut words = command.split_whitespace();
            words.find(|word| *word == "--url").and_then(|_| words.next())
        }
        _ => None,
    })?;
    let web = said.starts_with("http://") || said.starts_with("https://");
    (web && !said.contains(|c: char| c.is_whitespace() || c.is_control() || "\"'<>`\\".contains(c)))
        .then(|| said.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_word_cannot_become_two_or_a_command() {
        assert_eq!(word("shop/gateway"), "shop/gateway");
        assert_eq!(word("it's; rm -rf /"), r"'it'\''s; rm -rf /'");
        assert_eq!(word("$(boom)`x`"), "'$(boom)`x`'");
        assert_eq!(word(""), "''");
    }
}
