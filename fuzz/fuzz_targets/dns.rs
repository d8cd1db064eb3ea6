//! Any bytes as DNS messages: alone, as datagrams and as a TCP stream.
#![no_main]

mod packets;

use libfuzzer_sys::fuzz_target;
use rca_agent::hub::dissect::dns::Message;

fuzz_target!(|data: &[u8]| {
    let message = Message::parse(data);
    if let Some(message) = &message {
        assert!(message.rcode < 16);
    }
    let mut port = packets::Conversation::new(53);
    let mut other_port = packets::Conversation::new(15_053);
    let mut stream = packets::Conversation::new(53);
    let mut rest = data;
    while let [control, length, after @ ..] = rest {
        let side = usize::from(control & 1);
        let (payload, after) = after.split_at(usize::from(*length).min(after.len()));
        port.udp(side, payload);
        other_port.udp(side, payload);
        stream.tcp(side, payload, u32::from(*control == 0xff), false);
        rest = after;
    }
    for conversation in [port, other_port, stream] {
        conversation.finish();
    }
});
