-- The ledger and everything it stands on. Times are UTC, RFC 3339; periods `2011-08`; JSON columns hold objects.

CREATE TABLE message (
    id            INTEGER PRIMARY KEY,
    digest        TEXT NOT NULL UNIQUE,             -- SHA-256 of the raw bytes; the file is mail/ab/<digest>.eml
    size          INTEGER NOT NULL,
    mailbox       TEXT NOT NULL,                    -- where it was seen first
    received_at   TEXT NOT NULL,                    -- when the provider took it
    stored_at     TEXT NOT NULL,
    message_id    TEXT,
    from_address  TEXT,
    subject       TEXT NOT NULL DEFAULT '',
    fingerprint   TEXT,                             -- SHA-256 over the attachments; NULL without any
    disposition   TEXT CHECK (disposition IN
        ('accepted', 'partly', 'rejected', 'quarantined', 'news', 'duplicate', 'auto', 'bounce')),
                                                    -- NULL: stored, not assessed yet
    reason        TEXT NOT NULL DEFAULT '',
    rules         TEXT NOT NULL DEFAULT '[]',
    duplicate_of  INTEGER REFERENCES message (id),
    attempts      INTEGER NOT NULL DEFAULT 0,       -- assessments begun; a crash leaves it raised
    assessed_at   TEXT
) STRICT;
CREATE INDEX message_open ON message (received_at) WHERE disposition IS NULL;
CREATE INDEX message_fingerprint ON message (fingerprint, from_address);
CREATE INDEX message_received ON message (received_at);
CREATE INDEX message_disposition ON message (disposition);
CREATE INDEX message_sender ON message (from_address, received_at);
CREATE INDEX message_header ON message (message_id);

-- A message as one mailbox shows it. The same message can be seen in two mailboxes, or again under a new UIDVALIDITY.
CREATE TABLE sighting (
    id           INTEGER PRIMARY KEY,
    message      INTEGER NOT NULL REFERENCES message (id),
    mailbox      TEXT NOT NULL,
    locator      TEXT NOT NULL,                     -- `UIDVALIDITY:UID`, or the unique part of a Maildir name
    received_at  TEXT NOT NULL,
    seen_at      TEXT NOT NULL,
    filed_at     TEXT,                              -- when the mailbox was changed (flag, move)
    UNIQUE (mailbox, locator)
) STRICT;
CREATE INDEX sighting_unfiled ON sighting (mailbox) WHERE filed_at IS NULL;
CREATE INDEX sighting_message ON sighting (message);

-- How far a mailbox has been read.
CREATE TABLE cursor (
    mailbox       TEXT PRIMARY KEY,
    uidvalidity   INTEGER NOT NULL DEFAULT 0,
    last_uid      INTEGER NOT NULL DEFAULT 0,
    succeeded_at  TEXT,
    failed_at     TEXT,                             -- since when it cannot be read; NULL: it can
    failure       TEXT                              -- why; without `failed_at`: what in it could not be done
) STRICT;

-- Mails that a mailbox shows but does not hand over. After three attempts they are left there for a person.
CREATE TABLE unfetched (
    mailbox   TEXT NOT NULL,
    locator   TEXT NOT NULL,                        -- as in `sighting`
    attempts  INTEGER NOT NULL,
    failure   TEXT NOT NULL,
    at        TEXT NOT NULL,                        -- the last attempt
    PRIMARY KEY (mailbox, locator)
) STRICT, WITHOUT ROWID;

-- One received version of one form of one obligation, or what kept it from being one.
CREATE TABLE submission (
    id           INTEGER PRIMARY KEY,
    message      INTEGER NOT NULL REFERENCES message (id),
    ordinal      INTEGER NOT NULL,                  -- within the message, from 0
    unit         TEXT NOT NULL,
    stream       TEXT NOT NULL,
    form         TEXT NOT NULL,
    period       TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('accepted', 'rejected', 'quarantined', 'dismissed')),
    received_at  TEXT NOT NULL,
    file         TEXT NOT NULL,
    sheet        TEXT NOT NULL,
    columns      TEXT NOT NULL DEFAULT '{}',        -- column key → letters, as read
    UNIQUE (message, ordinal)
) STRICT;
CREATE INDEX submission_obligation ON submission (period, unit, stream, form, state, received_at);
CREATE INDEX submission_waiting ON submission (message) WHERE state = 'quarantined';
CREATE INDEX submission_book ON submission (unit, stream, form, state, period);

-- A row of a submission as it was read.
CREATE TABLE line (
    id          INTEGER PRIMARY KEY,
    submission  INTEGER NOT NULL REFERENCES submission (id),
    sheet       TEXT NOT NULL,
    row         INTEGER NOT NULL,
    admitted    INTEGER NOT NULL CHECK (admitted IN (0, 1)),   -- 0: an error keeps it out of the ledger
    record      TEXT NOT NULL DEFAULT '{}',         -- column key → value
    cells       TEXT NOT NULL DEFAULT '{}'          -- column key → A1 cell
) STRICT;
CREATE INDEX line_submission ON line (submission);

-- The figures that count now: one row a unit, stream, form and period.
CREATE TABLE figure (
    unit    TEXT NOT NULL,
    stream  TEXT NOT NULL,
    form    TEXT NOT NULL,
    period  TEXT NOT NULL,
    line    INTEGER NOT NULL REFERENCES line (id),
    PRIMARY KEY (unit, stream, form, period)
) STRICT, WITHOUT ROWID;

-- An organisation of a unit's book.
CREATE TABLE entry (
    id            INTEGER PRIMARY KEY,
    unit          TEXT NOT NULL,
    stream        TEXT NOT NULL,
    form          TEXT NOT NULL,
    identity      TEXT NOT NULL,                    -- stable key within unit and stream
    name          TEXT NOT NULL,
    code          TEXT,
    status        TEXT NOT NULL CHECK (status IN ('active', 'closed')),
    vanished      INTEGER NOT NULL CHECK (vanished IN (0, 1)), -- not in the newest book, and not closed
    first_period  TEXT NOT NULL,
    last_period   TEXT NOT NULL,                    -- the newest book that has it
    line          INTEGER NOT NULL REFERENCES line (id),
    record        TEXT NOT NULL,
    UNIQUE (unit, stream, form, identity)
) STRICT;

-- What changed in an entry, period by period.
CREATE TABLE entry_version (
    entry   INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    period  TEXT NOT NULL,
    change  TEXT NOT NULL CHECK (change IN ('added', 'changed', 'closed', 'reopened', 'vanished')),
    line    INTEGER NOT NULL REFERENCES line (id),
    record  TEXT NOT NULL,
    PRIMARY KEY (entry, period)
) STRICT, WITHOUT ROWID;

CREATE TABLE finding (
    id          INTEGER PRIMARY KEY,
    message     INTEGER NOT NULL REFERENCES message (id),
    submission  INTEGER REFERENCES submission (id),
    origin      TEXT NOT NULL CHECK (origin IN ('sheet', 'ledger')),  -- of the file alone, or against the ledger
    rule        TEXT NOT NULL,
    severity    TEXT NOT NULL CHECK (severity IN ('error', 'warning', 'info')),
    file        TEXT,
    sheet       TEXT,
    cell        TEXT,
    row         INTEGER,
    key         TEXT,
    text        TEXT NOT NULL
) STRICT;
CREATE INDEX finding_submission ON finding (submission);
CREATE INDEX finding_message ON finding (message);

-- What a person decided. Kept for ever: the ledger is rebuilt from stored mail and these.
CREATE TABLE decision (
    id       INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    who      TEXT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('release', 'reject', 'trust', 'excuse')),
    message  INTEGER REFERENCES message (id),
    unit     TEXT,
    period   TEXT,
    address  TEXT,
    reason   TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX decision_message ON decision (message);
CREATE INDEX decision_kind ON decision (kind, period);

-- Mail to be sent. Written in the transaction that decides on it; sent afterwards, once.
CREATE TABLE outbox (
    id               INTEGER PRIMARY KEY,
    kind             TEXT NOT NULL CHECK (kind IN ('receipt', 'reminder', 'overdue', 'report', 'digest', 'notice')),
    recipient        TEXT NOT NULL,
    message_id       TEXT NOT NULL,                 -- without brackets
    subject          TEXT NOT NULL,
    raw              BLOB NOT NULL,                 -- the whole mail as it will be sent
    answers          INTEGER REFERENCES message (id),
    unit             TEXT,
    period           TEXT,
    created_at       TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed')),
    attempts         INTEGER NOT NULL DEFAULT 0,
    next_attempt_at  TEXT NOT NULL,
    failure          TEXT,
    sent_at          TEXT,
    UNIQUE (message_id, recipient)
) STRICT;
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_budget ON outbox (recipient, created_at);
-- Neither the rate limit nor the counts walk through the mails themselves.
CREATE INDEX outbox_sent ON outbox (sent_at);
CREATE INDEX outbox_state ON outbox (state, next_attempt_at);

-- Addresses that a bounce named.
CREATE TABLE bounced (
    address  TEXT PRIMARY KEY,
    at       TEXT NOT NULL,
    message  INTEGER NOT NULL REFERENCES message (id)
) STRICT;

-- A scheduled job done once for its period.
CREATE TABLE job (
    name    TEXT NOT NULL,
    period  TEXT NOT NULL,
    slot    TEXT NOT NULL,                          -- which of its times; an RFC 3339 time or a name
    at      TEXT NOT NULL,
    note    TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (name, period, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE state (
    key    TEXT PRIMARY KEY,
    value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
