//! What a server is shown to let us in: a password from where it is kept, or a token that a command prints. Read anew
//! for each login and never kept; errors name the source, never the secret.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

/// How to log in.
#[derive(Clone, Debug)]
pub enum Login {
    /// LOGIN, AUTH PLAIN or AUTH LOGIN.
    Password(Secret),
    /// XOAUTH2 (Google's and Microsoft's; no RFC).
    Token(TokenCommand),
}

/// Where a password comes from; it is read when it is needed, never kept in the file.
#[derive(Clone, Debug)]
pub enum Secret {
    File(PathBuf),
    Env(String),
    /// A systemd credential: a file of this name under `$CREDENTIALS_DIRECTORY`.
    Credential(String),
}

/// `token_command`: a program and its arguments, run without a shell. The first line it prints is the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenCommand {
    pub program: String,
    pub arguments: Vec<String>,
}

/// A command that fetches a token over the network may take so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes read of what it prints.
const TOKEN: u64 = 64 * 1024;
/// Bytes of its complaints that are shown.
const COMPLAINT: u64 = 200;

impl Login {
    /// The password or the token.
    ///
    /// # Errors
    /// Why it cannot be had, for people.
    pub async fn secret(&self) -> Result<SecretString, String> {
        match self {
            Self::Password(secret) => secret.read(),
            Self::Token(command) => command.run().await,
        }
    }

    /// The file that holds the password, if one does.
    pub fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Password(Secret::File(path)) => Some(path),
            _ => None,
        }
    }
}

impl Secret {
    /// Reads the password; a trailing line break is dropped. The error names the source, never the secret.
    pub fn read(&self) -> Result<SecretString, String> {
        let text = match self {
            Self::File(path) => {
                std::fs::read_to_string(path).map_err(|e| format!("password_file {}: {e}", path.display()))?
            }
            Self::Env(name) => {
                std::env::var(name).map_err(|_| format!("password_env: the variable {name} is not set"))?
            }
            Self::Credential(name) => {
                let dir = std::env::var_os("CREDENTIALS_DIRECTORY")
                    .ok_or_else(|| format!("password_credential {name}: $CREDENTIALS_DIRECTORY is not set"))?;
                let path = PathBuf::from(dir).join(name);
                std::fs::read_to_string(&path).map_err(|e| format!("password_credential {}: {e}", path.display()))?
            }
        };
        Ok(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

impl TokenCommand {
    async fn run(&self) -> Result<SecretString, String> {
        let told = |what: String| format!("token_command {}: {what}", self.program);
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().map_err(|e| told(e.to_string()))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let work = async { tokio::join!(read(stdout, TOKEN), read(stderr, COMPLAINT), child.wait()) };
        let ended = tokio::time::timeout(PATIENCE, work).await;
        let (printed, complaint, status) =
            ended.map_err(|_| told(format!("has not ended after {} s", PATIENCE.as_secs())))?;
        let status = status.map_err(|e| told(e.to_string()))?;
        if !status.success() {
            let words: Vec<&str> = complaint.split_whitespace().collect();
            return Err(told(format!("{status}: {}", words.join(" ")).trim_end_matches([' ', ':']).to_owned()));
        }
        let printed = SecretString::from(printed);
        let token = printed.expose_secret().lines().next().unwrap_or_default().trim();
        // A control character would end the token's field in what is sent.
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(told("its first line is no token".to_owned()));
        }
        Ok(SecretString::from(token.to_owned()))
    }
}

/// The one message of XOAUTH2, in base64: user and token, each behind its name.
pub fn xoauth2(user: &str, token: &SecretString) -> String {
    STANDARD.encode(format!("user={user}\x01auth=Bearer {}\x01\x01", token.expose_secret()))
}

/// What is printed, up to `most` bytes; the rest is read and dropped, so that the command can end.
async fn read(pipe: Option<impl AsyncRead + Unpin>, most: u64) -> String {
    let Some(mut pipe) = pipe else { return String::new() };
    let mut bytes = Vec::new();
    // A pipe that breaks has nothing more to say; the exit status tells the rest.
    let _ = (&mut pipe).take(most).read_to_end(&mut bytes).await;
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
        let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
        let command = Login::Token(TokenCommand { program: program.to_owned(), arguments });
        command.secret().await.map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn the_message_of_xoauth2_is_as_its_makers_describe_it() {
        let message = xoauth2("li@qinglan.example", &SecretString::from("ya29.a0".to_owned()));
        assert_eq!(message, "dXNlcj1saUBxaW5nbGFuLmV4YW1wbGUBYXV0aD1CZWFyZXIgeWEyOS5hMAEB");
    }

    #[tokio::test]
    async fn the_first_line_is_the_token_and_no_shell_reads_the_arguments() {
        assert_eq!(run("printf", &["ya29.a0\\r\\nexpires: soon\\n"]).await, Ok("ya29.a0".to_owned()));
        assert_eq!(run("printf", &["%s", "$HOME;id"]).await, Ok("$HOME;id".to_owned()));
    }

    #[tokio::test]
    async fn what_went_wrong_is_told_with_the_exit_status_and_never_with_what_it_printed() {
        let failed = run("sh", &["-c", "echo secret; echo 'log in again' >&2; exit 7"]).await.unwrap_err();
        assert_eq!(failed, "token_command sh: exit status: 7: log in again");
        let long = run("sh", &["-c", "yes complaint | head -c 100000 >&2; exit 1"]).await.unwrap_err();
        assert!(long.len() < 300, "{long}");
        for rubbish in ["", "\\n", "two words\\n", "a\\001b\\n"] {
            let failed = run("printf", &[rubbish]).await.unwrap_err();
            assert_eq!(failed, "token_command printf: its first line is no token");
        }
        assert!(run("/nowhere/at/all", &[]).await.unwrap_err().starts_with("token_command /nowhere/at/all: "));
    }
}
