-- What came back of our mail, and whom the program has stopped answering.

-- One recipient of one mail that was returned, held up, or refused while it was being sent.
CREATE TABLE bounce (
    id        INTEGER PRIMARY KEY,
    message   INTEGER REFERENCES message (id),      -- the notice; NULL: refused by the server we sent it to
    outbox    INTEGER REFERENCES outbox (id),       -- the mail that came back; NULL: none of ours is known
    address   TEXT NOT NULL,
    cause     TEXT NOT NULL CHECK (cause IN ('no such address', 'full', 'unsaid', 'refused', 'unreached', 'delayed')),
    status    TEXT NOT NULL DEFAULT '',             -- `5.1.1` (RFC 3463)
    reason    TEXT NOT NULL DEFAULT '',             -- the server's words
    at        TEXT NOT NULL,                        -- when it came back
    noted_at  TEXT NOT NULL,
    ended_at  TEXT                                  -- the address wrote to us since, or a person said that it works
) STRICT;
CREATE INDEX bounce_address ON bounce (address, at);
CREATE INDEX bounce_message ON bounce (message);

-- Which mail of ours they returned was not noted.
INSERT INTO bounce (address, cause, at, noted_at) SELECT address, 'no such address', at, at FROM bounced;
DROP TABLE bounced;

-- What stands against an address. A notice about a mail that we did not send marks nothing: anybody can write one.
CREATE VIEW mark AS
    SELECT id, message, outbox, address, cause, status, reason, at FROM bounce
    WHERE cause <> 'delayed' AND ended_at IS NULL AND (outbox IS NOT NULL OR message IS NULL);

-- An address (or `@domain`, where only that is registered) and how long answering it has brought nothing.
CREATE TABLE correspondent (
    address       TEXT PRIMARY KEY,
    vain          INTEGER NOT NULL DEFAULT 0,       -- answers since its last mail that brought something new
    silent_since  TEXT                              -- it is not answered any more
) STRICT, WITHOUT ROWID;

-- A message that would have been answered, and was not.
CREATE TABLE withheld (
    message  INTEGER PRIMARY KEY REFERENCES message (id),
    address  TEXT NOT NULL,
    budget   TEXT NOT NULL CHECK (budget IN ('day', 'thread', 'vain')),
    at       TEXT NOT NULL
) STRICT;
CREATE INDEX withheld_at ON withheld (at);

-- The thread that a mail of ours belongs to: the Message-ID that it began with. Empty: a thread of its own.
ALTER TABLE outbox ADD COLUMN thread TEXT NOT NULL DEFAULT '';
CREATE INDEX outbox_thread ON outbox (thread, created_at) WHERE thread <> '';
-- What was answered on a day is counted for each answer, and not by walking through the mails themselves.
CREATE INDEX outbox_answers ON outbox (created_at) WHERE answers IS NOT NULL;
CREATE INDEX outbox_digests ON outbox (created_at) WHERE kind = 'digest';
