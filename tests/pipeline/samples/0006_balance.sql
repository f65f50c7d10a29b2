INSERT INTO balance (mailbox, at, account, missing, gone, repaired)
VALUES ('nonpublic', '2011-09-20T18:30:00+00:00',
        '{"on_server":2,"stored":{"accepted":1},"given_up":["7:2"],"put_off":[],"old":0,"new":0,"unseen":0,"missing":[],"fetched":[],"gone":0}',
        0, 0, 1);
INSERT INTO stored_files (at, files, lost) VALUES ('2011-09-20T18:30:00+00:00', 3, '[2]');
INSERT INTO alarm (mailbox, since, raised_at, failure, recovered_at)
VALUES ('social', '2011-09-20T01:10:00+00:00', '2011-09-20T03:10:00+00:00', 'no connection', '2011-09-20T04:00:00+00:00'),
       ('', '2011-09-20T01:10:00+00:00', '2011-09-20T03:10:00+00:00', 'no connection', NULL);
INSERT INTO passed_over (mailbox, locator, since) VALUES ('news', '1310000000.M1', '2011-08-01');
UPDATE cursor SET failed_at = '2011-09-20T01:10:00+00:00', failure = 'no connection';
UPDATE sighting SET refused_at = '2011-09-20T01:12:00+00:00', refusal = 'NO' WHERE filed_at IS NULL;
