//! The `taizhang` program: see [`taizhang::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    taizhang::cli::main()
}
