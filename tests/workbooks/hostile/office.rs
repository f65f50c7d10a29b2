//! An office of the demo's district that is sent bad files, and how the program fares on them.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chrono::DateTime;
use serde_json::Value;
use taizhang::demo::district::{LATE, MAILBOXES, SOCIAL, UNITS, config_toml, registry_csv};
use taizhang::demo::mime::{File, Mail, Program, Trace};

use super::{Bad, many};

const NOON: &str = "2011-09-20T12:00:00+08:00";

pub struct Office {
    dir: tempfile::TempDir,
}

pub struct Ran {
    pub code: Option<i32>,
    pub stderr: String,
    /// Bytes that the process itself had in memory at most.
    pub peak: u64,
    pub time: Duration,
}

impl Office {
    pub fn new() -> Self {
        let office = Self { dir: tempfile::tempdir().expect("a folder") };
        // In proportion to the files.
        let limits = format!("\n[limits]\nworkbook_cells = {}\n", many(5_000_000));
        // One domain sends them all, and every one shall be answered.
        let patient = "[smtp]\nanswers_per_day = 10000\nanswers_in_vain = 10000\n";
        let settings = config_toml().replacen("[smtp]\n", patient, 1) + &limits;
        office.write("taizhang.toml", settings.as_bytes());
        office.write("units.csv", registry_csv().as_bytes());
        std::fs::create_dir_all(office.dir.path().join("letters")).expect("a folder");
        office
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.dir.path().join(name), bytes).expect("a file");
    }

    /// A letter with this file, from an address of the bureau's domain that nobody else has; or a letter that goes on
    /// like this behind its first lines.
    pub fn post(&self, file: &Bad) {
        let id = id(file);
        let domain = UNITS[LATE].addresses[1];
        let home = &MAILBOXES[SOCIAL];
        if file.name.ends_with(".eml") {
            let head = format!(
                "Received: from a.example by b.example; Tue, 20 Sep 2011 09:10:00 +0800\r\nFrom: <{id}@{domain}>\r\n\
                 To: <{}>\r\nMessage-ID: <{id}@{domain}>\r\nSubject: 8\r\nMIME-Version: 1.0\r\n",
                home.address
            );
            return self.write(&format!("letters/{id}.eml"), &[head.as_bytes(), &file.bytes].concat());
        }
        let attached =
            File { name: file.name.clone(), media_type: "application/octet-stream", bytes: file.bytes.clone() };
        let mail = Mail {
            at: DateTime::parse_from_rfc3339("2011-09-20T09:10:00+08:00").expect("a time"),
            from: ("经办人", &format!("{id}@{domain}")),
            to: &[home.address],
            subject: "报送报表",
            text: "请查收。\n",
            files: vec![attached],
            program: Program::Modern,
            extra: &[],
            id: &id,
        };
        let trace = Trace { authserv_id: home.authserv_id, recipient: home.address, pass: true, null_sender: false };
        self.write(&format!("letters/{id}.eml"), &mail.deliver(&trace));
    }

    fn command(&self, args: &[&str]) -> Command {
        let program = std::env::var("TAIZHANG_BIN").unwrap_or(env!("CARGO_BIN_EXE_taizhang").to_owned());
        let mut command = Command::new(program);
        command.arg("-c").arg(self.dir.path().join("taizhang.toml")).args(["--at", NOON]).args(args);
        command.env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    /// All letters are read in and the answers sent.
    pub fn ingest(&self) -> Ran {
        let letters = self.dir.path().join("letters");
        let ran = measured(self.command(&["ingest"]).arg(letters));
        if ran.code.is_some_and(|code| code == 0 || code == 3) {
            let sent = self.command(&["once", "--json"]).output().expect("the program");
            assert!(matches!(sent.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&sent.stderr));
            return Ran { code: Some(0), ..ran };
        }
        ran
    }

    fn messages(&self) -> Vec<Value> {
        let output = self.command(&["messages", "--json"]).output().expect("the program");
        let all: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        all.as_array().expect("a list").clone()
    }

    /// How many letters went where.
    pub fn tally(&self) -> String {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for message in self.messages() {
            let rules =
                message["rules"].as_array().map_or(String::new(), |r| r.iter().filter_map(Value::as_str).collect());
            *counts.entry(format!("{} {rules}", message["disposition"].as_str().unwrap_or("none"))).or_default() += 1;
        }
        counts.iter().map(|(what, n)| format!("{n} {what}, ")).collect()
    }

    /// Files whose sender got no answer.
    pub fn unanswered(&self, files: &[Bad]) -> Vec<String> {
        let sent = std::fs::read_dir(self.dir.path().join("sent")).map(|d| d.map(|e| e.expect("a file").path()));
        let answered: Vec<String> = sent
            .into_iter()
            .flatten()
            .map(|path| {
                let mail = std::fs::read_to_string(path).expect("an answer");
                mail.lines().find_map(|l| l.strip_prefix("To: ")).unwrap_or_default().to_owned()
            })
            .collect();
        let listed: BTreeMap<String, Value> =
            self.messages().into_iter().map(|m| (m["from"].as_str().unwrap_or_default().to_owned(), m)).collect();
        let domain = UNITS[LATE].addresses[1];
        files
            .iter()
            .filter_map(|file| {
                let address = format!("{}@{domain}", id(file));
                let Some(message) = listed.get(&address) else { return Some(format!("{}: not listed", file.name)) };
                let answered = answered.iter().any(|to| to.contains(&address)) || message["disposition"] == "duplicate";
                (!answered).then(|| format!("{}: {} {}", file.name, message["disposition"], message["reason"]))
            })
            .collect()
    }
}

/// A word for the file, the same whenever it is asked for.
fn id(file: &Bad) -> String {
    let letters = |n: u64| (0..13).map(|i| char::from(b'a' + (n >> (i * 5) & 15) as u8)).collect::<String>();
    let hash =
        file.name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01B3));
    letters(hash)
}

/// Runs a command and watches its memory: the high-water mark of the process itself, not of its children.
fn measured(command: &mut Command) -> Ran {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program");
    let mut stderr = child.stderr.take().expect("a pipe");
    let listener = std::thread::spawn(move || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut stderr, &mut text).map(|_| text)
    });
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let code = loop {
        let now = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = now
            .lines()
            .find_map(|l| l.strip_prefix("VmHWM:"))
            .and_then(|l| l.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(mark.unwrap_or(0) << 10);
        if let Some(status) = child.try_wait().expect("the program") {
            break status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let stderr = listener.join().expect("a listener").expect("text");
    Ran { code, stderr, peak, time: start.elapsed() }
}
