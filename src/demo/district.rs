//! The demo's district: an invented place with eight units, three mailboxes and the settings that go with it.
//!
//! Every name is made up and every domain ends in `.example` (RFC 2606).

/// Who owes returns, and the clerk who sends them.
pub struct DemoUnit {
    pub name: &'static str,
    /// What people call it; organisations and file names use it.
    pub short: &'static str,
    pub aliases: &'static [&'static str],
    pub kind: &'static str,
    /// Registered addresses; the clerk writes from the first one.
    pub addresses: &'static [&'static str],
    pub clerk: &'static str,
    pub reviewer: &'static str,
    pub supervisor: &'static str,
    pub quotas: [u32; 2],
    /// How many organisations it looks after, nonpublic and social. A bureau has no nonpublic ones.
    pub sizes: [usize; 2],
}

/// A committee's (or the department's) mailbox.
pub struct DemoMailbox {
    pub name: &'static str,
    pub address: &'static str,
    pub committee: &'static str,
    pub stream: Option<&'static str>,
    pub authserv_id: &'static str,
}

pub const NONPUBLIC: usize = 0;
pub const SOCIAL: usize = 1;

pub const MAILBOXES: [DemoMailbox; 3] = [
    DemoMailbox {
        name: "nonpublic",
        address: "jc_feigong@xinyou.example",
        committee: "区非公有制经济组织党工委",
        stream: Some("nonpublic"),
        authserv_id: "mx.xinyou.example",
    },
    DemoMailbox {
        name: "social",
        address: "jc_shehui@qingniao.example",
        committee: "区社会组织党工委",
        stream: Some("social"),
        authserv_id: "mx.qingniao.example",
    },
    DemoMailbox {
        name: "news",
        address: "jc_zuzhibu@xinyou.example",
        committee: "中共霁川区委组织部",
        stream: None,
        authserv_id: "mx.xinyou.example",
    },
];

/// Positions in [`UNITS`], by the part each plays in the story.
pub const TIDY: usize = 0;
pub const GBK: usize = 1;
pub const ONE_MAIL: usize = 2;
pub const CORRECTED: usize = 3;
pub const STRANGER: usize = 4;
pub const SILENT: usize = 5;
pub const MESSY: usize = 6;
pub const LATE: usize = 7;

pub const UNITS: [DemoUnit; 8] = [
    DemoUnit {
        name: "棠梨街道办事处",
        short: "棠梨",
        aliases: &["棠梨街道", "棠梨街道党工委"],
        kind: "street",
        addresses: &["tangli_dj@qingniao.example"],
        clerk: "宋晓禾",
        reviewer: "贺文渊",
        supervisor: "hewy@jichuan-gov.example",
        quotas: [5, 1],
        sizes: [14, 7],
    },
    DemoUnit {
        name: "石桥湾街道办事处",
        short: "石桥湾",
        aliases: &["石桥湾街道", "石桥湾办事处"],
        kind: "street",
        addresses: &["shiqiaowan@xinyou.example", "sqw_zgk@qingniao.example"],
        clerk: "郝静怡",
        reviewer: "龚立本",
        supervisor: "gonglb@jichuan-gov.example",
        quotas: [4, 1],
        sizes: [12, 6],
    },
    DemoUnit {
        name: "鹤鸣街道办事处",
        short: "鹤鸣",
        aliases: &["鹤鸣街道", "鹤鸣街道党工委"],
        kind: "street",
        addresses: &["heming_lxb@xinyou.example"],
        clerk: "邵一帆",
        reviewer: "戴国梁",
        supervisor: "daigl@jichuan-gov.example",
        quotas: [4, 1],
        sizes: [11, 6],
    },
    DemoUnit {
        name: "槐序街道办事处",
        short: "槐序",
        aliases: &["槐序街道", "槐序办"],
        kind: "street",
        addresses: &["huaixu2011@qingniao.example"],
        clerk: "尹春霞",
        reviewer: "毛启明",
        supervisor: "maoqm@jichuan-gov.example",
        quotas: [3, 1],
        sizes: [10, 5],
    },
    DemoUnit {
        name: "芦花荡镇人民政府",
        short: "芦花荡",
        aliases: &["芦花荡镇", "芦花荡镇党委"],
        kind: "town",
        addresses: &["luhuadang_dzb@xinyou.example"],
        clerk: "万新苗",
        reviewer: "祝长河",
        supervisor: "zhuch@jichuan-gov.example",
        quotas: [3, 1],
        sizes: [9, 5],
    },
    DemoUnit {
        name: "松坪镇人民政府",
        short: "松坪",
        aliases: &["松坪镇", "松坪镇党委"],
        kind: "town",
        addresses: &["songping_zz@qingniao.example", "songping_dzb@xinyou.example"],
        clerk: "单立冬",
        reviewer: "柴广田",
        supervisor: "chaigt@jichuan-gov.example",
        quotas: [3, 1],
        sizes: [8, 5],
    },
    DemoUnit {
        name: "霁川高新园区管理委员会",
        short: "高新园区",
        aliases: &["高新园区", "高新园区管委会", "霁川高新园区管委会"],
        kind: "zone",
        addresses: &["gxyq_dqb@xinyou.example"],
        clerk: "丛嘉木",
        reviewer: "纪向阳",
        supervisor: "jixy@jichuan-gov.example",
        quotas: [8, 1],
        sizes: [38, 6],
    },
    DemoUnit {
        name: "霁川区文化局",
        short: "区文化局",
        aliases: &["文化局", "区文化局"],
        kind: "bureau",
        addresses: &["renshi@whj.jichuan-gov.example", "whj.jichuan-gov.example"],
        clerk: "阮清荷",
        reviewer: "卓一鸣",
        supervisor: "zhuoym@jichuan-gov.example",
        quotas: [0, 1],
        sizes: [0, 16],
    },
];

impl DemoUnit {
    /// Positions of the streams it owes returns for.
    pub fn streams(&self) -> std::ops::RangeInclusive<usize> {
        if self.kind == "bureau" { SOCIAL..=SOCIAL } else { NONPUBLIC..=SOCIAL }
    }

    pub fn address(&self) -> &'static str {
        self.addresses[0]
    }
}

/// The registry file of the district (UTF-8, lists separated by `;`).
pub fn registry_csv() -> String {
    let mut text = String::from("name,aliases,kind,streams,addresses,supervisor,quota_nonpublic,quota_social\n");
    for unit in &UNITS {
        let streams: Vec<&str> = unit.streams().filter_map(|s| MAILBOXES[s].stream).collect();
        let quota = |stream: usize| match unit.streams().contains(&stream) {
            true => unit.quotas[stream].to_string(),
            false => String::new(),
        };
        let fields = [
            unit.name.to_owned(),
            unit.aliases.join(";"),
            unit.kind.to_owned(),
            streams.join(";"),
            unit.addresses.join(";"),
            unit.supervisor.to_owned(),
            quota(NONPUBLIC),
            quota(SOCIAL),
        ];
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

/// The demo's configuration file: Maildirs for mailboxes, `.eml` files for what is sent, the built-in forms. Paths
/// are relative to the file's folder.
pub fn config_toml() -> String {
    let mut text = String::from(
        r#"# The demo's settings. Ask this ledger something: taizhang -c THIS-FILE status --period 2011-08
timezone = "Asia/Shanghai"
data_dir = "data"
units = "units.csv"

[department]
name = "中共霁川区委组织部"
district = "霁川区"
addresses = ["jc_zuzhibu@xinyou.example"]
contact = "区委组织部 季老师 8260-0117"

[targets]
by = "2011-12-30"
org_coverage = 60.0
work_coverage = 100.0
[targets.new_party_orgs]
nonpublic = 30
social = 8
[[targets.milestone]]
name = "摸底数"
by = "2011-09-25"
measure = "register"
[[targets.milestone]]
name = "理台账"
by = "2011-10-25"
measure = "register_without_errors"
[[targets.milestone]]
name = "建组织"
by = "2011-11-25"
measure = "quota"

[calendar]
holidays = ["2011-09-12", "2011-10-03", "2011-10-04", "2011-10-05", "2011-10-06", "2011-10-07"]
workdays = ["2011-10-08", "2011-10-09"]

[smtp]
kind = "file"
dir = "sent"
from = "霁川区两新组织党建台账 <jc_feigong@xinyou.example>"
per_minute = 6000
"#,
    );
    for mailbox in &MAILBOXES {
        let stream = mailbox.stream.map(|s| format!("stream = \"{s}\"\n")).unwrap_or_default();
        text.push_str(&format!(
            "\n[[mailbox]]\nname = \"{name}\"\naddress = \"{}\"\ncommittee = \"{}\"\n{stream}\
             authserv_id = \"{}\"\nkind = \"maildir\"\npath = \"mail/{name}\"\n",
            mailbox.address,
            mailbox.committee,
            mailbox.authserv_id,
            name = mailbox.name,
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_names_every_unit_once_and_only_reserved_domains() {
        let csv = registry_csv();
        assert_eq!(csv.lines().count(), UNITS.len() + 1);
        for line in csv.lines().skip(1) {
            assert_eq!(line.split(',').count(), 8, "{line}");
            for address in line.split(',').nth(4).unwrap().split(';') {
                assert!(address.ends_with(".example"), "{address}");
            }
        }
    }

    #[test]
    fn the_configuration_names_three_mailboxes() {
        let value: toml::Table = config_toml().parse().unwrap();
        let paths: Vec<&str> =
            value["mailbox"].as_array().unwrap().iter().map(|m| m["path"].as_str().unwrap()).collect();
        assert_eq!(paths, ["mail/nonpublic", "mail/social", "mail/news"]);
    }
}
