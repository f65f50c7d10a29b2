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
