INSERT INTO document (message, ordinal, name, kind, size, digest) VALUES (1, 0, '统计表.xlsx', 'xlsx', 4096, 'ee55');
UPDATE submission SET digest = 'ee55' WHERE id = 1;
INSERT INTO submission (id, message, ordinal, unit, stream, form, period, state, received_at, file, sheet, digest, idle)
VALUES (50, 1, 50, '甲街道', 'nonpublic', 'progress', '2011-08', 'accepted', '2011-09-21T01:10:00+00:00', '统计表.xlsx', '附件1',
        'ff66', 1);
