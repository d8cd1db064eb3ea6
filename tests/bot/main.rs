//! The bot: its store, its words, its Slack, and all of them together against a fake Slack over real sockets.
