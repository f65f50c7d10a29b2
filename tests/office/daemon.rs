//! The program as a daemon.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Office;

/// Far more than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something to become true.
pub fn until(what: &str, mut come: impl FnMut() -> bool) {
    let start = Instant::now();
    while !come() {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Killed when dropped.
pub struct Daemon(Child);

impl Daemon {
    pub fn start(office: &Office, at: &str) -> Self {
        Self::of(office.command(at, &["run"]))
    }

    /// However the command was put together.
    pub fn of(mut command: Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program"))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// How it ended, of itself.
    pub fn end(mut self) -> Option<i32> {
        let mut status = None;
        until("its end", || {
            status = self.0.try_wait().expect("its state");
            status.is_some()
        });
        status.and_then(|s| s.code())
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
