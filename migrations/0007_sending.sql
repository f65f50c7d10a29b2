-- Whose fault it is that a mail was given up: told to the department, and what marks an address. NULL: not given up.
ALTER TABLE outbox ADD COLUMN blame TEXT CHECK (blame IN ('recipient', 'mail', 'us', 'nobody'));

-- Why a mailbox cannot be read, in words for the department; NULL as `failure` is.
ALTER TABLE cursor ADD COLUMN failure_words TEXT;
-- Logins refused in a row, and until when none is tried, whoever asks and however often the program is started.
ALTER TABLE cursor ADD COLUMN refused_logins INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cursor ADD COLUMN login_after TEXT;
