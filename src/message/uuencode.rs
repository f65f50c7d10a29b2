//! Files that stand uuencoded in a text, as old programs attach them (POSIX uuencode, both its codings). Pure.

use super::base64;
use super::part::Line;

/// A file in a text.
#[derive(Debug, PartialEq, Eq)]
pub struct File<'a> {
    /// As it is written.
    pub name: &'a [u8],
    pub bytes: Vec<u8>,
}

/// The files in a text, and the pieces of text around them. A line that merely says `begin 644 …` begins none: data has
/// to follow. A file without its end ends where no data follows any more.
pub fn extract(text: &[u8]) -> (Vec<File<'_>>, Vec<&[u8]>) {
    let (mut files, mut pieces) = (Vec::new(), Vec::new());
    let (mut from, mut at) = (0, 0);
    while let Some(line) = Line::at(text, at) {
        at = line.next;
        let Some(begin) = Begin::read(line.text) else { continue };
        let found = if begin.base64 { base64_lines(text, at) } else { uu_lines(text, at) };
        if let Some((bytes, end)) = found {
            files.push(File { name: begin.name, bytes });
            pieces.push(&text[from..line.start]);
            (from, at) = (end, end);
        }
    }
    pieces.push(&text[from..]);
    (files, pieces)
}

/// The line that begins a file: `begin 644 台账.xls`.
struct Begin<'a> {
    name: &'a [u8],
    base64: bool,
}

impl<'a> Begin<'a> {
    fn read(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"begin")?;
        let coded = rest.strip_prefix(b"-base64");
        let rest = coded.unwrap_or(rest).strip_prefix(b" ")?.trim_ascii_start();
        let digits = rest.iter().position(|b| !matches!(b, b'0'..=b'7'))?;
        let name = rest[digits..].strip_prefix(b" ")?.trim_ascii();
        (matches!(digits, 3 | 4) && !name.is_empty()).then_some(Self { name, base64: coded.is_some() })
    }
}

/// Lines of data from here on, and where the text goes on; `None` if there are none. Lines that lost most of what they
/// hold are data only where the line `end` follows them.
fn uu_lines(text: &[u8], from: usize) -> Option<(Vec<u8>, usize)> {
    let mut bytes = Vec::new();
    // How far all is sure: bytes, and where the text goes on.
    let mut sure = (0, from);
    let mut in_doubt = false;
    for line in Line::all(text, from) {
        let trimmed = line.text.trim_ascii_end();
        // The last line of data is empty; then comes `end`.
        if trimmed == b"end" {
            if sure.0 > 0 {
                sure = (bytes.len(), line.next);
            }
            break;
        }
        if !matches!(trimmed, b"" | b"`") {
            match uu_line(line.text, &mut bytes) {
                Some(whole) => in_doubt |= !whole,
                None => break,
            }
        }
        if !in_doubt {
            sure = (bytes.len(), line.next);
        }
    }
    bytes.truncate(sure.0);
    (!bytes.is_empty()).then_some((bytes, sure.1))
}

/// A line of data: its length, and as many characters of six bits. Spaces at its end, which stand for zeros, may have been
/// lost, and some programs append a character to check it by. `None` for any other line, else whether it has so much of
/// what it should that it can be nothing else.
fn uu_line(line: &[u8], bytes: &mut Vec<u8>) -> Option<bool> {
    let (&length, data) = line.split_first()?;
    let value = |byte: u8| (b' '..=b'`').contains(&byte).then(|| u32::from(byte - b' ') & 63);
    let length = value(length).filter(|&length| length > 0)?;
    let groups = (length as usize).div_ceil(3);
    if data.len() > groups * 4 + 2 || !data.iter().all(|&b| value(b).is_some()) {
        return None;
    }
    let start = bytes.len();
    for group in 0..groups {
        let digit = |n: usize| data.get(group * 4 + n).copied().and_then(value).unwrap_or(0);
        let bits = (0..4).fold(0, |bits, n| bits << 6 | digit(n));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    bytes.truncate(start + length as usize);
    // Of other lines nearly all are of another length.
    let full = (length as usize * 4).div_ceil(3);
    Some(data.len() >= full || (length == 45 && data.len() * 2 >= full))
}

/// Base64 up to the line `====`; `None` if another file begins before that.
fn base64_lines(text: &[u8], from: usize) -> Option<(Vec<u8>, usize)> {
    let mut lines = Line::all(text, from).take_while(|line| Begin::read(line.text).is_none());
    let end = lines.find(|line| line.text.trim_ascii_end() == b"====")?;
    let bytes = base64::decode(&text[from..end.start]);
    (!bytes.is_empty()).then_some((bytes, end.next))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As programs write it: spaces or backquotes for nothing.
    fn encoded(bytes: &[u8], zero: char) -> String {
        let digit = |bits: u32| match bits & 63 {
            0 => zero,
            bits => char::from(b' ' + bits as u8),
        };
        let line = |line: &[u8]| {
            let group = |group: &[u8]| {
                let bits = (0..3).fold(0, |bits, n| bits << 8 | u32::from(*group.get(n).unwrap_or(&0)));
                [18, 12, 6, 0].map(|shift| digit(bits >> shift)).iter().collect::<String>()
            };
            format!("{}{}\n", digit(line.len() as u32), line.chunks(3).map(group).collect::<String>())
        };
        bytes.chunks(45).map(line).collect()
    }

    fn found(text: &[u8]) -> (Vec<(String, Vec<u8>)>, String) {
        let (files, pieces) = extract(text);
        let files = files.into_iter().map(|f| (String::from_utf8_lossy(f.name).into_owned(), f.bytes));
        (files.collect(), String::from_utf8_lossy(&pieces.concat()).into_owned())
    }

    #[test]
    fn files_are_taken_out_of_the_text_around_them() {
        let one = format!("begin 644 a b.xls\n{}`\nend\n", encoded(&[7; 100], '`'));
        let two = format!("begin 0600 c.xls\r\n{} \r\nend\r\n", encoded(b"\0\0x", ' ').replace('\n', "\r\n"));
        let (files, text) = found(format!("您好\n{one}\nmore\n{two}bye\n").as_bytes());
        assert_eq!(files, [("a b.xls".into(), vec![7; 100]), ("c.xls".into(), b"\0\0x".to_vec())]);
        assert_eq!(text, "您好\n\nmore\nbye\n");
    }

    #[test]
    fn the_end_may_be_missing_and_the_coding_base64() {
        let data = encoded(&[200; 90], '`');
        assert_eq!(found(format!("begin 644 a\n{data}").as_bytes()).0, [("a".into(), vec![200; 90])]);
        let (files, text) = found(format!("begin 644 a\n{data}\n此致\n").as_bytes());
        assert_eq!((files, text.as_str()), (vec![("a".into(), vec![200; 90])], "此致\n"));
        let (files, text) = found(b"begin-base64 644 a\nYWJj\n====\nx");
        assert_eq!((files, text.as_str()), (vec![("a".into(), b"abc".to_vec())], "x"));
    }

    #[test]
    fn spaces_that_a_mail_program_cut_are_zeros() {
        let data: Vec<u8> = (1..=40).chain(std::iter::repeat_n(0, 95)).chain([9, 9, 9]).chain([0; 30]).collect();
        let cut: String = encoded(&data, ' ').lines().map(|line| format!("{}\n", line.trim_end())).collect();
        assert!(cut.contains("\nM\n") && cut.lines().last().is_some_and(|last| last.len() < 30), "{cut}");
        let (files, text) = found(format!("begin 644 a\n{cut}\nend\n此致\n").as_bytes());
        assert_eq!((files, text.as_str()), (vec![("a".into(), data)], "此致\n"));
        let sure = encoded(&[1; 45], ' ');
        let (files, text) = found(format!("begin 644 a\n{sure}THANKS\nMR. X\n").as_bytes());
        assert_eq!((files, text.as_str()), (vec![("a".into(), vec![1; 45])], "THANKS\nMR. X\n"), "no end follows");
    }

    #[test]
    fn prose_is_no_file() {
        for text in [
            "begin 644 words\nand they went on\n",
            "begin 644 台账.xls\n\n请见附件\nend\n",
            "begin 644 a.xls 开头的几行是附件\nend\n",
            "begin 644 \nM1234\n",
            "begin 644 A.XLS\nMORE IN CAPITALS\nOR NOT\nend\n",
            "begin 9 a\n#86)C\nend\n",
            " begin 644 a\n#86)C\nend\n",
            "begin 644 a",
        ] {
            assert_eq!(found(text.as_bytes()), (vec![], text.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn whatever_was_encoded_comes_back(bytes in prop::collection::vec(any::<u8>(), 1..300), space in any::<bool>()) {
            let zero = if space { ' ' } else { '`' };
            let text = format!("begin 644 a\n{}{zero}\nend\n", encoded(&bytes, zero));
            let (files, _) = found(text.as_bytes());
            prop_assert_eq!(&files[0].1, &bytes);
        }
    }
}
