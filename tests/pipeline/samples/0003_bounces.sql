INSERT INTO bounce (message, outbox, address, cause, status, reason, at, noted_at)
VALUES (1, 1, 'clerk@office.example', 'no such address', '5.1.1', '550 User not found', '2011-09-20T02:10:00+00:00', '2011-09-20T02:10:00+00:00'),
       (NULL, 1, 'clerk@office.example', 'full', '', '', '2011-09-20T02:11:00+00:00', '2011-09-20T02:11:00+00:00');
INSERT INTO correspondent (address, vain, silent_since) VALUES ('clerk@office.example', 10, '2011-09-20T02:12:00+00:00');
INSERT INTO withheld (message, address, budget, at) VALUES (2, 'clerk@office.example', 'vain', '2011-09-20T02:12:00+00:00');
UPDATE outbox SET thread = 'one@office.example' WHERE id = 1;
