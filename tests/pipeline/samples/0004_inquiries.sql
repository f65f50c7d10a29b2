INSERT INTO sender_question (message, unit) VALUES (3, '甲街道');
INSERT INTO inquiry (token, unit, recipient, message_id, day, at)
VALUES ('00112233445566778899aabbccddeeff', '甲街道', 'clerk@office.example',
        'inquiry.00112233445566778899aabbccddeeff@office.example', '2011-09-20', '2011-09-20T02:00:00+00:00');
INSERT INTO inquiry_line (inquiry, number, message) VALUES ('00112233445566778899aabbccddeeff', 1, 3);
INSERT INTO inquiry_reply (message, inquiry, said) VALUES (1, '00112233445566778899aabbccddeeff', 'understood');
INSERT INTO decision (at, who, kind, message, unit, period, address, reason, by_message)
VALUES ('2011-09-20T03:00:00+00:00', 'clerk@office.example', 'release', 3, '甲街道', NULL, NULL, '', 1),
       ('2011-09-21T03:00:00+00:00', 'operator', 'distrust', NULL, '甲街道', NULL, 'clerk@office.example', '', NULL);
