//! The `taizhang` program: see [`taizhang::cli`].

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    taizhang::cli::main().await
}
