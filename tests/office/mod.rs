//! An office that runs the real program: a folder with its settings, the letters it gets, what comes out.
//!
//! The district is the demo's, so that its generators can write the returns.

pub mod daemon;
pub mod letter;
pub mod reply;
pub mod sent;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use taizhang::demo::district;

pub struct Office {
    dir: tempfile::TempDir,
}

/// What a command left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Office {
    /// An office with these settings (`data_dir = "data"`) and the demo's registry.
    pub fn new(config: &str) -> Self {
        let office = Self { dir: tempfile::Builder::new().prefix("office").tempdir().expect("a folder") };
        office.write("taizhang.toml", config);
        office.write("units.csv", &district::registry_csv());
        office
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    /// The program, with this office's settings, as if it were `at` (RFC 3339; empty: now).
    pub fn command(&self, at: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_taizhang"));
        command.arg("-c").arg(self.path("taizhang.toml")).env("NO_COLOR", "1").stdin(Stdio::null());
        if !at.is_empty() {
            command.args(["--at", at]);
        }
        command.args(args);
        command
    }

    pub fn run(&self, at: &str, args: &[&str]) -> Ran {
        Ran::of(self.command(at, args).output().expect("the program"))
    }

    /// What a listing prints with `--json`.
    pub fn json(&self, at: &str, args: &[&str]) -> Value {
        let ran = self.run(at, &[args, &["--json"]].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{args:?} printed no JSON ({e}): {ran:?}"))
    }

    /// Everything the ledger says, to compare with another's: figures, organisations, history, where each mail went.
    /// Without the numbers of the mails, which depend on whichever mailbox was read first.
    pub fn ledger(&self) -> String {
        let listings =
            [&["export", "progress"][..], &["export", "register"], &["export", "history"], &["messages", "--json"]];
        let all: String = listings.iter().map(|args| self.run("", args).stdout).collect();
        let number = |line: &&str| ["\"id\":", "\"message\":"].iter().any(|key| line.trim_start().starts_with(key));
        all.lines().filter(|line| !number(line)).map(|line| format!("{line}\n")).collect()
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}
