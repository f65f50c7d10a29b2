INSERT INTO decision (at, who, kind, unit, stream, form, rule, key, subject, evidence, period, since, reason)
VALUES ('2011-09-23T03:00:00+00:00', '甲某', 'dismiss', '甲街道', 'nonpublic', 'register', 'R06', 'party_org_kind', '旧名公司',
        '“旧名公司”有3名正式党员，应单独建立党组织（应建未建），现填“未建”，请核实。', '2011-08', NULL, '正在筹建'),
       ('2011-09-23T04:00:00+00:00', '甲某', 'reopen', '甲街道', 'nonpublic', 'register', 'R06', 'party_org_kind', '旧名公司',
        '“旧名公司”有3名正式党员，应单独建立党组织（应建未建），现填“未建”，请核实。', NULL, '2011-08', '仍未建');
