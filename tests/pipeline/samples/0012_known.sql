INSERT INTO past_message (message, received_at, disposition, reason, rules, assessed_at, known_at, until)
VALUES (1, '2011-09-20T01:10:00+00:00', 'quarantined', '发件人未登记。', '["M01"]', '2011-09-20T01:11:01+00:00',
        '2011-09-20T01:10:00+00:00', '2011-09-20T02:00:00+00:00');
INSERT INTO past_submission (id, message, ordinal, unit, stream, form, period, state, received_at, file, sheet, columns, digest,
                             idle, known_at, until)
VALUES (9, 1, 0, '甲街道', 'nonpublic', 'progress', '2011-08', 'quarantined', '2011-09-20T01:10:00+00:00', '统计表.xlsx', '附件1', '{}',
        '', 0, '2011-09-20T01:10:00+00:00', '2011-09-20T02:00:00+00:00');
INSERT INTO past_line (submission, sheet, row, admitted, record, cells, raw)
VALUES (9, '附件1', 5, 1, '{"orgs":14}', '{"orgs":"C5"}', '{}');
INSERT INTO past_finding (message, submission, origin, rule, severity, text, known_at, until)
VALUES (1, 9, 'sheet', 'M01', 'error', '发件人未登记。', '2011-09-20T01:10:00+00:00', '2011-09-20T02:00:00+00:00');
