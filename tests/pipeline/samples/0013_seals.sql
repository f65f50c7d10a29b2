INSERT INTO basis (id, program, forms, registry, settings) VALUES (1, '0.1.0', 'aa', 'bb', 'cc');
INSERT INTO seal (kind, key, digest, at, basis) VALUES ('decision', '1', 'dd', '2011-09-26T02:00:00+00:00', 1);
INSERT INTO assessment (message, at, decision, heading, revoked) VALUES (1, '2011-09-20T01:11:01+00:00', 0, 0, 0);
UPDATE stored_files SET changed = '[{"kind":"decision","key":"1"}]';
