//! Mail as the offices' programs write it, by hand, because the programs of 2011 did things no library does:
//! subjects and file names in GBK, as encoded words (RFC 2047), RFC 2231 parameters, or raw 8-bit.

use chrono::{DateTime, FixedOffset};
use encoding_rs::{Encoding, GBK, UTF_8};
use lettre::message::Body;
use lettre::message::header::ContentTransferEncoding;

/// The sending program, as far as it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// UTF-8 throughout, file names as encoded words and by RFC 2231.
    Modern,
    /// Labelled `gb2312`, file names as encoded words.
    Gbk,
    /// Labelled nowhere: GBK bytes as they are in the subject and the file names.
    Raw,
}

/// A mail before it is written.
pub struct Mail<'a> {
    pub at: DateTime<FixedOffset>,
    /// Display name and address.
    pub from: (&'a str, &'a str),
    pub to: &'a [&'a str],
    pub subject: &'a str,
    pub text: &'a str,
    pub files: Vec<File>,
    pub program: Program,
    /// Further header lines: `Auto-Submitted: auto-replied`.
    pub extra: &'a [&'a str],
    /// Local part of the Message-ID.
    pub id: &'a str,
}

#[derive(Clone, Debug)]
pub struct File {
    pub name: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// What our provider noted when it took the mail.
pub struct Trace<'a> {
    /// `mx.xinyou.example`
    pub authserv_id: &'a str,
    /// Whose mailbox it went to.
    pub recipient: &'a str,
    /// SPF, DKIM and DMARC results.
    pub pass: bool,
    /// The null return path of bounces and automatic answers.
    pub null_sender: bool,
}

impl Mail<'_> {
    /// The mail with its trace on top, lines ending in CRLF (RFC 5322, RFC 8601).
    pub fn deliver(&self, trace: &Trace<'_>) -> Vec<u8> {
        let mut out = self.trace(trace).into_bytes();
        out.extend(self.write());
        out
    }

    fn trace(&self, trace: &Trace<'_>) -> String {
        let address = self.from.1;
        let domain = address.rsplit('@').next().unwrap_or(address);
        let result = if trace.pass { "pass" } else { "fail" };
        let sender = if trace.null_sender { "" } else { address };
        format!(
            "Return-Path: <{sender}>\r\n\
             Received: from smtp.{domain} (unknown [192.0.2.25])\r\n\tby {server} with ESMTP id {id}\r\n\
             \tfor <{recipient}>; {date}\r\n\
             Authentication-Results: {server}; spf={result} smtp.mailfrom={address};\r\n\
             \tdkim={result} header.d={domain}; dmarc={result} header.from={domain}\r\n",
            server = trace.authserv_id,
            id = self.id,
            recipient = trace.recipient,
            date = self.at.to_rfc2822(),
        )
    }

    /// The mail as its sender's program hands it over.
    pub fn write(&self) -> Vec<u8> {
        let boundary = format!("----=_NextPart_{}", self.id);
        let (name, address) = self.from;
        let domain = address.rsplit('@').next().unwrap_or(address);
        let to: Vec<String> = self.to.iter().map(|t| format!("<{t}>")).collect();
        let mut out = Vec::new();
        out.extend(format!("Date: {}\r\nFrom: ", self.at.to_rfc2822()).bytes());
        out.extend(self.phrase(name));
        out.extend(format!(" <{address}>\r\nTo: {}\r\nSubject: ", to.join(",\r\n ")).bytes());
        out.extend(self.phrase(self.subject));
        out.extend(format!("\r\nMessage-ID: <{}@{domain}>\r\nMIME-Version: 1.0\r\n", self.id).bytes());
        for line in self.extra {
            out.extend(format!("{line}\r\n").bytes());
        }
        if self.files.is_empty() {
            out.extend(self.body());
            return out;
        }
        out.extend(format!("Content-Type: multipart/mixed;\r\n boundary=\"{boundary}\"\r\n\r\n").bytes());
        out.extend(format!("--{boundary}\r\n").bytes());
        out.extend(self.body());
        for file in &self.files {
            out.extend(format!("\r\n--{boundary}\r\n").bytes());
            out.extend(self.attachment(file));
        }
        out.extend(format!("\r\n--{boundary}--\r\n").bytes());
        out
    }

    fn encoding(&self) -> &'static Encoding {
        if self.program == Program::Modern { UTF_8 } else { GBK }
    }

    /// Content headers, blank line and the text in base64.
    fn body(&self) -> Vec<u8> {
        let label = if self.program == Program::Modern { "UTF-8" } else { "gb2312" };
        let (text, _, _) = self.encoding().encode(self.text);
        format!(
            "Content-Type: text/plain; charset={label}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            base64(&text)
        )
        .into_bytes()
    }

    fn attachment(&self, file: &File) -> Vec<u8> {
        let name = self.phrase(&file.name);
        let mut out = format!("Content-Type: {};\r\n name=\"", file.media_type).into_bytes();
        out.extend(&name);
        out.extend(b"\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n ");
        if self.program == Program::Modern {
            out.extend(format!("filename*=UTF-8''{}", percent(&file.name)).bytes());
        } else {
            out.extend(b"filename=\"");
            out.extend(&name);
            out.extend(b"\"");
        }
        out.extend(format!("\r\n\r\n{}\r\n", base64(&file.bytes)).bytes());
        out
    }

    /// Text in a header, as this program writes it. Encoded words hold 15 characters, so at most 45 bytes (RFC 2047
    /// allows a word 75).
    fn phrase(&self, text: &str) -> Vec<u8> {
        if text.is_ascii() {
            return text.as_bytes().to_vec();
        }
        let encoding = self.encoding();
        if self.program == Program::Raw {
            return encoding.encode(text).0.into_owned();
        }
        let label = if self.program == Program::Modern { "UTF-8" } else { "gb2312" };
        let characters: Vec<char> = text.chars().collect();
        let words: Vec<String> = characters
            .chunks(15)
            .map(|chunk| {
                let chunk: String = chunk.iter().collect();
                format!("=?{label}?B?{}?=", base64(&encoding.encode(&chunk).0))
            })
            .collect();
        words.join("\r\n ").into_bytes()
    }
}

/// Base64 in lines of 76 characters.
fn base64(bytes: &[u8]) -> String {
    let body =
        Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64).expect("base64 takes any bytes");
    String::from_utf8(body.into_vec()).expect("base64 is ASCII").trim_end().to_owned()
}

/// RFC 3986 percent encoding of everything but letters, digits, `.` and `-`.
fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(program: Program) -> String {
        let mail = Mail {
            at: DateTime::parse_from_rfc3339("2011-09-05T10:12:00+08:00").unwrap(),
            from: ("石桥湾街道", "clerk@office.example"),
            to: &["committee@dept.example"],
            subject: "报送八月份统计表和活动台账的邮件主题写得很长很长很长",
            text: "请查收。",
            files: vec![File {
                name: "统计表.xlsx".into(),
                media_type: "application/octet-stream",
                bytes: vec![1; 99],
            }],
            program,
            extra: &[],
            id: "m1",
        };
        let trace = Trace {
            authserv_id: "mx.dept.example",
            recipient: "committee@dept.example",
            pass: true,
            null_sender: false,
        };
        let raw = mail.deliver(&trace);
        let (text, _, _) = GBK.decode(&raw);
        text.into_owned()
    }

    #[test]
    fn headers_are_encoded_words_of_legal_length_or_raw_bytes() {
        for program in [Program::Modern, Program::Gbk] {
            let text = mail(program);
            let words: Vec<&str> = text.split_ascii_whitespace().filter(|w| w.starts_with("=?")).collect();
            assert!(words.len() >= 3 && words.iter().all(|w| w.len() <= 75), "{words:?}");
            assert!(text.is_ascii());
        }
        assert!(mail(Program::Raw).contains("Subject: 报送八月份"), "raw GBK");
    }

    #[test]
    fn the_provider_signs_on_top() {
        assert!(mail(Program::Modern).starts_with("Return-Path: <clerk@office.example>\r\nReceived: from "));
    }
}
