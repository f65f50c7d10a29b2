//! A Maildir as a mailbox: mail in `new/` and `cur/`, folders as `.Name/` beside them (Maildir++).
//!
//! A deliverer writes into `tmp/` and renames when the file is whole, so `tmp/` is never read and nothing read is
//! half-written. A file is known by the unique part of its name, before `:`; what follows are flags and may change.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::cursor::Cursor;
use super::failure::{Failure, Fault, Kind};
use super::{Census, Fetched, Listed, Listing, Wake, received, utf7};
use crate::config::{After, Provider};

/// Bytes of a mail read for its header.
const HEADER: u64 = 64 * 1024;
/// How often `new/` is looked at while waiting.
const LOOK: Duration = Duration::from_secs(1);

pub struct Maildir {
    name: String,
    root: PathBuf,
    /// Bytes.
    most: u64,
    /// Where each mail was at the last look, by unique name.
    paths: HashMap<String, PathBuf>,
    /// Unique names of mails that were filed; they are not listed again.
    filed: HashSet<String>,
}

impl Maildir {
    pub async fn open(name: &str, root: &Path, most: u64) -> Result<Self, Failure> {
        let mut this =
            Self { name: name.to_owned(), root: root.to_owned(), most, paths: HashMap::new(), filed: HashSet::new() };
        this.look().await?;
        Ok(this)
    }

    fn failure(&self, kind: Kind, detail: String) -> Failure {
        Fault::new(kind, detail).at(&self.name, &self.root.display().to_string(), Provider::Generic)
    }

    /// Reads the names, not the mails.
    async fn look(&mut self) -> Result<(), Failure> {
        let root = self.root.clone();
        self.paths = blocking(move || scan(&root)).await.map_err(|e| {
            let missing = e.kind() == io::ErrorKind::NotFound;
            let kind = if missing { Kind::FolderMissing } else { Kind::Io };
            self.failure(kind, format!("not a readable Maildir with new/ and cur/: {e}"))
        })?;
        // What is gone from the folder need not be remembered.
        self.filed.retain(|unique| self.paths.contains_key(unique));
        Ok(())
    }

    pub async fn list(&mut self) -> Result<Listing, Failure> {
        self.look().await?;
        let fresh: Vec<(String, PathBuf)> = self
            .paths
            .iter()
            .filter(|(unique, _)| !self.filed.contains(*unique))
            .map(|(unique, path)| (unique.clone(), path.clone()))
            .collect();
        let read = move || Ok(fresh.into_iter().filter_map(|(unique, path)| listed(unique, &path)).collect());
        let new = blocking(read).await.map_err(|e| self.failure(Kind::Io, e.to_string()))?;
        let mut listing = Listing { new, ..Listing::default() };
        listing.new.sort_by(|a, b| (a.received_at, &a.locator).cmp(&(b.received_at, &b.locator)));
        Ok(listing)
    }

    /// The names in `new/` and `cur/`; no mail is opened, so that none has a date or a size.
    pub async fn census(&mut self) -> Result<Census, Failure> {
        self.look().await?;
        let mut names: Vec<&String> = self.paths.keys().collect();
        names.sort();
        let mail =
            |name: &String| Listed { locator: name.clone(), cursor: Cursor::default(), received_at: None, size: 0 };
        Ok(Census { mails: names.into_iter().map(mail).collect(), ..Census::default() })
    }

    /// Where a mail is now; looks again if it was renamed since.
    async fn find(&mut self, unique: &str) -> Result<Option<PathBuf>, Failure> {
        if let Some(path) = self.paths.get(unique)
            && tokio::fs::try_exists(path).await.unwrap_or(false)
        {
            return Ok(Some(path.clone()));
        }
        self.look().await?;
        Ok(self.paths.get(unique).cloned())
    }

    pub async fn fetch(&mut self, listed: &Listed) -> Result<Fetched, Failure> {
        let Some(path) = self.find(&listed.locator).await? else { return Ok(Fetched::Gone) };
        let most = self.most;
        match blocking(move || read(&path, most)).await {
            Ok(fetched) => Ok(fetched),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Fetched::Gone),
            Err(e) => Err(self.failure(Kind::Io, format!("mail {}: {e}", listed.locator))),
        }
    }

    /// Flag: into `cur/` with the flag F (never S: a person has not seen it). Move: into the folder's `cur/`.
    pub async fn file(&mut self, locators: &[String], after: &After) -> Result<(), Failure> {
        for unique in locators {
            if *after != After::Keep
                && let Some(path) = self.find(unique).await?
            {
                let target = match after {
                    After::Move(folder) => {
                        let folder = self.root.join(folder_name(folder));
                        make_folder(&folder).await.map_err(|e| self.failure(Kind::Io, format!("folder: {e}")))?;
                        folder.join("cur").join(format!("{unique}:2,{}", flags(&path)))
                    }
                    _ => self.root.join("cur").join(format!("{unique}:2,{}", with_flag(&flags(&path), 'F'))),
                };
                match tokio::fs::rename(&path, &target).await {
                    Err(e) if e.kind() != io::ErrorKind::NotFound => {
                        return Err(self.failure(Kind::Io, format!("mail {unique}: {e}")));
                    }
                    _ if matches!(after, After::Move(_)) => drop(self.paths.remove(unique)),
                    _ => drop(self.paths.insert(unique.clone(), target)),
                }
            }
            self.filed.insert(unique.clone());
        }
        Ok(())
    }

    pub fn describe(&self) -> String {
        format!("Maildir {}", self.root.display())
    }

    /// Looks into `new/` every second: cheap, and a file system has no push that works everywhere.
    pub async fn wait(&self, poll: Duration, cancel: &CancellationToken) -> Wake {
        let until = Instant::now() + poll;
        loop {
            tokio::select! {
                () = sleep_until(until.min(Instant::now() + LOOK)) => {}
                () = cancel.cancelled() => return Wake::Cancelled,
            }
            let new = self.root.join("new");
            let names = blocking(move || names(&new)).await.unwrap_or_default();
            if names.iter().any(|(unique, _)| !self.paths.contains_key(unique)) {
                return Wake::News;
            }
            if until <= Instant::now() {
                return Wake::Poll;
            }
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn scan(root: &Path) -> io::Result<HashMap<String, PathBuf>> {
    let mut all: HashMap<String, PathBuf> = names(&root.join("new"))?.into_iter().collect();
    all.extend(names(&root.join("cur"))?);
    Ok(all)
}

/// Unique names and paths in one directory. A name that is not UTF-8 still gets a stable unique name.
fn names(dir: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || entry.file_type()?.is_dir() {
            continue;
        }
        let unique = name.split(':').next().unwrap_or(&name).to_owned();
        all.push((unique, entry.path()));
    }
    Ok(all)
}

/// `None`: another program moved it just now; it is found at the next look. A mail that cannot be read is listed all
/// the same: fetching it says why.
fn listed(unique: String, path: &Path) -> Option<Listed> {
    let (received_at, size) = match head(path) {
        Ok(read) => read,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
        Err(_) => (None, 0),
    };
    Some(Listed { locator: unique, cursor: Cursor::default(), received_at, size })
}

/// When a mail was received, and its size.
fn head(path: &Path) -> io::Result<(Option<DateTime<Utc>>, u64)> {
    let file = open(path)?;
    let meta = file.metadata()?;
    let mut start = Vec::new();
    file.take(HEADER).read_to_end(&mut start)?;
    let taken = received::received_at(received::head(&start));
    Ok((taken.or_else(|| meta.modified().ok().map(DateTime::<Utc>::from)), meta.len()))
}

fn read(path: &Path, most: u64) -> io::Result<Fetched> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    if size > most {
        file.take(HEADER).read_to_end(&mut bytes)?;
        return Ok(Fetched::TooLarge { header: received::head(&bytes).to_vec(), size });
    }
    file.take(most).read_to_end(&mut bytes)?;
    Ok(Fetched::Mail(bytes))
}

/// Opens a regular file only: opening a pipe would wait for ever.
fn open(path: &Path) -> io::Result<std::fs::File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    std::fs::File::open(path)
}

/// The flags of a Maildir name (`…:2,FS`), empty without any.
fn flags(path: &Path) -> String {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    name.split_once(":2,").map(|(_, flags)| flags.to_owned()).unwrap_or_default()
}

/// Flags stand in ASCII order.
fn with_flag(flags: &str, flag: char) -> String {
    let mut all: Vec<char> = flags.chars().filter(|f| *f != flag).collect();
    all.push(flag);
    all.sort_unstable();
    all.into_iter().collect()
}

/// `存档/2026` → `.&W1hoYw-.2026`: Maildir++ writes the hierarchy with dots, names in modified UTF-7. No name can
/// lead out of the Maildir, since no slash is left.
fn folder_name(folder: &str) -> String {
    let parts: Vec<String> = folder.split(['/', '.']).filter(|p| !p.is_empty()).map(utf7::encode).collect();
    format!(".{}", parts.join("."))
}

async fn make_folder(folder: &Path) -> io::Result<()> {
    for part in ["tmp", "new", "cur"] {
        tokio::fs::create_dir_all(folder.join(part)).await?;
    }
    // The mark of a Maildir++ folder.
    tokio::fs::OpenOptions::new().create(true).append(true).open(folder.join("maildirfolder")).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixture {
        dir: tempfile::TempDir,
        maildir: Maildir,
    }

    async fn fixture() -> Fixture {
        let dir = tempfile::tempdir().expect("a folder");
        for part in ["new", "cur", "tmp"] {
            std::fs::create_dir(dir.path().join(part)).expect("a folder");
        }
        let maildir = Maildir::open("social", dir.path(), 1_000).await.expect("a Maildir");
        Fixture { dir, maildir }
    }

    impl Fixture {
        fn put(&self, name: &str, text: &str) {
            std::fs::write(self.dir.path().join(name), text).expect("a file");
        }

        async fn names(&mut self) -> Vec<String> {
            let listing = self.maildir.list().await.expect("a listing");
            listing.new.into_iter().map(|listed| listed.locator).collect()
        }

        async fn file(&mut self, unique: &str, after: After) {
            self.maildir.file(&[unique.to_owned()], &after).await.expect("filed");
        }

        fn exists(&self, name: &str) -> bool {
            self.dir.path().join(name).exists()
        }
    }

    fn received(day: u32) -> String {
        format!("Received: from a by b; {day} Aug 2011 09:00:00 +0800\n\nbody\n")
    }

    #[tokio::test]
    async fn whole_mails_are_listed_oldest_first_and_half_written_ones_are_not() {
        let mut f = fixture().await;
        f.put("new/b", &received(2));
        f.put("cur/a:2,S", &received(3));
        f.put("new/c", &received(1));
        f.put("tmp/d", "Received: fro");
        f.put("new/.hidden", "x");
        assert_eq!(f.names().await, ["c", "b", "a"]);
    }

    #[tokio::test]
    async fn what_was_filed_is_not_listed_again_and_the_rest_is() {
        let mut f = fixture().await;
        f.put("new/a", &received(1));
        f.put("new/b", &received(2));
        f.file("a", After::Keep).await;
        assert_eq!(f.names().await, ["b"]);
        assert!(f.exists("new/a"));
    }

    #[tokio::test]
    async fn a_flag_joins_the_flags_that_are_there_and_seen_is_left_alone() {
        let mut f = fixture().await;
        f.put("new/a", "x");
        f.put("cur/b:2,RS", "x");
        f.file("a", After::Flag).await;
        f.file("b", After::Flag).await;
        f.file("b", After::Flag).await;
        assert!(f.exists("cur/a:2,F") && f.exists("cur/b:2,FRS"));
        assert!(f.names().await.is_empty());
    }

    #[tokio::test]
    async fn a_move_makes_the_folder_and_repeats_harmlessly() {
        let mut f = fixture().await;
        f.put("cur/a:2,S", "x");
        f.file("a", After::Move("已发送/2011".to_owned())).await;
        f.file("a", After::Move("已发送/2011".to_owned())).await;
        assert!(f.exists(".&XfJT0ZAB-.2011/cur/a:2,S") && f.exists(".&XfJT0ZAB-.2011/maildirfolder"));
        f.put("new/b", "x");
        f.file("b", After::Move("../../etc".to_owned())).await;
        assert!(f.exists(".etc/cur/b:2,"));
    }

    #[tokio::test]
    async fn a_mail_is_found_though_a_reader_has_renamed_it_and_gone_if_it_was_deleted() {
        let mut f = fixture().await;
        f.put("new/a", "raw");
        let listing = f.maildir.list().await.expect("a listing");
        std::fs::rename(f.dir.path().join("new/a"), f.dir.path().join("cur/a:2,S")).expect("read by a person");
        let fetched = f.maildir.fetch(&listing.new[0]).await.expect("a mail");
        assert_eq!(fetched, Fetched::Mail(b"raw".to_vec()));
        std::fs::remove_file(f.dir.path().join("cur/a:2,S")).expect("deleted");
        assert_eq!(f.maildir.fetch(&listing.new[0]).await.expect("an answer"), Fetched::Gone);
    }

    #[tokio::test]
    async fn of_a_mail_over_the_limit_only_the_header_is_read() {
        let mut f = fixture().await;
        f.put("new/a", &format!("Subject: x\n\n{}", "y".repeat(2_000)));
        let listing = f.maildir.list().await.expect("a listing");
        let fetched = f.maildir.fetch(&listing.new[0]).await.expect("a header");
        assert_eq!(fetched, Fetched::TooLarge { header: b"Subject: x\n\n".to_vec(), size: 2_012 });
    }

    #[tokio::test]
    async fn one_unreadable_mail_does_not_hold_up_the_others() {
        let mut f = fixture().await;
        f.put("new/a", "x");
        // Reads as "not a regular file" for every user, root too.
        let pipe = std::os::unix::net::UnixListener::bind(f.dir.path().join("new/b")).expect("a socket");
        let listing = f.maildir.list().await.expect("a listing");
        let [unreadable, mail] = &listing.new[..] else { panic!("two mails") };
        let failure = f.maildir.fetch(unreadable).await.expect_err("a failure");
        assert!(failure.kind == Kind::Io && failure.to_string().contains("mail b"), "{failure}");
        assert_eq!(f.maildir.fetch(mail).await.expect("a mail"), Fetched::Mail(b"x".to_vec()));
        drop(pipe);
    }

    #[tokio::test]
    async fn a_folder_that_is_no_maildir_is_said_so() {
        let dir = tempfile::tempdir().expect("a folder");
        let failure = Maildir::open("social", dir.path(), 1).await.err().expect("a failure");
        assert_eq!(failure.kind, Kind::FolderMissing);
    }

    #[tokio::test]
    async fn waiting_ends_on_new_mail_on_time_and_on_cancellation() {
        let mut f = fixture().await;
        let cancel = CancellationToken::new();
        assert_eq!(f.maildir.wait(Duration::from_millis(5), &cancel).await, Wake::Poll);
        f.put("new/a", "x");
        assert_eq!(f.maildir.wait(Duration::from_millis(5), &cancel).await, Wake::News);
        f.names().await;
        assert_eq!(f.maildir.wait(Duration::from_millis(5), &cancel).await, Wake::Poll);
        cancel.cancel();
        assert_eq!(f.maildir.wait(Duration::from_secs(600), &cancel).await, Wake::Cancelled);
    }
}
