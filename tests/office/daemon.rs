//! The program as a daemon.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Office;

/// Killed when dropped.
pub struct Daemon(pub Child);

impl Daemon {
    pub fn start(office: &Office, at: &str) -> Self {
        Self::of(office.command(at, &["run"]))
    }

    /// However the command was put together.
    pub fn of(mut command: Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program"))
    }

    /// Tells it to stop, which it must do in good order and within five seconds.
    pub fn stop(mut self) {
        let start = Instant::now();
        let told = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().expect("kill");
        assert!(told.success());
        assert_eq!(self.0.wait().expect("its end").code(), Some(0));
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Nobody is left to complain to.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
