-- One return of one unit, its answer, and a row of everything else.
INSERT INTO message (id, digest, size, mailbox, received_at, stored_at, message_id, from_address, subject, fingerprint,
                     disposition, reason, rules, assessed_at)
VALUES (1, 'aa11', 4096, 'nonpublic', '2011-09-20T01:10:00+00:00', '2011-09-20T01:11:00+00:00', 'one@office.example',
        'clerk@office.example', '8月份报表', 'bb22', 'accepted', '2份报表已入账。', '[]', '2011-09-20T01:11:01+00:00'),
       (2, 'cc33', 4096, 'social', '2011-09-20T01:10:00+00:00', '2011-09-20T01:11:00+00:00', 'one@office.example',
        'clerk@office.example', '8月份报表', 'bb22', 'duplicate', '', '[]', '2011-09-20T01:11:02+00:00'),
       (3, 'dd44', 12, 'news', '2011-09-20T01:12:00+00:00', '2011-09-20T01:12:00+00:00', NULL, NULL, '', NULL,
        NULL, '', '[]', NULL);
UPDATE message SET duplicate_of = 1 WHERE id = 2;
INSERT INTO sighting (message, mailbox, locator, received_at, seen_at, filed_at)
VALUES (1, 'nonpublic', '7:1', '2011-09-20T01:10:00+00:00', '2011-09-20T01:11:00+00:00', '2011-09-20T01:11:05+00:00'),
       (3, 'news', '1316480000.M1', '2011-09-20T01:12:00+00:00', '2011-09-20T01:12:00+00:00', NULL);
INSERT INTO cursor (mailbox, uidvalidity, last_uid, succeeded_at) VALUES ('nonpublic', 7, 1, '2011-09-20T01:11:05+00:00');
INSERT INTO unfetched (mailbox, locator, attempts, failure, at)
VALUES ('nonpublic', '7:2', 3, 'the server hung up', '2011-09-20T02:15:00+00:00');
INSERT INTO submission (id, message, ordinal, unit, stream, form, period, state, received_at, file, sheet, columns)
VALUES (1, 1, 0, '甲街道', 'nonpublic', 'progress', '2011-08', 'accepted', '2011-09-20T01:10:00+00:00', '统计表.xlsx', '附件1',
        '{"orgs":"C"}'),
       (2, 1, 1, '甲街道', 'nonpublic', 'register', '2011-08', 'accepted', '2011-09-20T01:10:00+00:00', '台账.xlsx', '附件2', '{}');
INSERT INTO line (id, submission, sheet, row, admitted, record, cells)
VALUES (1, 1, '附件1', 5, 1, '{"orgs":14}', '{"orgs":"C5"}'),
       (2, 2, '附件2', 5, 1, '{"name":"某某有限公司"}', '{"name":"B5"}'),
       (3, 2, '附件2', 6, 0, '{}', '{}');
INSERT INTO figure (unit, stream, form, period, line) VALUES ('甲街道', 'nonpublic', 'progress', '2011-08', 1);
INSERT INTO entry (id, unit, stream, form, identity, name, code, status, vanished, first_period, last_period, line, record)
VALUES (1, '甲街道', 'nonpublic', 'register', '某某公司', '某某有限公司', NULL, 'active', 0, '2011-08', '2011-08', 2,
        '{"name":"某某有限公司"}');
INSERT INTO entry_version (entry, period, change, line, record)
VALUES (1, '2011-08', 'added', 2, '{"name":"某某有限公司"}');
INSERT INTO finding (message, submission, origin, rule, severity, file, sheet, cell, row, key, text)
VALUES (1, 2, 'sheet', 'R01', 'error', '台账.xlsx', '附件2', 'B6', 6, 'name', '名称没有填。'),
       (1, 1, 'ledger', 'P05', 'warning', '统计表.xlsx', '附件1', 'N5', 5, 'new_party_orgs_total', '累计数对不上。');
INSERT INTO decision (at, who, kind, message, unit, period, address, reason)
VALUES ('2011-09-20T02:00:00+00:00', 'operator', 'excuse', NULL, '乙镇', '2011-08', NULL, '机构合并'),
       ('2011-09-20T02:00:00+00:00', 'operator', 'trust', 1, '甲街道', NULL, 'clerk@office.example', '');
INSERT INTO outbox (kind, recipient, message_id, subject, raw, answers, unit, period, created_at, state, attempts,
                    next_attempt_at, sent_at)
VALUES ('receipt', 'clerk@office.example', 'receipt.aa11@office.example', '回复：8月份报表', x'61', 1, '甲街道', NULL,
        '2011-09-20T01:11:01+00:00', 'sent', 1, '2011-09-20T01:11:02+00:00', '2011-09-20T01:11:02+00:00');
INSERT INTO bounced (address, at, message) VALUES ('gone@office.example', '2011-09-20T02:00:00+00:00', 1);
INSERT INTO job (name, period, slot, at) VALUES ('report', '2011-08', 'first', '2011-09-26T02:00:00+00:00');
INSERT INTO state (key, value) VALUES ('last_pass', '2011-09-20T04:00:00+00:00');
