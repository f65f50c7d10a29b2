//! One child process, seen from the parent: started, asked, watched, ended.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout, timeout_at};

use super::protocol::{Answer, Ask, Hello, PREFIX, Reply, Shelter, head, lengths};
use super::{COMMAND, Death, QUICK, Unavailable};

/// How long a child may take to be ready, and to be gone once it has closed its end.
const PATIENCE: Duration = Duration::from_secs(20);
/// Seconds of computing that a child may use up on files that were quick.
const SPENT: u64 = super::FILES as u64 * QUICK.as_millis() as u64 / 1000;

pub(super) struct Child {
    process: tokio::process::Child,
    input: ChildStdin,
    output: ChildStdout,
    pub shelter: Shelter,
    /// Files so far.
    pub asked: u32,
}

impl Child {
    /// Starts a child and waits until it has shut itself in.
    pub async fn start(hello: &Hello, memory: u64, time: Duration) -> Result<Self, Unavailable> {
        let failed = |error: io::Error| Unavailable(format!("cannot be started: {error}"));
        let mut command = Command::new(program().map_err(failed)?);
        command
            .arg0("taizhang")
            .args([COMMAND.to_owned(), memory.to_string(), (time.as_secs() + SPENT).to_string()])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // What a terminal sends to all of the program must not look like a file's doing.
            .process_group(0)
            .kill_on_drop(true);
        let mut process = command.spawn().map_err(failed)?;
        let missing = || Unavailable("has no pipe".into());
        let mut input = process.stdin.take().ok_or_else(missing)?;
        let mut output = process.stdout.take().ok_or_else(missing)?;
        let ready = timeout(PATIENCE, async {
            send(&mut input, hello, &[]).await?;
            receive(&mut output, hello.answer).await
        });
        match ready.await {
            Ok(Ok((Answer::Ready(shelter), _))) => Ok(Self { process, input, output, shelter, asked: 0 }),
            Ok(Ok(_)) => Err(Unavailable("did not say that it is ready".into())),
            Ok(Err(error)) => Err(failed(error)),
            Err(_) => Err(Unavailable("does not get ready".into())),
        }
    }

    /// One file. A child that gave no answer is of no further use.
    pub async fn ask(
        &mut self,
        ask: &Ask,
        bytes: &[u8],
        (until, most): (Instant, u64),
    ) -> Result<Result<Reply, Death>, Unavailable> {
        self.asked += 1;
        let talk = async {
            send(&mut self.input, ask, bytes).await?;
            receive(&mut self.output, most).await
        };
        match timeout_at(until, talk).await {
            Ok(Ok(reply)) => Ok(Ok(reply)),
            Ok(Err(error)) if error.kind() == io::ErrorKind::FileTooLarge => {
                Ok(Err(Death::TooLarge("bytes of what was read")))
            }
            // It has closed its end, so it is about to be gone.
            Ok(Err(_)) => match timeout(PATIENCE, self.process.wait()).await {
                Ok(Ok(status)) => death(status).map(Err).ok_or_else(|| Unavailable("was ended by somebody".into())),
                Ok(Err(_)) | Err(_) => Ok(Err(Death::BrokeDown)),
            },
            Err(_) => Ok(Err(Death::TooLarge("the time for one file"))),
        }
    }

    /// Ends it, whatever it is doing.
    pub async fn end(mut self) {
        // Fails only if it has ended already.
        let _ = self.process.kill().await;
    }
}

/// The running program itself, even if another version has been installed in its place since.
fn program() -> io::Result<PathBuf> {
    let itself = Path::new("/proc/self/exe");
    if itself.exists() { Ok(itself.to_owned()) } else { std::env::current_exe() }
}

async fn send(input: &mut ChildStdin, what: &impl Serialize, body: &[u8]) -> io::Result<()> {
    input.write_all(&head(what, body.len()).ok_or(io::ErrorKind::InvalidInput)?).await?;
    input.write_all(body).await?;
    input.flush().await
}

/// `FileTooLarge` for an answer over `most` bytes.
async fn receive(output: &mut ChildStdout, most: u64) -> io::Result<Reply> {
    let mut prefix = [0; PREFIX];
    output.read_exact(&mut prefix).await?;
    let (head, body) = lengths(prefix);
    if head + body > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = vec![0; usize::try_from(head + body).map_err(io::Error::other)?];
    output.read_exact(&mut bytes).await?;
    let body = bytes.split_off(usize::try_from(head).map_err(io::Error::other)?);
    Ok((serde_json::from_slice(&bytes)?, body))
}

/// What the end of a process without an answer tells about the file; `None` if nothing. Signals as POSIX numbers them.
fn death(status: ExitStatus) -> Option<Death> {
    const HUP: i32 = 1;
    const INT: i32 = 2;
    const QUIT: i32 = 3;
    const ABRT: i32 = 6;
    const KILL: i32 = 9;
    const TERM: i32 = 15;
    const XCPU: i32 = 24;
    match status.signal() {
        // A failed allocation aborts, and so does a stack that is used up; the kernel kills where the whole machine is
        // short of memory.
        Some(ABRT | KILL) => Some(Death::TooLarge("memory")),
        Some(XCPU) => Some(Death::TooLarge("the time for one file")),
        // The service manager ends all processes of a service alike.
        Some(HUP | INT | QUIT | TERM) => None,
        _ => Some(Death::BrokeDown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_a_child_ended_tells_whose_fault_it_was() {
        let by_signal = |signal: i32| death(ExitStatus::from_raw(signal));
        assert!(matches!(by_signal(6), Some(Death::TooLarge(_))), "a failed allocation");
        assert!(matches!(by_signal(9), Some(Death::TooLarge(_))), "killed for its memory");
        assert!(matches!(by_signal(24), Some(Death::TooLarge(_))), "computed for too long");
        assert_eq!(by_signal(11), Some(Death::BrokeDown), "a fault");
        assert_eq!(by_signal(15), None, "the service is stopped");
        assert_eq!(death(ExitStatus::from_raw(101 << 8)), Some(Death::BrokeDown), "a panic");
    }
}
