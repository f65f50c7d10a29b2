-- Whether the books balance: what a mailbox holds against what the ledger has of it, and what keeps it from being read.

-- One census of one mailbox. The newest row is how it stands.
CREATE TABLE balance (
    mailbox  TEXT NOT NULL,
    at       TEXT NOT NULL,
    account  TEXT NOT NULL,                         -- the equation, with the mails that break it
    missing  INTEGER NOT NULL,                      -- mails it holds that the ledger has not, after all that could be fetched
    gone     INTEGER NOT NULL,                      -- mails that have left it since the row before, by no doing of ours
    repaired INTEGER NOT NULL CHECK (repaired IN (0, 1)),  -- 0: only looked at; nothing was fetched
    failure  TEXT,                                  -- why it could not be counted; `account` is empty then
    PRIMARY KEY (mailbox, at)
) STRICT, WITHOUT ROWID;

-- One look at the stored mail itself.
CREATE TABLE stored_files (
    at     TEXT PRIMARY KEY,
    files  INTEGER NOT NULL,
    lost   TEXT NOT NULL                            -- numbers of messages whose file is gone or was changed, as JSON
) STRICT, WITHOUT ROWID;

-- The department was told, or should have been, that a mailbox cannot be read. Kept as a history of outages.
CREATE TABLE alarm (
    id            INTEGER PRIMARY KEY,
    mailbox       TEXT NOT NULL,                    -- '': mail cannot be sent, so that nobody could be told
    since         TEXT NOT NULL,                    -- when it last worked, or was first tried
    raised_at     TEXT NOT NULL,
    failure       TEXT NOT NULL,
    recovered_at  TEXT                              -- NULL: it lasts
) STRICT;
CREATE UNIQUE INDEX alarm_open ON alarm (mailbox) WHERE recovered_at IS NULL;

-- Mails of a Maildir from before its `since`: read once, for their date.
CREATE TABLE passed_over (
    mailbox  TEXT NOT NULL,
    locator  TEXT NOT NULL,
    since    TEXT NOT NULL,                         -- the day that was set then
    PRIMARY KEY (mailbox, locator)
) STRICT, WITHOUT ROWID;

-- Filed by moving it away. What was filed before this was noted may have been, and is not missed.
ALTER TABLE sighting ADD COLUMN moved INTEGER NOT NULL DEFAULT 0 CHECK (moved IN (0, 1));
UPDATE sighting SET moved = 1 WHERE filed_at IS NOT NULL;

-- The mailbox would not have this one flagged or moved: when that was, and why.
ALTER TABLE sighting ADD COLUMN refused_at TEXT;
ALTER TABLE sighting ADD COLUMN refusal TEXT;
