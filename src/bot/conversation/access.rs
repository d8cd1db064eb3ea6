//! Who may speak to the bot, and where.

use super::Policy;
use crate::bot::person::{Person, Place};

/// Why somebody is not allowed, with who can change that; `None` where all is well.
pub(super) fn refused(by: &Person, at: Option<&Place>, policy: &Policy) -> Option<String> {
    let allowed = |list: &[String], one: &str| list.is_empty() || list.iter().any(|known| known == one);
    let contact = match &policy.contact {
        Some(contact) => format!("{contact} can allow it."),
        None => "Whoever runs this bot can allow it, in its configuration.".to_owned(),
    };
    if !allowed(&policy.teams, &by.team) {
        return Some(format!("This workspace may not use me. {contact}"));
    }
    if !allowed(&policy.users, &by.user) {
        return Some(format!("You may not use me. {contact}"));
    }
    let at = at?;
    let direct = at.channel.starts_with('D') && policy.users.contains(&by.user);
    if !direct && !allowed(&policy.channels, &at.channel) {
        return Some(format!("I may not be used in this channel. {contact}"));
    }
    None
}
