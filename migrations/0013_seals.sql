-- Proof: what is stored is sealed, so that a byte that anything else has changed is found; and in which order mails were
-- assessed, so that they can be read again as they were.

-- What wrote a seal: the program, and SHA-256 of what it read by (the form files, the registry, the settings).
CREATE TABLE basis (
    id        INTEGER PRIMARY KEY,
    program   TEXT NOT NULL,
    forms     TEXT NOT NULL,
    registry  TEXT NOT NULL,
    settings  TEXT NOT NULL,
    UNIQUE (program, forms, registry, settings)
) STRICT;

-- One subject (a mail with what was read from it, a unit's book, a decision …) and SHA-256 over its rows. Which columns of
-- which tables belong to it stands in the program (`src/db/sealed.rs`).
CREATE TABLE seal (
    kind    TEXT NOT NULL,
    key     TEXT NOT NULL,                          -- parts are joined by U+001F
    digest  TEXT NOT NULL,
    at      TEXT NOT NULL,
    basis   INTEGER NOT NULL REFERENCES basis (id),
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

-- Every assessment of a message, in the order in which they were stored, and what had been decided by then.
CREATE TABLE assessment (
    id        INTEGER PRIMARY KEY,
    message   INTEGER NOT NULL REFERENCES message (id),
    at        TEXT NOT NULL,
    decision  INTEGER NOT NULL,                     -- the newest row of `decision` that it knew; 0: none
    heading   INTEGER NOT NULL,                     -- the same of `heading`
    revoked   INTEGER NOT NULL                      -- how many of these had been taken back
) STRICT;
CREATE INDEX assessment_message ON assessment (message);

-- Of what was assessed before this was kept, the order follows from the times; a mail that was decided about had been
-- assessed when it came.
WITH known AS (
    SELECT m.id AS message, m.stored_at AS at, 0 AS last, m.received_at FROM message m
    WHERE m.assessed_at IS NOT NULL AND EXISTS (SELECT 1 FROM decision d WHERE d.message = m.id AND d.kind <> 'trust')
    UNION ALL
    SELECT m.id, m.assessed_at, 1, m.received_at FROM message m WHERE m.assessed_at IS NOT NULL
)
INSERT INTO assessment (message, at, decision, heading, revoked)
SELECT message, at, coalesce((SELECT max(id) FROM decision d WHERE julianday(d.at) <= julianday(k.at)), 0),
       coalesce((SELECT max(id) FROM heading h WHERE julianday(h.at) <= julianday(k.at)), 0),
       (SELECT count(*) FROM heading h WHERE julianday(h.revoked_at) <= julianday(k.at))
FROM known k ORDER BY julianday(at), last, julianday(received_at), message;

-- What the nightly look found changed, as JSON.
ALTER TABLE stored_files ADD COLUMN changed TEXT NOT NULL DEFAULT '[]';
