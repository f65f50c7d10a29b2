-- From when on the ledger has known what it holds, and what it held before that: it can be shown as it was known at any time.
-- A row of the past was true from `known_at` (inclusive) up to `until`.

-- Since when its present assessment stands; NULL: not assessed yet.
ALTER TABLE message ADD COLUMN known_at TEXT;
-- From when on the ledger has counted it.
ALTER TABLE submission ADD COLUMN known_at TEXT NOT NULL DEFAULT '1970-01-01T00:00:00+00:00';

-- Until now only the time of the last assessment was noted. What was assessed while no job had been done since its arrival
-- is known from its arrival; the rest, and what somebody decided about, from its assessment.
UPDATE message SET known_at = CASE
    WHEN received_at >= assessed_at OR EXISTS (SELECT 1 FROM job j WHERE j.at BETWEEN received_at AND assessed_at)
        OR EXISTS (SELECT 1 FROM decision d WHERE d.message = message.id AND d.kind IN ('release', 'reject'))
    THEN assessed_at ELSE received_at END
WHERE assessed_at IS NOT NULL;
UPDATE submission SET known_at = (SELECT coalesce(m.known_at, m.stored_at) FROM message m WHERE m.id = submission.message);

-- What became of a message before it was looked at again, or a copy of it came. What is not here never changes.
CREATE TABLE past_message (
    message       INTEGER NOT NULL REFERENCES message (id),
    received_at   TEXT NOT NULL,
    disposition   TEXT,
    reason        TEXT NOT NULL,
    rules         TEXT NOT NULL,
    duplicate_of  INTEGER REFERENCES message (id),
    assessed_at   TEXT,
    known_at      TEXT NOT NULL,
    until         TEXT NOT NULL,
    PRIMARY KEY (message, until)
) STRICT, WITHOUT ROWID;

-- A submission as it stood; the columns are those of `submission`. Its number is never given to another one, so its rows
-- are found by it: in `line` while it still stands in another way, else in `past_line`.
CREATE TABLE past_submission (
    id           INTEGER NOT NULL,
    message      INTEGER NOT NULL REFERENCES message (id),
    ordinal      INTEGER NOT NULL,
    unit         TEXT NOT NULL,
    stream       TEXT NOT NULL,
    form         TEXT NOT NULL,
    period       TEXT NOT NULL,
    state        TEXT NOT NULL,
    received_at  TEXT NOT NULL,
    file         TEXT NOT NULL,
    sheet        TEXT NOT NULL,
    columns      TEXT NOT NULL,
    digest       TEXT NOT NULL,
    idle         INTEGER NOT NULL,
    known_at     TEXT NOT NULL,
    until        TEXT NOT NULL,
    PRIMARY KEY (id, until)
) STRICT, WITHOUT ROWID;
CREATE INDEX past_submission_message ON past_submission (message);
CREATE INDEX past_submission_book ON past_submission (unit, stream, form);

-- Rows of a submission that is no more; the columns are those of `line`.
CREATE TABLE past_line (
    id          INTEGER PRIMARY KEY,
    submission  INTEGER NOT NULL,
    sheet       TEXT NOT NULL,
    row         INTEGER NOT NULL,
    admitted    INTEGER NOT NULL,
    record      TEXT NOT NULL,
    cells       TEXT NOT NULL,
    raw         TEXT NOT NULL
) STRICT;
CREATE INDEX past_line_submission ON past_line (submission);

-- What an earlier assessment found in the file alone; the columns are those of `finding`.
CREATE TABLE past_finding (
    id          INTEGER PRIMARY KEY,
    message     INTEGER NOT NULL REFERENCES message (id),
    submission  INTEGER,
    origin      TEXT NOT NULL,
    rule        TEXT NOT NULL,
    severity    TEXT NOT NULL,
    file        TEXT,
    sheet       TEXT,
    cell        TEXT,
    row         INTEGER,
    key         TEXT,
    text        TEXT NOT NULL,
    subject     TEXT,
    rests_on    TEXT,
    known_at    TEXT NOT NULL,
    until       TEXT NOT NULL
) STRICT;
CREATE INDEX past_finding_message ON past_finding (message);
