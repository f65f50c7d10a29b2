INSERT INTO heading_question (message, form, column_key, letters, shown, path)
VALUES (1, 'progress', 'members', 'D', '党员同志', '["党员同志"]');
INSERT INTO heading (form, column_key, shown, path, at, who, message)
VALUES ('progress', 'members', '在册党员', '["在册党员"]', '2011-09-20T02:00:00+00:00', 'operator', 1);
