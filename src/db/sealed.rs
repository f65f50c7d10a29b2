//! What is sealed, as data: a new table is one entry here, in [`SEALED`] or, with the reason, in [`UNSEALED`]. Pure.
//!
//! Covered is whatever a person would read as content. What changes all the time (how far a mailbox was read, how often a
//! mail was tried) is not: it says nothing of a return.

/// Rows of one table that belong to subjects of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Sealed {
    /// What the rows are part of: `message`, `book`, `decision` …
    pub kind: &'static str,
    pub table: &'static str,
    /// The columns that are covered, in the order in which they are digested.
    pub columns: &'static str,
    /// SQL: the key of the subject that row `{r}` belongs to, parts joined by `char(31)`; NULL for none.
    pub subject: &'static str,
    /// SQL after FROM: the rows `r` of a subject, whose key's parts are `?1` and `?2`, in a fixed order.
    pub rows: &'static str,
}

/// A mail and everything that was read from it by itself.
const MESSAGE: &str = "message";
/// What is derived for a unit's stream: its figures, organisations and the findings against the rest of the ledger.
const BOOK: &str = "book";

pub const SEALED: &[Sealed] = &[
    Sealed {
        kind: MESSAGE,
        table: "message",
        columns: "id, digest, size, mailbox, received_at, stored_at, message_id, from_address, subject, fingerprint, \
                  disposition, reason, rules, duplicate_of, assessed_at, known_at",
        subject: "{r}.id",
        rows: "message r WHERE r.id = ?1",
    },
    of_message(
        "sighting",
        "id, message, mailbox, locator, received_at, seen_at",
        "sighting r WHERE r.message = ?1 ORDER BY r.id",
    ),
    of_message(
        "document",
        "message, ordinal, name, kind, size, digest",
        "document r WHERE r.message = ?1 ORDER BY r.ordinal",
    ),
    of_message(
        "submission",
        "id, message, ordinal, unit, stream, form, period, state, received_at, file, sheet, columns, digest, idle, \
         known_at, baseline",
        "submission r WHERE r.message = ?1 ORDER BY r.ordinal",
    ),
    Sealed {
        kind: MESSAGE,
        table: "line",
        columns: "id, submission, sheet, row, admitted, record, cells, raw",
        subject: "(SELECT message FROM submission WHERE id = {r}.submission)",
        rows: "submission s JOIN line r ON r.submission = s.id WHERE s.message = ?1 ORDER BY r.id",
    },
    Sealed {
        kind: MESSAGE,
        table: "finding",
        columns: FINDING,
        subject: "CASE WHEN {r}.origin = 'sheet' THEN {r}.message END",
        rows: "finding r WHERE r.message = ?1 AND r.origin = 'sheet' ORDER BY r.id",
    },
    of_message(
        "heading_question",
        "message, form, column_key, letters, shown, path",
        "heading_question r WHERE r.message = ?1 ORDER BY r.rowid",
    ),
    of_message("sender_question", "message, unit", "sender_question r WHERE r.message = ?1 ORDER BY r.unit"),
    of_message("withheld", "message, address, budget, at", "withheld r WHERE r.message = ?1"),
    of_message(
        "assessment",
        "id, message, at, decision, heading, revoked",
        "assessment r WHERE r.message = ?1 ORDER BY r.id",
    ),
    Sealed {
        kind: MESSAGE,
        table: "presence",
        columns: "line, submission, unit, code_key, name_key, tells, closed",
        subject: "(SELECT message FROM submission WHERE id = {r}.submission)",
        rows: "submission s JOIN presence r ON r.submission = s.id WHERE s.message = ?1 ORDER BY r.line",
    },
    Sealed {
        kind: MESSAGE,
        table: "held",
        columns: "submission, rule, text",
        subject: "(SELECT message FROM submission WHERE id = {r}.submission)",
        rows: "submission s JOIN held r ON r.submission = s.id WHERE s.message = ?1 ORDER BY r.submission",
    },
    of_message(
        "past_message",
        "message, received_at, disposition, reason, rules, duplicate_of, assessed_at, known_at, until",
        "past_message r WHERE r.message = ?1 ORDER BY r.until",
    ),
    of_message(
        "past_submission",
        "id, message, ordinal, unit, stream, form, period, state, received_at, file, sheet, columns, digest, idle, \
         known_at, until, baseline",
        "past_submission r WHERE r.message = ?1 ORDER BY r.id, r.until",
    ),
    Sealed {
        kind: MESSAGE,
        table: "past_line",
        columns: "id, submission, sheet, row, admitted, record, cells, raw",
        subject: "(SELECT message FROM past_submission WHERE id = {r}.submission LIMIT 1)",
        rows: "past_line r WHERE r.submission IN (SELECT id FROM past_submission WHERE message = ?1) ORDER BY r.id",
    },
    of_message(
        "past_finding",
        "id, message, submission, origin, rule, severity, file, sheet, cell, row, key, text, subject, rests_on, known_at, until",
        "past_finding r WHERE r.message = ?1 ORDER BY r.id",
    ),
    Sealed {
        kind: BOOK,
        table: "figure",
        columns: "unit, stream, form, period, line",
        subject: "{r}.unit || char(31) || {r}.stream",
        rows: "figure r WHERE r.unit = ?1 AND r.stream = ?2 ORDER BY r.form, r.period",
    },
    Sealed {
        kind: BOOK,
        table: "entry",
        columns: "id, unit, stream, form, identity, name, code, status, vanished, first_period, last_period, line, record",
        subject: "{r}.unit || char(31) || {r}.stream",
        rows: "entry r WHERE r.unit = ?1 AND r.stream = ?2 ORDER BY r.form, r.identity",
    },
    Sealed {
        kind: BOOK,
        table: "entry_version",
        columns: "entry, period, change, line, record",
        subject: "(SELECT unit || char(31) || stream FROM entry WHERE id = {r}.entry)",
        rows: "entry e JOIN entry_version r ON r.entry = e.id WHERE e.unit = ?1 AND e.stream = ?2
               ORDER BY e.form, e.identity, r.period",
    },
    Sealed {
        kind: BOOK,
        table: "entry_name",
        columns: "entry, since, name",
        subject: "(SELECT unit || char(31) || stream FROM entry WHERE id = {r}.entry)",
        rows: "entry e JOIN entry_name r ON r.entry = e.id WHERE e.unit = ?1 AND e.stream = ?2
               ORDER BY e.form, e.identity, r.since",
    },
    Sealed {
        kind: BOOK,
        table: "entry_absence",
        columns: "entry, last, since, until",
        subject: "(SELECT unit || char(31) || stream FROM entry WHERE id = {r}.entry)",
        rows: "entry e JOIN entry_absence r ON r.entry = e.id WHERE e.unit = ?1 AND e.stream = ?2
               ORDER BY e.form, e.identity, r.since",
    },
    Sealed {
        kind: BOOK,
        table: "shared",
        columns: "finding, unit, stream",
        subject: "(SELECT s.unit || char(31) || s.stream FROM finding f JOIN submission s ON s.id = f.submission
                  WHERE f.id = {r}.finding)",
        rows: "submission s JOIN finding f ON f.submission = s.id JOIN shared r ON r.finding = f.id
               WHERE s.unit = ?1 AND s.stream = ?2 ORDER BY r.finding",
    },
    Sealed {
        kind: BOOK,
        table: "finding",
        columns: FINDING,
        subject: "CASE WHEN {r}.origin = 'ledger' THEN \
                  (SELECT unit || char(31) || stream FROM submission WHERE id = {r}.submission) END",
        rows: "submission s JOIN finding r ON r.submission = s.id
               WHERE s.unit = ?1 AND s.stream = ?2 AND r.origin = 'ledger' ORDER BY r.id",
    },
    Sealed {
        kind: "basis",
        table: "basis",
        columns: "id, program, forms, registry, settings",
        subject: "{r}.id",
        rows: "basis r WHERE r.id = ?1",
    },
    Sealed {
        kind: "decision",
        table: "decision",
        columns: "id, at, who, kind, message, unit, period, address, reason, by_message, stream, form, rule, subject, other, \
                  key, evidence, since",
        subject: "{r}.id",
        rows: "decision r WHERE r.id = ?1",
    },
    Sealed {
        kind: "heading",
        table: "heading",
        columns: "id, form, column_key, shown, path, at, who, message, revoked_at",
        subject: "{r}.id",
        rows: "heading r WHERE r.id = ?1",
    },
    Sealed {
        kind: "inquiry",
        table: "inquiry",
        columns: "token, unit, recipient, message_id, day, at",
        subject: "{r}.token",
        rows: "inquiry r WHERE r.token = ?1",
    },
    Sealed {
        kind: "inquiry",
        table: "inquiry_line",
        columns: "inquiry, number, message",
        subject: "{r}.inquiry",
        rows: "inquiry_line r WHERE r.inquiry = ?1 ORDER BY r.number",
    },
    Sealed {
        kind: "inquiry",
        table: "inquiry_reply",
        columns: "message, inquiry, said",
        subject: "{r}.inquiry",
        rows: "inquiry_reply r WHERE r.inquiry = ?1 ORDER BY r.message",
    },
    Sealed {
        kind: "mail sent",
        table: "outbox",
        columns: "id, kind, recipient, message_id, subject, raw, answers, unit, period, created_at, thread",
        subject: "{r}.id",
        rows: "outbox r WHERE r.id = ?1",
    },
    Sealed {
        kind: "job",
        table: "job",
        columns: "name, period, slot, at, note",
        subject: "{r}.name || ' ' || {r}.period || char(31) || {r}.slot",
        rows: "job r WHERE r.name || ' ' || r.period = ?1 AND r.slot = ?2",
    },
];

const FINDING: &str =
    "id, message, submission, origin, rule, severity, file, sheet, cell, row, key, text, subject, rests_on";

const fn of_message(table: &'static str, columns: &'static str, rows: &'static str) -> Sealed {
    Sealed { kind: MESSAGE, table, columns, subject: "{r}.message", rows }
}

/// Tables that no seal covers, and why.
pub const UNSEALED: &[(&str, &str)] = &[
    ("cursor", "how far a mailbox was read"),
    ("unfetched", "mails to be tried again"),
    ("passed_over", "mails of a Maildir that are older than `since`"),
    ("state", "notes of the program to itself"),
    ("correspondent", "a count that every mail changes"),
    ("bounce", "what notices said of addresses; the notices themselves are sealed mail"),
    ("balance", "counts of mailboxes, made anew each night"),
    ("stored_files", "what the nightly look found"),
    ("alarm", "outages"),
    ("seal", "the seals themselves"),
];
