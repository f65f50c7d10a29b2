INSERT INTO entry_name (entry, since, name) VALUES (1, '2011-07', '旧名公司');
INSERT INTO entry_absence (entry, last, since, until) VALUES (1, '2011-08', '2011-09', '2011-10'), (1, '2011-10', '2011-11', NULL);
