//! The program. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The one choice of cryptography for TLS. It fails only where one was installed before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    rca_agent::cli::main()
}
