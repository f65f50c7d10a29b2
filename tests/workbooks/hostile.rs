//! Files that are made to end, block or bloat whoever opens them. The real program takes each as a letter of its own
//! from a registered address: each gets its answer, the process lives and stays small.

mod archives;
mod binary;
mod mails;
mod office;
mod ooxml;
mod text;

use self::office::Office;
use crate::corpus;
use crate::known::Dice;

/// Of the process that takes the mail; those that open files are its children.
const MOST_MEMORY: u64 = 150 << 20;

/// How much of something there is in a file: a tenth of what it should be, because the program is not optimised here, or
/// all of it with `TAIZHANG_FULL=1`.
fn many(full: usize) -> usize {
    if std::env::var_os("TAIZHANG_FULL").is_some() { full } else { full / 10 }
}

/// What is wrong with a file, and the file.
#[derive(Clone)]
pub struct Bad {
    pub name: String,
    pub bytes: Vec<u8>,
}

fn bad(name: &str, ending: &str, bytes: Vec<u8>) -> Bad {
    Bad { name: format!("{name}.{ending}"), bytes }
}

/// All are answered, and the process stays alive and small.
fn survives(files: Vec<Bad>) {
    let office = Office::new();
    let count = files.len();
    files.iter().for_each(|file| office.post(file));
    let ran = office.ingest();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let unanswered = office.unanswered(&files);
    let (megabytes, seconds) = (ran.peak >> 20, ran.time.as_secs_f32());
    println!("{count} files, {megabytes} MB at most, {seconds:.1} s; {}", office.tally());
    assert!(unanswered.is_empty(), "no answer: {unanswered:#?}");
    assert!(ran.peak < MOST_MEMORY, "{megabytes} MB");
}

#[test]
fn workbooks_that_cost_more_than_they_should() {
    survives([ooxml::all(), binary::all()].concat());
}

#[test]
fn text_and_archives_that_cost_more_than_they_should() {
    survives([text::all(), archives::all()].concat());
}

#[test]
fn mails_that_cost_more_than_they_should() {
    survives(mails::all());
}

#[test]
fn workbooks_that_break_off_at_every_kilobyte() {
    let cut = |(ending, whole): (&str, Vec<u8>)| {
        (0..whole.len()).step_by(1024).map(|n| bad(&format!("{n}"), ending, whole[..n].to_vec())).collect::<Vec<_>>()
    };
    survives(corpus::large_books().into_iter().flat_map(cut).collect());
}

#[test]
fn workbooks_with_bytes_that_were_flipped_on_the_way() {
    let mut dice = Dice(1);
    let mut flipped = |ending: &str, whole: &[u8], n: usize| {
        let mut bytes = whole.to_vec();
        // A single one half of the time, else up to sixteen.
        for _ in 0..=dice.roll(2) * dice.roll(16) {
            let at = dice.roll(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << dice.roll(8);
        }
        bad(&format!("{n}"), ending, bytes)
    };
    let all = corpus::small_books();
    survives(
        all.iter()
            .flat_map(|(ending, whole)| (0..1000).map(|n| flipped(ending, whole, n)).collect::<Vec<_>>())
            .collect(),
    );
}
