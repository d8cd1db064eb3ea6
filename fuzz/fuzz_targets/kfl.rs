//! Any text as a filter: a verdict, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|filter: &str| {
    let _ = rca_agent::kfl::check(filter);
});
