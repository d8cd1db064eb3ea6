//! What a bot's token has to be allowed.

/// The methods that are used, and the scope that a bot's token needs for each. `doctor` and a test of the manifest hold
/// themselves to it.
pub const SCOPES: &[(&str, &str)] = &[
    ("chat.postMessage", "chat:write"),
    ("chat.update", "chat:write"),
    ("chat.postEphemeral", "chat:write"),
    ("conversations.replies", "channels:history"),
    ("conversations.replies", "groups:history"),
    ("conversations.replies", "im:history"),
    ("conversations.history", "channels:history"),
    ("conversations.replies (files)", "files:read"),
    ("files.getUploadURLExternal", "files:write"),
    ("files.completeUploadExternal", "files:write"),
    ("users.info", "users:read"),
    ("app_mention", "app_mentions:read"),
    ("/rca", "commands"),
];
