//! Slack's markup as plain text.

/// What a person sees of a text in Slack's markup: the mention of `me` gone, links as their labels, entities decoded.
pub fn plain(text: &str, me: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        out.push_str(rest.get(..open).unwrap_or_default());
        let inside = rest.get(open + 1..).unwrap_or_default();
        let Some(close) = inside.find('>') else {
            out.push_str(rest.get(open..).unwrap_or_default());
            rest = "";
            break;
        };
        let (token, after) = (
            inside.get(..close).unwrap_or_default(),
            inside.get(close + 1..).unwrap_or_default(),
        );
        let (target, label) = token.split_once('|').unwrap_or((token, ""));
        if target.strip_prefix('@') != Some(me) {
            let shown = if label.is_empty() {
                target.trim_start_matches(['@', '#', '!'])
            } else {
                label
            };
            out.push_str(shown);
        }
        rest = after;
    }
    out.push_str(rest);
    let decoded = out
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    decoded.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_is_seen_is_what_is_left() {
        for (markup, seen) in [
            (
                "<@U0RCA> what broke *checkout* at 3pm?",
                "what broke *checkout* at 3pm?",
            ),
            (
                "ask <@U1|ann> about <https://x.example/a?b|the page>",
                "ask ann about the page",
            ),
            ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
            (
                "<!channel> <#C1|ops> <https://x.example>",
                "channel ops https://x.example",
            ),
            ("open < and no end", "open < and no end"),
            ("", ""),
        ] {
            assert_eq!(plain(markup, "U0RCA"), seen);
        }
    }
}
