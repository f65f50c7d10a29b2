-- What people decide about the ledger itself: which organisations are one, which findings are settled, what the ledger began with.

-- SQLite cannot widen a CHECK, so the table is made anew. Kept for ever, as before.
CREATE TABLE decision_new (
    id          INTEGER PRIMARY KEY,
    at          TEXT NOT NULL,
    who         TEXT NOT NULL,                      -- `operator`, or the address that answered
    kind        TEXT NOT NULL CHECK (kind IN ('release', 'reject', 'trust', 'distrust', 'excuse',
                                              'merge', 'split', 'dismiss', 'reopen', 'import')),
    message     INTEGER REFERENCES message (id),
    unit        TEXT,
    period      TEXT,
    address     TEXT,
    reason      TEXT NOT NULL DEFAULT '',
    by_message  INTEGER REFERENCES message (id),    -- the unit's answer; NULL: a person's decision. A unit's word settles
                                                    -- who sent it, for that unit, and nothing else
    stream      TEXT,
    form        TEXT,
    rule        TEXT,                               -- dismiss, reopen: the finding's
    subject     TEXT,                               -- the organisation (its name as people wrote it), or a column's key
    other       TEXT                                -- merge, split: the other organisation
) STRICT;
INSERT INTO decision_new (id, at, who, kind, message, unit, period, address, reason, by_message)
SELECT id, at, who, kind, message, unit, period, address, reason, by_message FROM decision;
DROP TABLE decision;
ALTER TABLE decision_new RENAME TO decision;
CREATE INDEX decision_message ON decision (message);
CREATE INDEX decision_kind ON decision (kind, period);
CREATE INDEX decision_answer ON decision (by_message) WHERE by_message IS NOT NULL;
CREATE INDEX decision_unit ON decision (unit, stream, kind);
