UPDATE outbox SET state = 'failed', failure = '550 User unknown', blame = 'recipient' WHERE id = (SELECT min(id) FROM outbox);
UPDATE cursor SET failure = 'LOGIN refused', failure_words = '授权码不对', refused_logins = 2,
    login_after = '2011-09-20T04:00:00+00:00' WHERE mailbox = (SELECT min(mailbox) FROM cursor);
