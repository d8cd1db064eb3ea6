//! A Slack of its own, over real sockets: the Web API over HTTP, Socket Mode over a WebSocket, signed events over HTTP.
//!
//! It keeps what is said in memory and answers as Slack does, its refusals included. Every block that reaches it is held
//! against Slack's rules ([`super::blockkit`]); what breaks one is refused as Slack would, and fails the test at the end.
//! A test lets people act ([`FakeSlack::mention`], [`FakeSlack::press`], …), makes Slack misbehave ([`FakeSlack::fail`],
//! [`FakeSlack::disconnect`], …), and waits for what comes of it with [`FakeSlack::wait_for`].

#![allow(dead_code, reason = "a whole Slack: not every test needs all of it")]

pub(crate) mod act;
mod methods;
mod render;
mod server;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

/// The workspace.
pub(crate) const TEAM: &str = "TSHOP";
/// The bot's user, and the bot.
pub(crate) const BOT_USER: &str = "UBOT";
pub(crate) const BOT: &str = "BBOT";

/// What the token may do, unless a test takes some of it away.
const SCOPES: [&str; 10] = [
    "app_mentions:read",
    "channels:history",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "im:history",
    "im:read",
    "users:read",
];

/// For so long a test waits for anything.
const PATIENCE: Duration = Duration::from_mins(1);

/// What Slack does instead of answering a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 429 with `Retry-After`, seconds.
    RateLimited(u64),
    /// The call is not carried out.
    Status(u16),
    /// `{"ok": false, "error": …}`
    Word(&'static str),
    /// Says nothing, and does not hang up either. The call is not carried out.
    Hang,
    /// Carries the call out, and hangs up before the answer is through.
    CutAfter,
    /// Hangs up without carrying it out.
    CutBefore,
    /// Answers with a page.
    NotJson,
}

/// One call of the Web API.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) body: Value,
}

/// A message of a channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Posted {
    pub(crate) channel: String,
    pub(crate) ts: String,
    pub(crate) thread: Option<String>,
    pub(crate) user: String,
    pub(crate) text: String,
    pub(crate) blocks: Vec<Value>,
    pub(crate) metadata: Value,
    /// Ids of [`State::files`].
    pub(crate) files: Vec<String>,
    /// How often it was replaced.
    pub(crate) edits: usize,
}

/// A message that one person sees.
#[derive(Clone, Debug)]
pub(crate) struct Whispered {
    pub(crate) to: String,
    pub(crate) channel: String,
    pub(crate) thread: Option<String>,
    pub(crate) text: String,
    pub(crate) blocks: Vec<Value>,
}

/// A file, from its ticket on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) length: usize,
    pub(crate) bytes: Vec<u8>,
}

/// Everything that Slack knows.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) calls: Vec<Call>,
    pub(crate) messages: Vec<Posted>,
    pub(crate) whispers: Vec<Whispered>,
    /// Blocks of each person's app home.
    pub(crate) homes: BTreeMap<String, Vec<Value>>,
    pub(crate) files: BTreeMap<String, Stored>,
    /// As `users.info` answers.
    pub(crate) users: BTreeMap<String, Value>,
    /// Channels that the bot is not in.
    pub(crate) closed: Vec<String>,
    /// Rules that were broken.
    pub(crate) violations: Vec<String>,
    /// Ids of the envelopes that were acknowledged, in that order.
    pub(crate) acks: Vec<String>,
    /// Sockets that are open.
    pub(crate) connected: usize,
    /// Sockets that were opened.
    pub(crate) opened: usize,
    /// Status of each event that was sent over HTTP.
    pub(crate) answers: Vec<u16>,
    /// Scopes that the token holds.
    pub(crate) scopes: Vec<String>,
    faults: VecDeque<(String, Fault)>,
    /// Envelopes that wait for an acknowledgement: (id, type, payload, attempts before).
    pending: Vec<(String, String, Value, u64)>,
    sockets: Vec<(usize, mpsc::UnboundedSender<Frame>)>,
    counter: u64,
}

/// What a WebSocket is told to do.
#[derive(Clone, Debug)]
enum Frame {
    Text(String),
    /// Gone without a word.
    Cut,
}

struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    socket_address: String,
    url: String,
    app_token: String,
    bot_token: String,
    signing_secret: String,
    /// Where events go over HTTP, if not over a WebSocket.
    target: Mutex<Option<String>>,
    /// Unix seconds with which requests are signed; the system's where it is `None`.
    signs_at: Mutex<Option<i64>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what Slack knows, and wakes whoever waits.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.send_modify(|count| *count += 1);
        changed
    }
}

impl State {
    /// The next of a kind of id; the same in every run.
    fn next(&mut self, prefix: &str) -> String {
        self.counter += 1;
        format!("{prefix}{:06}", self.counter)
    }

    /// The time stamp of the next message: a second apart, the same in every run.
    fn next_ts(&mut self) -> String {
        self.counter += 1;
        format!("{}.{:06}", 1_790_000_000 + self.counter, self.counter)
    }

    /// The messages of a thread, the first one included.
    pub(crate) fn thread(&self, channel: &str, ts: &str) -> Vec<&Posted> {
        let of = |message: &&Posted| {
            message.channel == channel && (message.ts == ts || message.thread.as_deref() == Some(ts))
        };
        self.messages.iter().filter(of).collect()
    }

    /// What the bot said anywhere, without files.
    pub(crate) fn said(&self) -> Vec<&Posted> {
        let ours = |message: &&Posted| message.user == BOT_USER && message.files.is_empty();
        self.messages.iter().filter(ours).collect()
    }

    /// How often a method was called.
    pub(crate) fn called(&self, method: &str) -> usize {
        self.calls.iter().filter(|call| call.method == method).count()
    }

    /// Text and every text of the blocks, one a line: to look for words in.
    pub(crate) fn words(blocks: &[Value], text: &str) -> String {
        format!("{text}\n{}", render::blocks(blocks))
    }
}

/// A running Slack. Dropping it ends it, and fails the test where a rule was broken.
pub(crate) struct FakeSlack {
    /// Base of the Web API: `http://127.0.0.1:…/api`.
    pub(crate) url: String,
    pub(crate) app_token: String,
    pub(crate) bot_token: String,
    pub(crate) signing_secret: String,
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl FakeSlack {
    /// Starts one, with two people: `UMARTA` in Warsaw and `UDAN` in Jerusalem.
    pub(crate) async fn start() -> Self {
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sockets = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", http.local_addr().unwrap());
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                scopes: SCOPES.map(str::to_owned).to_vec(),
                ..State::default()
            }),
            changed: watch::channel(0).0,
            socket_address: format!("ws://{}", sockets.local_addr().unwrap()),
            url: base.clone(),
            app_token: "xapp-1-fake".to_owned(),
            bot_token: "xoxb-fake".to_owned(),
            signing_secret: "8f742231b10e8888abcd99yyyzzz85a5".to_owned(),
            target: Mutex::new(None),
            signs_at: Mutex::new(None),
        });
        let tasks = vec![
            tokio::spawn(server::http(http, Arc::clone(&shared))),
            tokio::spawn(server::sockets(sockets, Arc::clone(&shared))),
        ];
        let fake = Self {
            url: format!("{base}/api"),
            app_token: shared.app_token.clone(),
            bot_token: shared.bot_token.clone(),
            signing_secret: shared.signing_secret.clone(),
            shared,
            tasks,
        };
        fake.user("UMARTA", "Marta", Some("Europe/Warsaw"));
        fake.user("UDAN", "Dan", Some("Asia/Jerusalem"));
        fake
    }

    /// Somebody joins; `zone` is what Slack says, known or not.
    pub(crate) fn user(&self, id: &str, name: &str, zone: Option<&str>) {
        let user = json!({
            "id": id, "team_id": TEAM, "name": name.to_lowercase(), "real_name": name, "tz": zone,
            "is_bot": false, "profile": {"display_name": name, "real_name": name},
        });
        self.shared
            .change(|state| state.users.insert(id.to_owned(), user));
    }

    /// Looks at what Slack knows.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&State) -> T) -> T {
        at(&self.shared.lock())
    }

    /// Changes what Slack knows.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.shared.change(change)
    }

    /// The next call of `method` (`upload` for the bytes of a file) goes wrong. Several are used up in order.
    pub(crate) fn fail(&self, method: &str, fault: Fault) {
        self.shared
            .change(|state| state.faults.push_back((method.to_owned(), fault)));
    }

    /// Waits until `wanted` gives something.
    ///
    /// # Panics
    /// After a minute, with what Slack was asked and what was said.
    pub(crate) async fn wait_for<T>(&self, what: &str, mut wanted: impl FnMut(&State) -> Option<T>) -> T {
        let mut changed = self.shared.changed.subscribe();
        let found = timeout(PATIENCE, async {
            loop {
                changed.mark_unchanged();
                if let Some(found) = wanted(&self.shared.lock()) {
                    return found;
                }
                if changed.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        })
        .await;
        found.unwrap_or_else(|_| {
            let state = self.shared.lock();
            let calls: Vec<&str> = state.calls.iter().map(|call| call.method.as_str()).collect();
            panic!(
                "waited in vain for {what}\ncalls: {calls:?}\nviolations: {:?}\nall that was said:\n{}",
                state.violations,
                render::messages(&state, state.messages.iter()),
            )
        })
    }

    /// Waits until the bot has said something in a thread that holds `words`, and gives its time stamp.
    pub(crate) async fn wait_for_words(&self, channel: &str, thread: &str, words: &str) -> String {
        self.wait_for(&format!("{words:?}"), |state| {
            let said = state.thread(channel, thread).into_iter().find(|message| {
                message.user == BOT_USER && State::words(&message.blocks, &message.text).contains(words)
            });
            said.map(|message| message.ts.clone())
        })
        .await
    }

    /// A thread as a person reads it.
    pub(crate) fn thread(&self, channel: &str, ts: &str) -> String {
        let state = self.shared.lock();
        render::messages(&state, state.thread(channel, ts).into_iter())
    }

    /// Somebody's app home as text.
    pub(crate) fn home_text(&self, user: &str) -> Option<String> {
        self.look(|state| state.homes.get(user).map(|blocks| render::blocks(blocks)))
    }

    /// Rules that were broken, and forgets them: for tests that break them on purpose.
    pub(crate) fn take_violations(&self) -> Vec<String> {
        self.change(|state| std::mem::take(&mut state.violations))
    }
}

impl Drop for FakeSlack {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        if !std::thread::panicking() {
            let violations = self.look(|state| state.violations.clone());
            assert!(
                violations.is_empty(),
                "what was sent breaks Slack's rules: {violations:#?}"
            );
        }
    }
}
