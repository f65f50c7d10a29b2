-- Headings that no form file lists: what a mail left open, and what a person confirmed. Paths are JSON lists, top row
-- first, as recognition compares them.

-- Asked while the mail waits; gone when it is assessed again.
CREATE TABLE heading_question (
    message     INTEGER NOT NULL REFERENCES message (id),
    form        TEXT NOT NULL,
    column_key  TEXT NOT NULL,                      -- the form's column that the heading may be
    letters     TEXT NOT NULL,                      -- where it stands on the sheet: `D`
    shown       TEXT NOT NULL,                      -- as it stands there
    path        TEXT NOT NULL
) STRICT;
CREATE INDEX heading_question_message ON heading_question (message);

-- Confirmed: read without asking from then on. A decision, kept for ever; one that is taken back has `revoked_at`.
CREATE TABLE heading (
    id          INTEGER PRIMARY KEY,
    form        TEXT NOT NULL,
    column_key  TEXT NOT NULL,
    shown       TEXT NOT NULL,
    path        TEXT NOT NULL,
    at          TEXT NOT NULL,
    who         TEXT NOT NULL,
    message     INTEGER REFERENCES message (id),    -- the mail that raised the question
    revoked_at  TEXT
) STRICT;
CREATE UNIQUE INDEX heading_path ON heading (form, path) WHERE revoked_at IS NULL;

-- The text of a cell as the sender wrote it, by column key, where the value alone does not tell.
ALTER TABLE line ADD COLUMN raw TEXT NOT NULL DEFAULT '{}';
