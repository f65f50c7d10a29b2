//! Between the socket and a parser that knows ASCII only: lines in GBK, GB18030 or UTF-8, as providers send them,
//! become ASCII with references (`&#x6388;`), which [`readable`] turns back for people. Literals pass as they are.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use encoding_rs::GB18030;
use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::dial::Stream;

/// Bytes read at once.
const CHUNK: usize = 16 * 1024;
/// A line longer than this is passed on as it is.
const LONGEST: usize = 64 * 1024;

/// A connection whose incoming lines are ASCII.
pub struct Lines {
    stream: Stream,
    text: Text,
    /// Of `text.out`, how much was handed on.
    given: usize,
}

impl Lines {
    /// IMAP: a line may announce a literal (RFC 3501 §4.3), whose bytes are not touched.
    pub fn with_literals(stream: Stream) -> Self {
        Self { stream, text: Text { literals: true, ..Text::default() }, given: 0 }
    }

    /// SMTP. `first` comes before anything the server says.
    pub fn beginning(stream: Stream, first: &[u8]) -> Self {
        Self { stream, text: Text { out: first.to_vec(), ..Text::default() }, given: 0 }
    }

    /// The connection, without what was read and not yet handed on.
    pub fn into_inner(self) -> Stream {
        self.stream
    }
}

/// The state between two reads. Pure.
#[derive(Default)]
struct Text {
    literals: bool,
    /// Bytes of a literal that are still to come.
    literal: u64,
    /// A line whose end has not come.
    line: Vec<u8>,
    out: Vec<u8>,
}

impl Text {
    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.literal > 0 {
                let some = usize::try_from(self.literal).unwrap_or(usize::MAX).min(bytes.len());
                self.out.extend_from_slice(&bytes[..some]);
                self.literal -= some as u64;
                bytes = &bytes[some..];
                continue;
            }
            let end = bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |at| at + 1);
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end..];
            if self.line.ends_with(b"\n") || self.line.len() > LONGEST {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.literals {
            self.literal = announced(&line).unwrap_or(0);
        }
        match line.is_ascii() || line.len() > LONGEST {
            true => self.out.extend(line),
            false => self.out.extend(ascii(&decoded(&line)).into_bytes()),
        }
    }
}

/// UTF-8 where it is that, else GB18030, which holds GBK.
fn decoded(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) => text.to_owned(),
        Err(_) => GB18030.decode_without_bom_handling(line).0.into_owned(),
    }
}

fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_ascii() {
            true => out.push(c),
            false => out.push_str(&format!("&#x{:x};", u32::from(c))),
        }
    }
    out
}

/// A server's words as it wrote them: the references of this file become characters again.
pub fn readable(text: &str) -> String {
    let mut parts = text.split("&#x");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let found = part.split_once(';').and_then(|(hex, rest)| {
            let c = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)?;
            (!c.is_ascii()).then_some((c, rest))
        });
        match found {
            Some((c, rest)) => {
                out.push(c);
                out.push_str(rest);
            }
            None => {
                out.push_str("&#x");
                out.push_str(part);
            }
        }
    }
    out
}

/// The size in `…{123}` or `…{123+}` before the line's end.
fn announced(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line).strip_suffix(b"}")?;
    let line = line.strip_suffix(b"+").unwrap_or(line);
    let digits = line.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let (before, number) = line.split_at(line.len() - digits);
    before.ends_with(b"{").then_some(())?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

impl AsyncRead for Lines {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.given == this.text.out.len() {
            this.text.out.clear();
            this.given = 0;
            let mut bytes = [0; CHUNK];
            let mut chunk = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                // The end. A line without one is given as it is. lettre takes an end for a reply that it cannot read.
                this.text.end_line();
                match this.text.out.is_empty() && !this.text.literals {
                    true => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                    false => break,
                }
            }
            this.text.feed(chunk.filled());
        }
        let left = &this.text.out[this.given..];
        let some = left.len().min(buf.remaining());
        buf.put_slice(&left[..some]);
        this.given += some;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Lines {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl fmt::Debug for Lines {
    /// Nothing of what went over the line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

impl AsyncTokioStream for Lines {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        super::dial::peer(&self.stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What comes out, fed in pieces of this size.
    fn through(bytes: &[u8], piece: usize, literals: bool) -> Vec<u8> {
        let mut text = Text { literals, ..Text::default() };
        bytes.chunks(piece.max(1)).for_each(|piece| text.feed(piece));
        text.end_line();
        text.out
    }

    #[test]
    fn gbk_and_utf_8_become_ascii_and_can_be_read_again() {
        // 请使用授权码登录
        let gbk = b"T1 NO \xc7\xeb\xca\xb9\xd3\xc3\xca\xda\xc8\xa8\xc2\xeb\xb5\xc7\xc2\xbc\r\n";
        for line in [&gbk[..], "T1 NO 请使用授权码登录\r\n".as_bytes()] {
            let out = String::from_utf8(through(line, 5, true)).unwrap();
            assert!(out.is_ascii() && out.starts_with("T1 NO &#x8bf7;") && out.ends_with("\r\n"), "{out}");
            assert_eq!(readable(&out), "T1 NO 请使用授权码登录\r\n");
        }
        for text in ["&#x", "&#x;", "&#xzz;", "&#x41;", "&#x110000;", "a &#x8bf7 b"] {
            assert_eq!(readable(text), text);
        }
    }

    #[test]
    fn a_literal_is_not_touched_and_the_line_after_it_is() {
        let wire = b"* 1 FETCH (BODY[] {4}\r\n\xca\xda\n\xff)\r\n* NO \xca\xda\r\n";
        let expected = b"* 1 FETCH (BODY[] {4}\r\n\xca\xda\n\xff)\r\n* NO &#x6388;\r\n";
        for piece in 1..wire.len() {
            assert_eq!(through(wire, piece, true), expected, "in pieces of {piece}");
        }
        assert_eq!(announced(b"{12+}\r\n"), Some(12));
        for none in ["{}\r\n", "12}\r\n", "{12} \r\n", "{99999999999999999999}\r\n"] {
            assert_eq!(announced(none.as_bytes()), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn ascii_goes_through_unchanged_however_it_comes(text in "[ -~\r\n]{0,200}", piece in 1usize..50) {
            prop_assert_eq!(through(text.as_bytes(), piece, false), text.as_bytes());
        }

        #[test]
        fn whatever_comes_without_literals_leaves_as_ascii_and_reads_the_same(text in "\\PC{0,80}", piece in 1usize..9) {
            let line = format!("{text}\n");
            let out = String::from_utf8(through(line.as_bytes(), piece, false)).unwrap();
            prop_assert!(out.is_ascii());
            prop_assume!(!text.contains("&#x"));
            prop_assert_eq!(readable(&out), line);
        }
    }
}
