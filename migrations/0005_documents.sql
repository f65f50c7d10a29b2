-- What came with each mail, and by what a return is known again: the file that holds it, not the mail around it.

-- The files of a mail as they were attached; of an archive, the archive.
CREATE TABLE document (
    message  INTEGER NOT NULL REFERENCES message (id),
    ordinal  INTEGER NOT NULL,                      -- within the message, from 0
    name     TEXT NOT NULL,
    kind     TEXT NOT NULL,                         -- told from the bytes: `xlsx`, `picture` …
    size     INTEGER NOT NULL,
    digest   TEXT NOT NULL,                         -- SHA-256
    PRIMARY KEY (message, ordinal)
) STRICT, WITHOUT ROWID;

-- SHA-256 of the file it stood in, wherever that lay; empty for what came before this migration.
ALTER TABLE submission ADD COLUMN digest TEXT NOT NULL DEFAULT '';
-- 1: what counts stayed as it was when this version came: the same content once more, or an older version that came late.
ALTER TABLE submission ADD COLUMN idle INTEGER NOT NULL DEFAULT 0 CHECK (idle IN (0, 1));
CREATE INDEX submission_digest ON submission (digest, form);
