//! The child: shuts itself in, then answers one file after the other until its parent has no more.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use serde::de::DeserializeOwned;

use super::protocol::{Answer, Ask, Hello, PREFIX, Reply, head, lengths};
use super::{shelter, work};
use crate::workbook::Refusal;

/// The whole life of a child whose arguments these are: bytes of memory, seconds to compute.
///
/// Before anything else happens in the process: a thread that is already running would not be shut in.
pub fn serve(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut number = || arguments.next()?.to_str()?.parse().ok();
    let (Some(memory), Some(cpu)) = (number(), number()) else { return ExitCode::from(2) };
    let shelter = shelter::enter(memory, cpu);
    match converse(&mut io::stdin().lock(), &mut io::stdout().lock(), Answer::Ready(shelter)) {
        Ok(()) => ExitCode::SUCCESS,
        // The parent is gone; there is nobody to be told.
        Err(_) => ExitCode::FAILURE,
    }
}

fn converse(input: &mut impl Read, output: &mut impl Write, ready: Answer) -> io::Result<()> {
    let Some((hello, _)) = receive::<Hello>(input)? else { return Ok(()) };
    send(output, &(ready, Vec::new()), hello.answer)?;
    while let Some((ask, bytes)) = receive::<Ask>(input)? {
        send(output, &work::answer(&hello, &ask, &bytes), hello.answer)?;
    }
    Ok(())
}

/// One frame; `None` at the end.
fn receive<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<(T, Vec<u8>)>> {
    let mut prefix = [0; PREFIX];
    if input.by_ref().take(1).read(&mut prefix)? == 0 {
        return Ok(None);
    }
    input.read_exact(&mut prefix[1..])?;
    let (head, body) = lengths(prefix);
    let mut part = |length: u64| {
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        input.read_exact(&mut bytes).map(|()| bytes)
    };
    let (head, body) = (part(head)?, part(body)?);
    Ok(Some((serde_json::from_slice(&head)?, body)))
}

fn send(output: &mut impl Write, (answer, body): &Reply, most: u64) -> io::Result<()> {
    let short = |frame: &Vec<u8>| (frame.len() + body.len()) as u64 <= most;
    let too_large = || head(&Answer::Refused(Refusal::TooLarge("bytes of what was read".into())), 0);
    match head(answer, body.len()).filter(short) {
        Some(frame) => {
            output.write_all(&frame)?;
            output.write_all(body)?;
        }
        None => output.write_all(&too_large().ok_or(io::ErrorKind::InvalidData)?)?,
    }
    output.flush()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::super::protocol::{Job, Shelter};
    use super::*;
    use crate::form::Campaign;
    use crate::message::{Kind, archive};
    use crate::workbook;

    const READY: Answer = Answer::Ready(Shelter { memory: true, files: true, network: true, landlock: false });

    fn hello() -> Hello {
        Hello {
            campaign: Campaign::builtin(),
            workbook: workbook::Limits { bytes: 1 << 20, cells: 10_000 },
            archive: archive::Limits { bytes: 1 << 20, members: 10, depth: 3 },
            rows: 3,
            answer: 1 << 20,
        }
    }

    fn ask(job: Job, name: &str, kind: Kind, path: &[usize]) -> Ask {
        Ask { job, name: name.to_owned(), kind, path: path.to_vec() }
    }

    const READ: Job = Job::Read { received: chrono::NaiveDate::MIN };

    fn book(rows: usize) -> Vec<u8> {
        let head = "序号,名称,地址,法定代表人（负责人）,联系电话,从业人数,党员总数,正式党员数,组建形式,状态\n";
        let row = |n| format!("{n},柳林{n}商行,柳林路{n}号,田小禾,8260-0000,3,0,0,未建,正常\n");
        (head.to_owned() + &(1..=rows).map(row).collect::<String>()).into_bytes()
    }

    fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// What a child answers to all of this, and how the conversation ended.
    fn answers(hello: &Hello, asked: &[(Ask, &[u8])]) -> Vec<Answer> {
        let mut input = head(hello, 0).unwrap();
        for (ask, bytes) in asked {
            input.extend(head(ask, bytes.len()).unwrap());
            input.extend(*bytes);
        }
        let mut output = Vec::new();
        converse(&mut Cursor::new(input), &mut output, READY).unwrap();
        let mut output = Cursor::new(output);
        std::iter::from_fn(|| receive(&mut output).unwrap()).map(|(answer, _)| answer).collect()
    }

    #[test]
    fn every_file_is_answered_as_if_it_had_been_read_here() {
        let (hello, book) = (hello(), book(3));
        let packed = zip(&[("空.txt", b"-"), ("台账.csv", &book)]);
        let nested = zip(&[("内.bin", b"\x01"), ("里.zip", &packed)]);
        let asked = [
            (ask(READ, "台账.csv", Kind::Csv, &[]), &book[..]),
            (ask(Job::List, "报表.zip", Kind::Archive, &[]), &packed),
            (ask(READ, "报表.zip", Kind::Archive, &[1]), &packed),
            (ask(Job::List, "外.zip", Kind::Archive, &[]), &nested),
            (ask(READ, "坏.xlsx", Kind::Xlsx, &[]), b"PK"),
        ];
        let given = answers(&hello, &asked);
        let here = asked.iter().map(|(ask, bytes)| work::answer(&hello, ask, bytes).0);
        assert_eq!(given, std::iter::once(READY).chain(here).collect::<Vec<_>>());
        let names = |answer: &Answer| match answer {
            Answer::Members(members) => members.iter().map(|m| m.name.clone()).collect(),
            Answer::Reading(reading) => reading.returns.iter().map(|r| r.file.clone()).collect(),
            _ => vec![],
        };
        assert_eq!(names(&given[1]), ["台账.csv"]);
        assert_eq!(names(&given[2]), ["报表.zip/空.txt", "报表.zip/台账.csv"]);
        assert_eq!(names(&given[3]), ["报表.zip/台账.csv"]);
        assert_eq!(names(&given[4]), ["外.zip/内.bin", "外.zip/里.zip/空.txt", "外.zip/里.zip/台账.csv"]);
        assert!(matches!(given[5], Answer::Refused(Refusal::Damaged(_))));
    }

    #[test]
    fn what_would_be_too_much_to_take_in_is_refused() {
        let too_large = |hello: &Hello, book: &[u8]| {
            let given = answers(hello, &[(ask(READ, "台账.csv", Kind::Csv, &[]), book)]);
            matches!(given[1], Answer::Refused(Refusal::TooLarge(_) | Refusal::TooManyRows(4, 3)))
        };
        assert!(!too_large(&hello(), &book(3)));
        assert!(too_large(&hello(), &book(4)), "rows");
        assert!(too_large(&Hello { answer: 1000, ..hello() }, &book(3)), "bytes");
    }

    #[test]
    fn a_parent_that_is_gone_ends_the_conversation() {
        let talk = |input: &[u8]| converse(&mut Cursor::new(input), &mut Vec::new(), READY);
        assert!(talk(b"").is_ok());
        let whole = head(&hello(), 0).unwrap();
        assert!(talk(&whole).is_ok());
        assert!(talk(&whole[..whole.len() - 1]).is_err());
    }
}
