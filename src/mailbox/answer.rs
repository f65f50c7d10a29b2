//! A server's answer to one command, reduced to what we act on.
//!
//! No IO. What the parser knows and we do not becomes nothing.

use async_imap::imap_proto::{
    AttributeValue, Capability, MailboxDatum, Outcome, Response, ResponseCode, Status, StatusAttribute,
};
use chrono::{DateTime, Utc};

use super::lines::readable;

/// One piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Upper case.
    Capabilities(Vec<String>),
    Exists(u32),
    Expunge,
    UidValidity(u32),
    UidNext(u32),
    PermanentFlags(Vec<String>),
    /// LIST named a folder.
    Folder,
    /// STATUS counted the messages of a folder.
    Messages(u32),
    Row(Row),
    /// `+`: the server waits for us.
    Continue,
    /// The server is about to hang up.
    Bye(String),
    /// The greeting: `true` if we are logged in already (PREAUTH).
    Greeting(bool),
    Done(Done),
}

/// One untagged FETCH.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub uid: Option<u32>,
    pub internal_date: Option<DateTime<Utc>>,
    pub size: Option<u64>,
    pub deleted: bool,
    pub body: Option<Vec<u8>>,
}

/// The tagged end of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub tag: String,
    pub ok: bool,
    pub bad: bool,
    /// The response code's first word, upper case: `TRYCREATE`, `AUTHENTICATIONFAILED`.
    pub code: Option<String>,
    /// The server's words, printable and short.
    pub text: String,
}

/// A whole answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub items: Vec<Item>,
}

impl Answer {
    pub fn rows(self) -> impl Iterator<Item = Row> {
        self.items.into_iter().filter_map(|item| match item {
            Item::Row(row) => Some(row),
            _ => None,
        })
    }

    pub fn capabilities(&self) -> Option<&[String]> {
        self.items.iter().rev().find_map(|item| match item {
            Item::Capabilities(all) => Some(all.as_slice()),
            _ => None,
        })
    }
}

/// Reads one response; several items where a status line carries a code worth keeping.
pub fn items(response: &Response<'_>) -> Vec<Item> {
    match response {
        Response::Capabilities(all) => vec![capabilities(all)],
        Response::Continue(_) => vec![Item::Continue],
        Response::Done { tag, status, outcome } => {
            let mut items: Vec<Item> = coded(outcome).into_iter().collect();
            items.push(Item::Done(done(tag.0.clone(), status, outcome)));
            items
        }
        Response::Data { status, outcome } => {
            let mut items: Vec<Item> = coded(outcome).into_iter().collect();
            match status {
                Status::Ok => items.push(Item::Greeting(false)),
                Status::PreAuth => items.push(Item::Greeting(true)),
                Status::Bye => items.push(Item::Bye(printable(outcome.information.as_deref().unwrap_or_default()))),
                Status::No | Status::Bad => {}
            }
            items
        }
        Response::Expunge(_) => vec![Item::Expunge],
        Response::Fetch(_, attributes) => vec![Item::Row(row(attributes))],
        Response::MailboxData(MailboxDatum::Exists(n)) => vec![Item::Exists(*n)],
        Response::MailboxData(MailboxDatum::List(_)) => vec![Item::Folder],
        Response::MailboxData(MailboxDatum::Status { status, .. }) => status.iter().filter_map(messages).collect(),
        _ => Vec::new(),
    }
}

fn capabilities(all: &[Capability<'_>]) -> Item {
    let name = |capability: &Capability<'_>| match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_ascii_uppercase()),
        Capability::Atom(atom) => atom.to_ascii_uppercase(),
    };
    Item::Capabilities(all.iter().map(name).collect())
}

fn coded(outcome: &Outcome<'_>) -> Option<Item> {
    match outcome.code.as_ref()? {
        ResponseCode::Capabilities(all) => Some(capabilities(all)),
        ResponseCode::UidValidity(n) => Some(Item::UidValidity(*n)),
        ResponseCode::UidNext(n) => Some(Item::UidNext(*n)),
        ResponseCode::PermanentFlags(flags) => {
            Some(Item::PermanentFlags(flags.iter().map(|flag| flag.to_string()).collect()))
        }
        _ => None,
    }
}

fn messages(attribute: &StatusAttribute) -> Option<Item> {
    match attribute {
        StatusAttribute::Messages(n) => Some(Item::Messages(*n)),
        _ => None,
    }
}

fn done(tag: String, status: &Status, outcome: &Outcome<'_>) -> Done {
    let text = outcome.information.as_deref().unwrap_or_default();
    // The parser knows the codes of RFC 3501 only; those of RFC 5530 stay in the text.
    let code = match &outcome.code {
        Some(ResponseCode::TryCreate) => Some("TRYCREATE".to_owned()),
        Some(_) => None,
        None => text
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .and_then(|(code, _)| code.split_whitespace().next())
            .map(str::to_ascii_uppercase),
    };
    Done { tag, ok: *status == Status::Ok, bad: *status == Status::Bad, code, text: printable(text) }
}

fn row(attributes: &[AttributeValue<'_>]) -> Row {
    let mut row = Row::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => row.uid = Some(*uid),
            AttributeValue::InternalDate(text) => row.internal_date = internal_date(text),
            AttributeValue::Rfc822Size(size) => row.size = Some(u64::from(*size)),
            AttributeValue::Flags(flags) => row.deleted = flags.iter().any(|f| f.eq_ignore_ascii_case("\\Deleted")),
            AttributeValue::BodySection { data, .. } => {
                row.body = Some(data.as_deref().unwrap_or_default().to_vec());
            }
            _ => {}
        }
    }
    row
}

/// `" 3-Nov-2026 09:05:00 +0800"` (RFC 3501 §9, date-time).
fn internal_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_str(text.trim(), "%e-%b-%Y %H:%M:%S %z").ok().map(|at| at.to_utc())
}

/// A server's words for a log line: control characters out, 200 characters at most.
fn printable(text: &str) -> String {
    readable(text).chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wire: &str) -> Vec<Item> {
        let (rest, response) = Response::parse(wire.as_bytes()).expect("a response");
        assert!(rest.is_empty());
        items(&response)
    }

    #[test]
    fn codes_of_rfc_5530_are_found_though_the_parser_leaves_them_in_the_text() {
        let [Item::Done(done)] = &read("A1 NO [AUTHENTICATIONFAILED] Authentication failed.\r\n")[..] else {
            panic!("one tagged answer")
        };
        assert_eq!(done.code.as_deref(), Some("AUTHENTICATIONFAILED"));
        assert!(!done.ok && !done.bad);
        let [Item::Done(done)] = &read("A2 NO [TRYCREATE] Mailbox doesn't exist\r\n")[..] else {
            panic!("one tagged answer")
        };
        assert_eq!(done.code.as_deref(), Some("TRYCREATE"));
    }

    #[test]
    fn a_row_has_what_was_asked_for() {
        let wire = "* 3 FETCH (UID 12 INTERNALDATE \" 3-Nov-2026 09:05:00 +0800\" RFC822.SIZE 77 \
                    FLAGS (\\Seen \\Deleted) BODY[]<0> {3}\r\nabc)\r\n";
        let [Item::Row(row)] = &read(wire)[..] else { panic!("one row") };
        assert_eq!(row.uid, Some(12));
        assert_eq!(row.internal_date.map(|t| t.to_rfc3339()).as_deref(), Some("2026-11-03T01:05:00+00:00"));
        assert_eq!((row.size, row.deleted, row.body.as_deref()), (Some(77), true, Some(&b"abc"[..])));
    }

    #[test]
    fn a_date_out_of_this_world_is_no_date() {
        let [Item::Row(row)] = &read("* 1 FETCH (UID 1 INTERNALDATE \"99-Foo-0000\")\r\n")[..] else {
            panic!("one row")
        };
        assert_eq!((row.uid, row.internal_date), (Some(1), None));
    }

    #[test]
    fn capabilities_come_from_the_answer_to_login_too() {
        let answer = Answer { items: read("A1 OK [CAPABILITY IMAP4rev1 id Idle] in\r\n") };
        assert_eq!(answer.capabilities(), Some(&["IMAP4REV1".to_owned(), "ID".to_owned(), "IDLE".to_owned()][..]));
    }
}
