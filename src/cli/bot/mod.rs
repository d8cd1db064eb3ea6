//! `slack` and `serve`: the bot.

mod runs;
