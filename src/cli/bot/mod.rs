//! `slack` and `serve`: the bot.

#[expect(dead_code, reason = "the commands that run the bot come with its desk")]
mod runs;
