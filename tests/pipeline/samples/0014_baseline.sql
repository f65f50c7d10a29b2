INSERT INTO message (id, digest, size, mailbox, received_at, stored_at, from_address, subject, disposition, reason, assessed_at)
VALUES (14001, 'ee14', 9000, '(import)', '2011-07-01T00:00:00+00:00', '2011-08-20T00:00:00+00:00', 'import@taizhang.test',
        '期初台账 2011-07', 'accepted', '期初台账（2011年7月）已导入，共1份。', '2011-08-20T00:00:00+00:00');
INSERT INTO decision (at, who, kind, message, period, stream)
VALUES ('2011-08-20T00:00:00+00:00', 'operator', 'import', 14001, '2011-07', 'nonpublic');
INSERT INTO submission (message, ordinal, unit, stream, form, period, state, received_at, file, sheet, baseline)
VALUES (14001, 0, '甲街道', 'nonpublic', 'register', '2011-07', 'accepted', '2011-07-01T00:00:00+00:00', '总台账.xlsx',
        '台账', 1);
