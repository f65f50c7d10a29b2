-- Who an organisation is: the names that it had, and the books that it was not in. Both are derived, as `entry` is.

-- The name that holds from a period on; the last one is the entry's own.
CREATE TABLE entry_name (
    entry  INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    since  TEXT NOT NULL,
    name   TEXT NOT NULL,                           -- as it was written then
    PRIMARY KEY (entry, since)
) STRICT, WITHOUT ROWID;

-- Books without the organisation, closed or not. What is not here is present from its first period on.
CREATE TABLE entry_absence (
    entry  INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    last   TEXT NOT NULL,                           -- the last book that had it
    since  TEXT NOT NULL,                           -- the first that had not
    until  TEXT,                                    -- the next one that had it again
    PRIMARY KEY (entry, since)
) STRICT, WITHOUT ROWID;

-- Until a unit's next return derives them anew: what can be told of the entries as they are.
INSERT INTO entry_name (entry, since, name) SELECT id, first_period, name FROM entry;
INSERT INTO entry_absence (entry, last, since)
SELECT e.id, e.last_period, min(s.period) FROM entry e
JOIN submission s ON s.unit = e.unit AND s.stream = e.stream AND s.form = e.form AND s.state = 'accepted'
                 AND s.period > e.last_period
GROUP BY e.id;
