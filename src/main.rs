//! The `taizhang` program: see [`taizhang::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("taizhang: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(taizhang::cli::main());
    // Dropped, it would wait for the workbook that is just being read; that one is taken up again at the next start.
    runtime.shutdown_background();
    code
}
