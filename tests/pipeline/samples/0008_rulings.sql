INSERT INTO decision (at, who, kind, unit, stream, form, rule, subject, other, period, reason)
VALUES ('2011-09-22T03:00:00+00:00', 'operator', 'merge', '甲街道', 'nonpublic', 'register', NULL, '旧名公司', '新名公司', NULL, '更名'),
       ('2011-09-22T04:00:00+00:00', 'operator', 'dismiss', '甲街道', 'nonpublic', 'register', 'R12', '旧名公司', NULL, '2011-08', '已核实');
