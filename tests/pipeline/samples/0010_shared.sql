INSERT INTO presence (line, submission, unit, code_key, name_key, tells, closed)
SELECT l.id, l.submission, s.unit, NULL, '旧名公司', 0, 0 FROM line l JOIN submission s ON s.id = l.submission ORDER BY l.id LIMIT 1;
INSERT INTO finding (message, submission, origin, rule, severity, text)
SELECT message, id, 'ledger', 'R12', 'warning', '也在乙街道的台账里。' FROM submission ORDER BY id LIMIT 1;
INSERT INTO shared (finding, unit, stream) SELECT max(id), '乙街道', 'nonpublic' FROM finding;
INSERT INTO held (submission, rule, text) SELECT id, 'R15', '本期1家，上期40家。' FROM submission ORDER BY id LIMIT 1;
