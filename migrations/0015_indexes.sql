-- A line that is dropped is looked for in what may rest on it: without these, in all of the ledger, for each line.
CREATE INDEX figure_line ON figure (line);
CREATE INDEX entry_line ON entry (line);
CREATE INDEX entry_version_line ON entry_version (line);
CREATE INDEX figure_period ON figure (period);
