//! How much of everything is accepted from a server, and how long it may take.

use std::time::Duration;

/// Limits of one client. The defaults suit a Hub that answers within 30 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// To reach a URL.
    pub connect: Duration,
    /// From the start of a child, or of a connection, to the end of the handshake.
    pub handshake: Duration,
    /// For the answer to one call.
    pub call: Duration,
    /// For the answer to a call that moves a file.
    pub transfer: Duration,
    /// For a server to end after it was told to.
    pub close: Duration,
    /// The text of one answer, bytes. A larger one is refused with its size.
    pub answer_bytes: usize,
    /// One message with everything around its text, bytes. A larger one ends the connection.
    pub message_bytes: usize,
    /// One request, bytes. The server reads lines of at most 1 MiB.
    pub request_bytes: usize,
    /// Tools in the server's list.
    pub tools: usize,
    /// Connections held at once. The server handles the requests of one connection strictly one
    /// after the other.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(20),
            call: Duration::from_mins(1),
            transfer: Duration::from_mins(10),
            close: Duration::from_secs(2),
            answer_bytes: 8 << 20,
            message_bytes: 64 << 20,
            request_bytes: 1_000_000,
            tools: 512,
            connections: 3,
        }
    }
}

impl Limits {
    /// The defaults, where no call waits for longer than a whole run may take.
    pub fn within(whole: Duration) -> Self {
        let usual = Self::default();
        Self {
            handshake: usual.handshake.min(whole),
            call: usual.call.min(whole),
            transfer: usual.transfer.min(whole),
            ..usual
        }
    }
}
