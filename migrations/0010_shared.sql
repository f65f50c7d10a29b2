-- Organisations found again: in another unit's book (R12), or a whole book that looks like another's (R16) or like the
-- rest of one (R15).

-- What the organisation of a book's row is known by, of every book that was read, whether it counts or not.
-- A row that repeats one above it in its book has none.
CREATE TABLE presence (
    line        INTEGER PRIMARY KEY REFERENCES line (id) ON DELETE CASCADE,
    submission  INTEGER NOT NULL REFERENCES submission (id) ON DELETE CASCADE,
    unit        TEXT NOT NULL,
    code_key    TEXT,                               -- NULL: none, or none that tells anybody apart
    name_key    TEXT,
    tells       INTEGER NOT NULL CHECK (tells IN (0, 1)),   -- 0: its code fails its check character
    closed      INTEGER NOT NULL CHECK (closed IN (0, 1))
) STRICT;
CREATE INDEX presence_submission ON presence (submission);
CREATE INDEX presence_code ON presence (code_key, unit) WHERE code_key IS NOT NULL;
CREATE INDEX presence_name ON presence (name_key, unit) WHERE name_key IS NOT NULL;

-- Findings R12, and in whose book the organisation is besides.
CREATE TABLE shared (
    finding  INTEGER PRIMARY KEY REFERENCES finding (id) ON DELETE CASCADE,
    unit     TEXT NOT NULL,
    stream   TEXT NOT NULL
) STRICT;
CREATE INDEX shared_other ON shared (unit, stream);

-- Books that wait for a person only because they look implausible beside others.
CREATE TABLE held (
    submission  INTEGER PRIMARY KEY REFERENCES submission (id) ON DELETE CASCADE,
    rule        TEXT NOT NULL CHECK (rule IN ('R15', 'R16')),
    text        TEXT NOT NULL                       -- as the sender was told, with the figures
) STRICT;
CREATE INDEX held_rule ON held (rule);

-- The books of before are looked through by the program, at the next mail.
INSERT INTO state (key, value) VALUES ('presence', 'due') ON CONFLICT (key) DO UPDATE SET value = excluded.value;
