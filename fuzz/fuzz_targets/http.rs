//! Any bytes as what client and server say to each other, in segments with gaps.
#![no_main]

mod packets;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut conversation = packets::Conversation::new(8080);
    let mut rest = data;
    // two bytes say who sends how much, and whether something was lost before it
    while let [control, length, after @ ..] = rest {
        let side = usize::from(control & 1);
        let lost = if control & 0xf0 == 0xf0 {
            u32::from(control & 0x0e) * 5
        } else {
            0
        };
        let length = usize::from(*length).min(after.len());
        let (payload, after) = after.split_at(length);
        conversation.tcp(side, payload, lost, *control == 0xee || *control == 0xed);
        rest = after;
    }
    conversation.finish();
});
