//! Words and phrases with a meaning of their own.

use super::token::Token;

/// What the calls are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Http,
    Dns,
    Grpc,
    Graphql,
    WebSocket,
    Redis,
    Kafka,
    Amqp,
    Mysql,
    Postgresql,
    Mongodb,
    Ldap,
    Tls,
    Connections,
}

impl Topic {
    /// The flag that a filter begins with.
    pub(super) fn flag(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Dns => "dns",
            Self::Grpc => "grpc",
            Self::Graphql => "gql",
            Self::WebSocket => "ws",
            Self::Redis => "redis",
            Self::Kafka => "kafka",
            Self::Amqp => "amqp",
            Self::Mysql => "mysql",
            Self::Postgresql => "postgresql",
            Self::Mongodb => "mongodb",
            Self::Ldap => "ldap",
            Self::Tls => "tls",
            Self::Connections => "tcp_flow",
        }
    }

    /// What failed; `None` where no field says so.
    pub(super) fn failing(self) -> Option<&'static str> {
        Some(match self {
            Self::Http | Self::Graphql => "(status_code >= 400 || status_code == 0)",
            Self::Dns => "status_code != 0",
            Self::Grpc => "grpc_status > 0",
            Self::Mysql => "mysql_error_code != 0",
            Self::Postgresql => "postgresql_error_code != \"\"",
            Self::Mongodb => "mongodb_error_code != 0",
            Self::Connections => "tcp_error_type != \"\"",
            Self::WebSocket | Self::Redis | Self::Kafka | Self::Amqp | Self::Ldap | Self::Tls => return None,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Topic(Topic),
    Failing,
    Slow,
    /// A KFL term of connections, in the place of a status.
    OfConnections(&'static str),
    /// A KFL term and its place in the filter: 1 namespaces, 2 statuses, 3 latency, 4 services, 5 requests, 6 the rest.
    Term(u8, &'static str),
}

/// Phrases, the longer ones first.
const MEANINGS: &[(&str, Meaning)] = &[
    ("name resolution", Meaning::Topic(Topic::Dns)),
    ("server errors", Meaning::Term(2, "status_code >= 500")),
    ("server error", Meaning::Term(2, "status_code >= 500")),
    ("internal errors", Meaning::Term(2, "status_code == 500")),
    ("internal server errors", Meaning::Term(2, "status_code == 500")),
    (
        "client errors",
        Meaning::Term(2, "status_code >= 400 && status_code < 500"),
    ),
    (
        "client error",
        Meaning::Term(2, "status_code >= 400 && status_code < 500"),
    ),
    ("not found", Meaning::Term(2, "status_code == 404")),
    ("bad gateway", Meaning::Term(2, "status_code == 502")),
    ("service unavailable", Meaning::Term(2, "status_code == 503")),
    ("gateway timeouts", Meaning::Term(2, "status_code == 504")),
    ("gateway timeout", Meaning::Term(2, "status_code == 504")),
    ("rate limited", Meaning::Term(2, "status_code == 429")),
    ("rate limits", Meaning::Term(2, "status_code == 429")),
    ("rate limiting", Meaning::Term(2, "status_code == 429")),
    ("too many requests", Meaning::Term(2, "status_code == 429")),
    ("bad requests", Meaning::Term(2, "status_code == 400")),
    ("no response", Meaning::Term(2, "status_code == 0")),
    ("without an answer", Meaning::Term(2, "status_code == 0")),
    ("without a response", Meaning::Term(2, "status_code == 0")),
    ("without answer", Meaning::Term(2, "status_code == 0")),
    ("without response", Meaning::Term(2, "status_code == 0")),
    ("no answer", Meaning::Term(2, "status_code == 0")),
    ("not answered", Meaning::Term(2, "status_code == 0")),
    ("never answered", Meaning::Term(2, "status_code == 0")),
    ("timed out", Meaning::Term(2, "status_code == 0")),
    (
        "access denied",
        Meaning::Term(2, "(status_code == 401 || status_code == 403)"),
    ),
    (
        "logins failed",
        Meaning::Term(2, "(status_code == 401 || status_code == 403)"),
    ),
    (
        "across namespaces",
        Meaning::Term(1, "src.service.namespace != dst.service.namespace"),
    ),
    (
        "between namespaces",
        Meaning::Term(1, "src.service.namespace != dst.service.namespace"),
    ),
    (
        "cross namespace",
        Meaning::Term(1, "src.service.namespace != dst.service.namespace"),
    ),
    (
        "cross-namespace",
        Meaning::Term(1, "src.service.namespace != dst.service.namespace"),
    ),
    ("http", Meaning::Topic(Topic::Http)),
    ("https", Meaning::Topic(Topic::Http)),
    ("rest", Meaning::Topic(Topic::Http)),
    ("api", Meaning::Topic(Topic::Http)),
    ("apis", Meaning::Topic(Topic::Http)),
    ("requests", Meaning::Topic(Topic::Http)),
    ("request", Meaning::Topic(Topic::Http)),
    ("dns", Meaning::Topic(Topic::Dns)),
    ("lookups", Meaning::Topic(Topic::Dns)),
    ("lookup", Meaning::Topic(Topic::Dns)),
    ("resolution", Meaning::Topic(Topic::Dns)),
    ("grpc", Meaning::Topic(Topic::Grpc)),
    ("graphql", Meaning::Topic(Topic::Graphql)),
    ("websocket", Meaning::Topic(Topic::WebSocket)),
    ("websockets", Meaning::Topic(Topic::WebSocket)),
    ("kafka", Meaning::Topic(Topic::Kafka)),
    ("rabbitmq", Meaning::Topic(Topic::Amqp)),
    ("amqp", Meaning::Topic(Topic::Amqp)),
    ("ldap", Meaning::Topic(Topic::Ldap)),
    ("tls", Meaning::Topic(Topic::Tls)),
    ("tcp", Meaning::Topic(Topic::Connections)),
    ("connections", Meaning::Topic(Topic::Connections)),
    ("connection", Meaning::Topic(Topic::Connections)),
    ("resets", Meaning::OfConnections("tcp_error_type == \"reset\"")),
    ("reset", Meaning::OfConnections("tcp_error_type == \"reset\"")),
    ("errors", Meaning::Failing),
    ("error", Meaning::Failing),
    ("errored", Meaning::Failing),
    ("erroring", Meaning::Failing),
    ("failures", Meaning::Failing),
    ("failure", Meaning::Failing),
    ("failed", Meaning::Failing),
    ("failing", Meaning::Failing),
    ("fail", Meaning::Failing),
    ("fails", Meaning::Failing),
    ("broken", Meaning::Failing),
    ("broke", Meaning::Failing),
    ("refused", Meaning::Failing),
    ("refuse", Meaning::Failing),
    ("refuses", Meaning::Failing),
    ("refusing", Meaning::Failing),
    ("wrong", Meaning::Failing),
    ("unhealthy", Meaning::Failing),
    ("slow", Meaning::Slow),
    ("slowest", Meaning::Slow),
    ("slower", Meaning::Slow),
    ("slowly", Meaning::Slow),
    ("latency", Meaning::Slow),
    ("latencies", Meaning::Slow),
    ("timeouts", Meaning::Term(2, "status_code == 0")),
    ("timeout", Meaning::Term(2, "status_code == 0")),
    ("unanswered", Meaning::Term(2, "status_code == 0")),
    ("unauthorized", Meaning::Term(2, "status_code == 401")),
    ("unauthenticated", Meaning::Term(2, "status_code == 401")),
    ("forbidden", Meaning::Term(2, "status_code == 403")),
    (
        "denied",
        Meaning::Term(2, "(status_code == 401 || status_code == 403)"),
    ),
    ("throttled", Meaning::Term(2, "status_code == 429")),
    ("throttling", Meaning::Term(2, "status_code == 429")),
    ("unavailable", Meaning::Term(2, "status_code == 503")),
    (
        "redirects",
        Meaning::Term(2, "status_code >= 300 && status_code < 400"),
    ),
    (
        "redirected",
        Meaning::Term(2, "status_code >= 300 && status_code < 400"),
    ),
    (
        "successful",
        Meaning::Term(2, "status_code >= 200 && status_code < 400"),
    ),
    (
        "succeeded",
        Meaning::Term(2, "status_code >= 200 && status_code < 400"),
    ),
    (
        "healthy",
        Meaning::Term(2, "status_code >= 200 && status_code < 400"),
    ),
];

/// Methods count where they are written in capitals: "post" is also a word.
const METHODS: &[(&str, &str)] = &[
    ("GET", "method == \"GET\""),
    ("POST", "method == \"POST\""),
    ("PUT", "method == \"PUT\""),
    ("DELETE", "method == \"DELETE\""),
    ("PATCH", "method == \"PATCH\""),
    ("HEAD", "method == \"HEAD\""),
    ("OPTIONS", "method == \"OPTIONS\""),
];

/// Protocols that are also names of services: they are a topic only beside these words.
const STORES: &[(&str, Topic)] = &[
    ("redis", Topic::Redis),
    ("mysql", Topic::Mysql),
    ("postgres", Topic::Postgresql),
    ("postgresql", Topic::Postgresql),
    ("mongo", Topic::Mongodb),
    ("mongodb", Topic::Mongodb),
];
const OF_STORES: &[&str] = &[
    "queries",
    "query",
    "commands",
    "calls",
    "errors",
    "traffic",
    "statements",
    "operations",
    "failures",
];

pub(super) fn meaning(rest: &[Token]) -> Option<(usize, Meaning)> {
    let first = rest.first().filter(|token| !token.quoted)?;
    if let Some((_, kfl)) = METHODS.iter().find(|(method, _)| *method == first.text) {
        return Some((1, Meaning::Term(5, kfl)));
    }
    let next = rest.get(1).map_or("", |token| token.word.as_str());
    if let Some((_, topic)) = STORES.iter().find(|(name, _)| *name == first.word)
        && OF_STORES.contains(&next)
    {
        return Some((1, Meaning::Topic(*topic)));
    }
    let begins = |phrase: &str| {
        let words: Vec<&str> = phrase.split(' ').collect();
        let matches = words.iter().enumerate().all(|(at, word)| {
            rest.get(at)
                .is_some_and(|token| token.word == *word && !token.quoted)
        });
        matches.then_some(words.len())
    };
    MEANINGS
        .iter()
        .filter_map(|(phrase, meaning)| Some((begins(phrase)?, *meaning)))
        .max_by_key(|(length, _)| *length)
}

/// Words that hold a question together and say nothing of the calls.
const FILLER: &[&str] = &[
    "anyone",
    "anybody",
    "someone",
    "somebody",
    "a",
    "about",
    "after",
    "all",
    "am",
    "an",
    "and",
    "any",
    "anything",
    "are",
    "as",
    "at",
    "back",
    "be",
    "been",
    "being",
    "calls",
    "call",
    "called",
    "callers",
    "caller",
    "calling",
    "came",
    "can",
    "code",
    "codes",
    "could",
    "count",
    "currently",
    "did",
    "display",
    "do",
    "does",
    "doing",
    "during",
    "each",
    "endpoint",
    "endpoints",
    "every",
    "everything",
    "examples",
    "find",
    "for",
    "get",
    "gets",
    "getting",
    "give",
    "go",
    "goes",
    "going",
    "gone",
    "got",
    "had",
    "happened",
    "happening",
    "has",
    "have",
    "having",
    "hit",
    "hits",
    "how",
    "i",
    "if",
    "in",
    "incident",
    "into",
    "is",
    "it",
    "its",
    "just",
    "kind",
    "last",
    "latest",
    "list",
    "look",
    "long",
    "longest",
    "made",
    "make",
    "many",
    "me",
    "messages",
    "most",
    "much",
    "my",
    "no",
    "not",
    "now",
    "number",
    "of",
    "on",
    "our",
    "out",
    "over",
    "packets",
    "path",
    "per",
    "please",
    "problem",
    "problems",
    "queries",
    "query",
    "recent",
    "respond",
    "responded",
    "responding",
    "response",
    "responses",
    "result",
    "return",
    "returned",
    "returning",
    "returns",
    "s",
    "saw",
    "see",
    "seen",
    "sent",
    "service",
    "services",
    "show",
    "some",
    "someone",
    "still",
    "status",
    "take",
    "takes",
    "taking",
    "tell",
    "than",
    "that",
    "the",
    "their",
    "them",
    "there",
    "these",
    "they",
    "thing",
    "things",
    "this",
    "time",
    "to",
    "took",
    "top",
    "total",
    "traffic",
    "transactions",
    "up",
    "url",
    "urls",
    "us",
    "volume",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "while",
    "who",
    "whose",
    "why",
    "with",
    "worst",
    "pcap",
    "pcaps",
    "wireshark",
    "tcpdump",
    "file",
    "capture",
    "export",
    "download",
    "raw",
    "packet",
    "between",
    "dump",
    "you",
    "your",
    "one",
    "ones",
    "end",
    "ended",
    "begin",
    "began",
    "answer",
    "answered",
    "answers",
    "statements",
    "commands",
    "operations",
    "highest",
    "high",
    "large",
    "workload",
    "workloads",
    "pod",
    "pods",
    "namespace",
    "namespaces",
    "ns",
    "method",
    "methods",
];

/// Words that turn round or bound what the others say. Whoever leaves one out answers another question.
const TURNING: &[&str] = &[
    "not",
    "except",
    "excluding",
    "exclude",
    "excluded",
    "without",
    "neither",
    "nor",
    "isn't",
    "aren't",
    "wasn't",
    "weren't",
    "don't",
    "doesn't",
    "didn't",
    "longer",
    "shorter",
    "faster",
    "quicker",
    "half",
    "before",
    "until",
    "till",
];

/// Whether the rules, which do not read it, may not leave the word out either.
pub(super) fn turns(token: &Token) -> bool {
    !token.quoted && TURNING.contains(&token.word.as_str())
}

pub(super) fn says_nothing(token: &Token) -> bool {
    !token.quoted
        && (FILLER.contains(&token.word.as_str()) || token.word.chars().all(|c| !c.is_alphanumeric()))
}

/// Whether a word means something by itself or nothing at all: then it is no name.
pub(super) fn is_word(rest: &[Token]) -> bool {
    rest.first().is_none_or(|token| {
        says_nothing(token) || turns(token) || meaning(rest).is_some() || token.text.starts_with('/')
    })
}

/// Whether a word is of what a server answers: an error or a status.
pub(super) fn is_answer(token: &Token) -> bool {
    let digits = token.word.trim_end_matches(['s', 'x']);
    let status = !digits.is_empty() && digits.len() <= 3 && digits.chars().all(|c| c.is_ascii_digit());
    status
        || matches!(
            token.word.as_str(),
            "errors" | "error" | "failures" | "responses" | "answers" | "answer"
        )
}
