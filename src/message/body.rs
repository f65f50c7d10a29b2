//! The text of a mail, as far as it tells something about what is attached. Pure.

use std::sync::LazyLock;

use regex::Regex;

use super::parameters::Parameters;
use super::part::Line;
use super::{Attachment, charset};

/// The body of one message.
#[derive(Default)]
pub struct Body {
    pub plain: String,
    pub html: String,
    /// What lies in a winmail.dat or the like; it repeats the others where there are any.
    pub inside: String,
    /// Pictures that it may show.
    pub pictures: Vec<Picture>,
}

pub struct Picture {
    pub content_id: Option<String>,
    /// It lies beside the text that shows it (multipart/related).
    pub related: bool,
    pub file: Attachment,
}

impl Body {
    pub fn text(&self) -> String {
        match self.plain.trim() {
            "" => match html_to_text(&self.html) {
                page if page.is_empty() => self.inside.trim().to_owned(),
                page => page,
            },
            plain => plain.to_owned(),
        }
    }

    /// Its pictures: those that it does not show, which were attached, and those that it shows.
    pub fn take_pictures(&mut self) -> (Vec<Attachment>, Vec<Attachment>) {
        let pictures = std::mem::take(&mut self.pictures).into_iter();
        let shown = |id: &Option<String>| {
            id.as_ref().is_some_and(|id| !id.is_empty() && self.html.contains(&format!("cid:{id}")))
        };
        let (shown, attached): (Vec<Picture>, Vec<Picture>) = pictures.partition(|p| p.related || shown(&p.content_id));
        let files = |list: Vec<Picture>| list.into_iter().map(|p| p.file).collect();
        (files(attached), files(shown))
    }
}

/// Adds a text to another one on a line of its own, up to a number of bytes.
pub fn append(target: &mut String, text: &str, most: usize) {
    let room = most.saturating_sub(target.len());
    let end = (0..=room.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    if !target.is_empty() {
        target.push('\n');
    }
    target.push_str(&text[..end]);
}

/// The beginning of a text, cut between two lines if it is too long.
pub fn beginning(text: &[u8], most: usize) -> &[u8] {
    let Some(head) = text.get(..most).filter(|head| head.len() < text.len()) else { return text };
    head.iter().rposition(|&b| b == b'\n').map_or(head, |end| &head[..=end])
}

/// Plain text in characters, with LF at the ends of its lines.
pub fn plain(declared: &Parameters, bytes: &[u8]) -> String {
    let text = lines(&charset::decode(&declared.plain("charset").unwrap_or_default(), bytes));
    let is = |name: &str, wanted: &str| declared.plain(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
    if is("format", "flowed") { unwrapped(&text, is("delsp", "yes")) } else { text }
}

/// A page in characters.
pub fn page(declared: &Parameters, bytes: &[u8]) -> String {
    let label = declared.plain("charset").or_else(|| meta_charset(bytes));
    lines(&charset::decode(&label.unwrap_or_default(), bytes))
}

fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace(['\r', '\0'], "\n")
}

/// Lines that were broken for sending joined again (RFC 3676 section 4).
fn unwrapped(text: &str, delete_spaces: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let line = line.strip_prefix(' ').unwrap_or(line);
        let text = line.strip_suffix('\n').unwrap_or(line);
        match text.strip_suffix(' ') {
            // The line before a signature ends in a space, too.
            Some(flowing) if text != "-- " => out.push_str(if delete_spaces { flowing } else { text }),
            _ => out.push_str(line),
        }
    }
    out
}

/// The charset that an HTML page names in its head.
fn meta_charset(html: &[u8]) -> Option<String> {
    static CHARSET: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?i)charset\s*=\s*["']?([\w-]+)"#).expect("a valid pattern"));
    let head = String::from_utf8_lossy(&html[..html.len().min(2048)]);
    CHARSET.captures(&head).map(|found| found[1].to_owned())
}

fn html_to_text(html: &str) -> String {
    static LINE_ENDS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)</(div|tr|li|h[1-6]|table|title)\s*>").expect("a valid pattern"));
    static CELL_ENDS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)</t[dh]\s*>").expect("a valid pattern"));
    let spaced = LINE_ENDS.replace_all(html, "<br>");
    mail_parser::decoders::html::html_to_text(&CELL_ENDS.replace_all(&spaced, " ")).trim().to_owned()
}

/// Targets of the links in a page.
pub fn links(html: &str) -> Vec<String> {
    static TARGET: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?i)\shref\s*=\s*["']?([^"'\s>]+)"#).expect("a valid pattern"));
    TARGET.captures_iter(html).take(200).map(|found| found[1].replace("&amp;", "&")).collect()
}

/// A text that is enciphered as a whole (RFC 9580 section 6.2).
pub fn is_enciphered(text: &[u8]) -> bool {
    Line::all(text, 0)
        .find(|line| !line.text.trim_ascii().is_empty())
        .is_some_and(|line| line.text.trim_ascii_end() == b"-----BEGIN PGP MESSAGE-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowed_lines_are_joined() {
        let read = |kind: &str, text: &str| plain(&Parameters::parse(kind.as_bytes()), text.as_bytes());
        let flowed = "填报单位：云溪 \r\n街道\r\n  indented\r\n-- \r\nname";
        assert_eq!(read("text/plain; format=flowed", flowed), "填报单位：云溪 街道\n indented\n-- \nname");
        assert_eq!(read("text/plain; format=Flowed; delsp=yes", flowed), "填报单位：云溪街道\n indented\n-- \nname");
        assert_eq!(read("text/plain", "a \rb\r\nc"), "a \nb\nc");
    }

    #[test]
    fn a_page_tells_its_charset() {
        let big5 = encoding_rs::BIG5.encode("<meta charset='big5'>統計表").0.into_owned();
        assert!(page(&Parameters::default(), &big5).ends_with("統計表"));
        let gbk = encoding_rs::GBK.encode("<meta charset=utf-8>统计表").0.into_owned();
        assert!(page(&Parameters::parse(b"text/html; charset=utf-8"), &gbk).ends_with("统计表"));
    }

    #[test]
    fn a_long_text_is_cut_between_lines() {
        assert_eq!(beginning(b"one\ntwo\nthree", 9), b"one\ntwo\n");
        assert_eq!(beginning(b"one", 3), b"one");
        assert_eq!(beginning(b"onetwo", 3), b"one");
    }

    #[test]
    fn the_first_text_that_says_something_is_the_body() {
        let body = |plain: &str, html: &str, inside: &str| {
            Body { plain: plain.into(), html: html.into(), inside: inside.into(), pictures: Vec::new() }.text()
        };
        assert_eq!(body(" \n", "<p>页</p>", "信"), "页");
        assert_eq!(body("文", "<p>页</p>", "信"), "文");
        assert_eq!(body("", "<br>", "信"), "信");
    }
}
