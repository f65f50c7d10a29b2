-- Findings that a person has looked into and waives: what they are about, and what they rest on.

ALTER TABLE finding ADD COLUMN subject TEXT;        -- the organisation, by its name as written
ALTER TABLE finding ADD COLUMN rests_on TEXT;       -- the evidence; NULL: `text` says it

-- The evidence that was waived (other evidence is another finding), the column's key, and from which period on the waiver
-- holds: of such a one `period` is NULL.
ALTER TABLE decision ADD COLUMN key TEXT;
ALTER TABLE decision ADD COLUMN evidence TEXT;
ALTER TABLE decision ADD COLUMN since TEXT;

UPDATE finding SET subject =
    (SELECT json_extract(l.record, '$.name') FROM line l
     WHERE l.submission = finding.submission AND l.sheet = finding.sheet AND l.row = finding.row LIMIT 1)
WHERE row IS NOT NULL AND submission IN (SELECT id FROM submission WHERE form = 'register');
