//! What is to be reported, known before it is written down: rows whose identities hold.

use std::collections::BTreeMap;

use taizhang::form::Datum;

use crate::columns::{Column, PROGRESS, REGISTER};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    Progress,
    Register,
}

impl Form {
    pub fn key(self) -> &'static str {
        match self {
            Self::Progress => "progress",
            Self::Register => "register",
        }
    }

    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Progress => PROGRESS,
            Self::Register => REGISTER,
        }
    }
}

pub type Row = BTreeMap<&'static str, Datum>;

/// One form of one stream.
#[derive(Clone, Debug)]
pub struct Known {
    pub form: Form,
    /// Else social organisations.
    pub enterprises: bool,
    pub rows: Vec<Row>,
}

pub const UNIT: &str = "棠梨街道办事处";

/// A sequence of numbers that look drawn, the same for the same seed (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn up_to(&mut self, most: i64) -> i64 {
        self.roll(most as u64 + 1) as i64
    }

    pub fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len() as u64) as usize]
    }

    fn rarely(&mut self) -> bool {
        self.roll(8) == 0
    }
}

fn text(text: impl Into<String>) -> Datum {
    Datum::Text(text.into())
}

/// Percent with two decimals, as a part of a whole.
fn rate(part: i64, whole: i64) -> Datum {
    Datum::Rate((part as f64 * 10_000.0 / whole as f64).round() / 100.0)
}

impl Known {
    pub fn of(form: Form, enterprises: bool, rows: usize, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let rows = match form {
            Form::Progress => vec![figures(&mut dice)],
            Form::Register => book(&mut dice, rows, enterprises),
        };
        Self { form, enterprises, rows }
    }
}

fn figures(dice: &mut Dice) -> Row {
    let most = if dice.rarely() { 12_000 } else { 300 };
    let orgs = 1 + dice.up_to(most);
    let work = dice.up_to(orgs);
    let covered = dice.up_to(work);
    let (transferred, untransferred) = (dice.up_to(400), dice.up_to(90));
    let (single, joint) = (dice.up_to(30), dice.up_to(12));
    let mut row = Row::from([
        ("seq", Datum::Int(1)),
        ("unit", text(UNIT)),
        ("orgs", Datum::Int(orgs)),
        ("orgs_large", Datum::Int(dice.up_to(orgs))),
        ("orgs_3plus", Datum::Int(dice.up_to(orgs))),
        ("members", Datum::Int(transferred + untransferred)),
        ("members_transferred", Datum::Int(transferred)),
        ("members_untransferred", Datum::Int(untransferred)),
        ("party_orgs", Datum::Int(single + joint)),
        ("party_orgs_single", Datum::Int(single)),
        ("party_orgs_joint", Datum::Int(joint)),
        ("party_orgs_mixed", Datum::Int(dice.up_to(single + joint))),
        ("orgs_covered", Datum::Int(covered)),
        ("org_coverage", rate(covered, orgs)),
        ("orgs_work_covered", Datum::Int(work)),
        ("work_coverage", rate(work, orgs)),
        ("venues", Datum::Int(dice.up_to(40))),
        ("remark", if dice.roll(2) == 0 { text("数据已与各社区核对") } else { Datum::Null }),
    ]);
    let pairs = [
        ["new_party_orgs_month", "new_party_orgs_total"],
        ["instructors_month", "instructors_total"],
        ["mass_orgs_month", "mass_orgs_total"],
        ["recruits_month", "recruits_total"],
    ];
    for [month, total] in pairs {
        let all = dice.up_to(60);
        row.insert(month, Datum::Int(dice.up_to(all)));
        row.insert(total, Datum::Int(all));
    }
    for key in ["orgs_large", "orgs_3plus", "party_orgs_mixed", "venues", "mass_orgs_total", "org_coverage"] {
        if dice.rarely() {
            row.insert(key, Datum::Null);
        }
    }
    row
}

const PLACES: &[&str] = &["澄湖", "柳汀", "北岭", "望舒", "临川里", "梧桐巷"];
const BRANDS: &[&str] = &["远帆", "禾木", "晴川", "九里", "星野", "瑞谷", "一苇", "青禾"];
const TRADES: &[&str] = &["精密机械", "食品", "纺织", "商贸", "信息技术", "物流", "餐饮管理", "包装材料"];
const SURNAMES: &[&str] = &["陆", "沈", "姚", "范", "欧阳", "谢", "董", "江"];
const GIVEN: &[&str] = &["秋白", "平", "映雪", "立", "知远", "敏", "大川", "可心"];

fn book(dice: &mut Dice, count: usize, enterprises: bool) -> Vec<Row> {
    let mut joint = String::new();
    (0..count).map(|number| entry(dice, number, enterprises, &mut joint)).collect()
}

fn person(dice: &mut Dice) -> Datum {
    text(format!("{}{}", dice.one(SURNAMES), dice.one(GIVEN)))
}

fn phone(dice: &mut Dice) -> Datum {
    match dice.roll(3) {
        0 => text(format!("0531-8800{:04}", dice.roll(10_000))),
        _ => text(format!("1390000{:04}", dice.roll(10_000))),
    }
}

/// Nine characters, the last one a check (GB 11714).
fn code(dice: &mut Dice) -> Datum {
    let digits: Vec<u64> = (0..8).map(|_| dice.roll(10)).collect();
    let sum: u64 = digits.iter().zip([3, 7, 9, 10, 5, 8, 4, 2]).map(|(d, w)| d * w).sum();
    let check = match 11 - sum % 11 {
        10 => "X".to_owned(),
        11 => "0".to_owned(),
        n => n.to_string(),
    };
    text(digits.iter().map(u64::to_string).collect::<String>() + "-" + &check)
}

fn day(dice: &mut Dice, first_year: u64) -> Datum {
    let (y, m) = (first_year + dice.roll(2011 - first_year), 1 + dice.roll(12));
    match dice.roll(4) {
        0 => text(format!("{y}-{m:02}")),
        _ => text(format!("{y}-{m:02}-{:02}", 1 + dice.roll(28))),
    }
}

fn entry(dice: &mut Dice, number: usize, enterprises: bool, joint: &mut String) -> Row {
    let (place, brand, trade) = (dice.one(PLACES), dice.one(BRANDS), dice.one(TRADES));
    // The number keeps names apart.
    let brand = format!("{brand}{}", ["", "东", "南", "西", "北", "中", "新", "金"][number % 8]);
    let tail = match (enterprises, dice.roll(3)) {
        (true, 0) => format!("（{place}）{trade}有限责任公司"),
        (true, 1) => format!("{trade}厂"),
        (true, _) => format!("{trade}有限公司"),
        (false, _) => format!("{trade}行业协会"),
    };
    let name = format!("{place}{brand}{}{tail}", if number >= 8 { "第二" } else { "" });
    let full = dice.up_to(4);
    let members = full + dice.up_to(2);
    let transferred = dice.up_to(members);
    let kind = match full {
        3.. => "单独组建",
        1..3 => "联合组建",
        _ => "未建",
    };
    if kind == "联合组建" && (joint.is_empty() || dice.roll(2) == 0) {
        *joint = format!("{place}联合第{}支部", ["一", "二", "三"][number % 3]);
    }
    let party = kind != "未建";
    let closed = number > 0 && dice.rarely();
    let null_or = |given: bool, datum: Datum| if given { datum } else { Datum::Null };
    // Each of these columns has a no, so that none only ever ticks.
    let yes = |dice: &mut Dice| Datum::Bool(number > 0 && dice.roll(2) == 0);
    let mut row = Row::from([
        ("seq", Datum::Int(number as i64 + 1)),
        ("name", text(name)),
        ("code", code(dice)),
        ("category", text(dice.one(&["制造业", "批发和零售业", "住宿和餐饮业", "居民服务业"]))),
        ("address", text(format!("{place}路{}号", 1 + dice.roll(300)))),
        ("legal_rep", person(dice)),
        ("phone", phone(dice)),
        ("employees", Datum::Int(members + dice.up_to(1500))),
        ("members", Datum::Int(members)),
        ("members_full", Datum::Int(full)),
        ("members_transferred", Datum::Int(transferred)),
        ("members_untransferred", Datum::Int(members - transferred)),
        ("party_org_kind", text(kind)),
        (
            "party_org",
            null_or(party, text(if kind == "联合组建" { joint.clone() } else { format!("{place}{brand}党支部") })),
        ),
        ("party_org_mixed", yes(dice)),
        ("founded", null_or(party, day(dice, 1995))),
        ("secretary", null_or(party, person(dice))),
        ("secretary_phone", null_or(party, phone(dice))),
        ("instructor", person(dice)),
        ("instructor_post", text(format!("{place}社区主任"))),
        ("union", yes(dice)),
        ("youth_league", yes(dice)),
        ("womens_fed", yes(dice)),
        ("venue", yes(dice)),
        ("status", text(if closed { "销户" } else { "正常" })),
        ("closed_reason", null_or(closed, text(dice.one(&["破产", "迁移", "注销", "其他"])))),
        ("closed_on", null_or(closed, day(dice, 2009))),
        ("remark", null_or(dice.roll(3) == 0, text("新入驻园区"))),
    ]);
    for key in ["code", "employees", "legal_rep", "phone", "instructor", "category", "members_transferred"] {
        if dice.rarely() {
            row.insert(key, Datum::Null);
        }
    }
    row
}
