//! Base64 (RFC 2045 section 6.8), read as leniently as mail programs do. Pure.

/// Decodes in one pass. Whatever is no base64 is left out: stray characters within lines of data, and whole lines of
/// words (what mail servers and lists put between or behind it).
pub fn decode(text: &[u8]) -> Vec<u8> {
    let mut data = Data { bytes: Vec::with_capacity(text.len() / 4 * 3 + 3), group: 0, digits: 0, padded: false };
    let width = width(text);
    let mut words = false;
    let mut blank = false;
    for line in text.split(|&b| b == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() {
            blank = true;
            continue;
        }
        match line_of(line, width) {
            Line::Clean if data.padded && (blank || !line.len().is_multiple_of(4)) => break,
            Line::Clean if words && !(line.len().is_multiple_of(4) && (line.len() >= RUN || line.ends_with(b"="))) => {}
            Line::Words if data.is_complete() => words = true,
            _ => data.extend(line),
        }
        blank = false;
    }
    data.end();
    data.bytes
}

/// Whether a text begins with a line of base64 and nothing else, as one does that nobody declared.
pub fn begins(text: &[u8]) -> bool {
    let line = text.split(|&b| b == b'\n').next().unwrap_or_default().trim_ascii();
    line.len() >= RUN && matches!(line_of(line, None), Line::Clean)
}

/// Words are not longer than this; data is.
const RUN: usize = 24;

/// Of the lines that are nothing but data all except the last are equally long. `None` where there are no long ones.
fn width(text: &[u8]) -> Option<usize> {
    let lines = text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii).take(LINES);
    let clean = lines.filter(|line| line.len() >= RUN && line.iter().all(|b| digit(*b).is_some()));
    clean.map(<[u8]>::len).max()
}

/// Lines that are looked at to learn how long they are.
const LINES: usize = 1_000;

enum Line {
    Clean,
    /// Data with something else in it.
    Damaged,
    Words,
}

fn line_of(line: &[u8], width: Option<usize>) -> Line {
    let foreign = |b: &u8| digit(*b).is_none() && *b != b'=';
    if !line.iter().any(foreign) {
        return Line::Clean;
    }
    let data = line.split(foreign).map(<[u8]>::len);
    let (longest, all) = data.fold((0, 0), |(longest, all), run| (longest.max(run), all + run));
    // A line that is as long as the others, but for what is foreign in it, is one of them, however dense that stands.
    // Any other is data if hardly anything in it is foreign, and nothing of what words and addresses are made with.
    let made = line.iter().any(|b| b" .:@".contains(b));
    let sparse = all * 10 >= line.len() * 8 && !made;
    if longest >= RUN || Some(all) == width || sparse { Line::Damaged } else { Line::Words }
}

fn digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

struct Data {
    bytes: Vec<u8>,
    group: u32,
    digits: u32,
    /// The last group was padded. That is the end, unless every line is.
    padded: bool,
}

impl Data {
    fn is_complete(&self) -> bool {
        self.digits == 0
    }

    fn extend(&mut self, line: &[u8]) {
        for &byte in line {
            match digit(byte) {
                Some(value) => {
                    self.group = self.group << 6 | value;
                    self.digits += 1;
                    self.padded = false;
                }
                None if byte == b'=' => self.end(),
                None => {}
            }
            if self.digits == 4 {
                self.bytes.extend_from_slice(&self.group.to_be_bytes()[1..]);
                (self.group, self.digits) = (0, 0);
            }
        }
    }

    /// Ends a group that is padded, or whose padding is missing.
    fn end(&mut self) {
        let group = (self.group << (24 - 6 * self.digits)).to_be_bytes();
        self.bytes.extend_from_slice(&group[1..1 + (self.digits * 6 / 8) as usize]);
        (self.group, self.digits, self.padded) = (0, 0, true);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::whole_mails;

    #[test]
    fn it_is_read_with_its_usual_defects() {
        assert_eq!(decode(b"YWJj\r\nZGU="), b"abcde");
        assert_eq!(decode(b"YWJjZGU"), b"abcde", "padding missing");
        assert_eq!(decode(b"YWI=\r\nY2Q=\r\n"), b"abcd", "every line padded");
        assert_eq!(decode(b"YWJjYW*Jj\xFFYWJj\r\nZGU"), b"abcabcabcde", "other characters");
        assert_eq!(decode(b"Y\nW\r\nJjZ\n\nGU="), b"abcde", "lines of any length");
        assert_eq!(decode(b"YWJj=ZGU"), b"abcde", "padding within");
        assert_eq!(decode(b""), b"");
    }

    #[test]
    fn words_between_and_behind_the_data_are_none_of_it() {
        let data = [b'x'; 90];
        let text = whole_mails::base64(&data);
        let (first, last) = text.split_at(60);
        for foreign in [
            "-- this list is kept by --",
            "Scanned by mail gate and found clean",
            "病毒扫描：无",
            "____________",
            "> quoted",
        ] {
            assert_eq!(decode(format!("{text}\r\n{foreign}\r\nBest\r\n").as_bytes()), data, "behind: {foreign}");
            assert_eq!(decode(format!("{text}\r\n\r\n{foreign}\r\n").as_bytes()), data, "behind: {foreign}");
            assert_eq!(decode(format!("{first}\r\n{foreign}\r\n{last}").as_bytes()), data, "between: {foreign}");
            assert_eq!(decode(format!("{foreign}\r\n{text}").as_bytes()), data, "before: {foreign}");
        }
        assert_eq!(decode(b"YWJjZGU=\r\n\r\nRegards\r\n"), b"abcde");
    }

    #[test]
    fn characters_outside_the_alphabet_are_skipped_however_dense_they_stand() {
        // RFC 2045 section 6.8: such characters must be ignored.
        let data: Vec<u8> = std::iter::repeat_n(0, 150).chain(1..=150).collect();
        let text = whole_mails::base64(&data);
        let lines: Vec<&str> = text.as_bytes().chunks(60).map(|l| std::str::from_utf8(l).unwrap()).collect();
        let text = lines.join("\r\n");
        for (clean, rubbish) in [("A", "!A"), ("A", "A\u{7f}"), ("A", "* A"), ("\r\n", " *\r\n"), ("\r\n", "~!\r\n")] {
            let damaged = text.replacen(clean, rubbish, 40);
            assert_ne!(damaged, text);
            assert_eq!(decode(damaged.as_bytes()), data, "{rubbish:?} for {clean:?}");
            let footer = "This mail was scanned by the mail gate";
            assert_eq!(decode(format!("{damaged}\r\n{footer}\r\n").as_bytes()), data, "{rubbish:?}, and a footer");
        }
    }

    proptest! {
        #[test]
        fn whatever_was_encoded_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..300), width in 1..80usize) {
            let text = whole_mails::base64(&bytes);
            let lines: Vec<&str> = text.as_bytes().chunks(width).map(|l| std::str::from_utf8(l).unwrap()).collect();
            prop_assert_eq!(&decode(lines.join("\r\n").as_bytes()), &bytes);
            prop_assert_eq!(&decode(lines.join(" \n").trim_end_matches('=').as_bytes()), &bytes);
        }
    }
}
