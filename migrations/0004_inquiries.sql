-- Units are asked whether a return in their name is theirs, and answer. A decision names the mail that brought it; trust
-- can be taken back.

-- SQLite cannot widen a CHECK, so the table is made anew. Kept for ever, as before.
CREATE TABLE decision_new (
    id          INTEGER PRIMARY KEY,
    at          TEXT NOT NULL,
    who         TEXT NOT NULL,                      -- `operator`, or the address that answered
    kind        TEXT NOT NULL CHECK (kind IN ('release', 'reject', 'trust', 'distrust', 'excuse')),
    message     INTEGER REFERENCES message (id),
    unit        TEXT,
    period      TEXT,
    address     TEXT,
    reason      TEXT NOT NULL DEFAULT '',
    by_message  INTEGER REFERENCES message (id)     -- the unit's answer; NULL: a person's decision. A unit's word settles
                                                    -- who sent it, for that unit, and nothing else
) STRICT;
INSERT INTO decision_new (id, at, who, kind, message, unit, period, address, reason)
SELECT id, at, who, kind, message, unit, period, address, reason FROM decision;
DROP TABLE decision;
ALTER TABLE decision_new RENAME TO decision;
CREATE INDEX decision_message ON decision (message);
CREATE INDEX decision_kind ON decision (kind, period);
CREATE INDEX decision_answer ON decision (by_message) WHERE by_message IS NOT NULL;

-- What waits for a unit's word on its sender; gone when the message is assessed again.
CREATE TABLE sender_question (
    message  INTEGER NOT NULL REFERENCES message (id),
    unit     TEXT NOT NULL,
    PRIMARY KEY (message, unit)
) STRICT, WITHOUT ROWID;
CREATE INDEX sender_question_unit ON sender_question (unit);

-- A mail that asks a unit, at most one a day.
CREATE TABLE inquiry (
    token       TEXT PRIMARY KEY,                   -- 128 bits of chance in hexadecimal; whoever answers has to know it
    unit        TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    message_id  TEXT NOT NULL,                      -- without brackets
    day         TEXT NOT NULL,                      -- in the configured zone
    at          TEXT NOT NULL,
    UNIQUE (unit, day)
) STRICT, WITHOUT ROWID;

-- What such a mail lists.
CREATE TABLE inquiry_line (
    inquiry  TEXT NOT NULL REFERENCES inquiry (token),
    number   INTEGER NOT NULL,                      -- as listed, from 1
    message  INTEGER NOT NULL REFERENCES message (id),
    PRIMARY KEY (inquiry, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX inquiry_line_message ON inquiry_line (message);

-- Mails that answered one; what was decided thereby stands in `decision`.
CREATE TABLE inquiry_reply (
    message  INTEGER PRIMARY KEY REFERENCES message (id),
    inquiry  TEXT NOT NULL REFERENCES inquiry (token),
    said     TEXT NOT NULL CHECK (said IN ('understood', 'unclear', 'late', 'disbelieved'))
) STRICT;
CREATE INDEX inquiry_reply_inquiry ON inquiry_reply (inquiry);
