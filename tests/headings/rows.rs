//! Honest rows for both forms: every identity holds. Chance is a seed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use taizhang::workbook::{Cell, CellValue};

/// Column key (or `#` and the heading of a column that is none of the form's) → cell.
pub type Row = BTreeMap<String, Cell>;

/// Numbers by SplitMix64.
pub struct Chance(pub u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub fn upto(&mut self, most: i64) -> i64 {
        self.below(usize::try_from(most.max(0)).unwrap() + 1) as i64
    }

    pub fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    /// One time in `n`.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i + 1));
        }
    }
}

fn cell(value: CellValue) -> Cell {
    Cell { value, percent: false, formula: false }
}

pub fn text(t: &str) -> Cell {
    cell(CellValue::Text(t.to_owned()))
}

fn number(n: i64) -> Cell {
    cell(CellValue::Number(n as f64))
}

fn day(chance: &mut Chance, from: i32) -> Cell {
    let date =
        NaiveDate::from_ymd_opt(from + chance.upto(8) as i32, 1 + chance.below(12) as u32, 1 + chance.below(28) as u32);
    cell(CellValue::Date(date.unwrap().and_hms_opt(0, 0, 0).unwrap()))
}

const FAMILIES: [&str; 10] = ["邱", "鲍", "柏", "窦", "尤", "苗", "花", "方", "俞", "任"];
const GIVEN: [&str; 10] = ["晓岚", "国栋", "文", "建业", "春梅", "立", "海平", "玉兰", "志远", "敏"];
const PLACES: [&str; 8] = ["青禾", "远帆", "南坡", "石桥", "金穗", "云岭", "白鹭", "长亭"];
const TRADES: [&str; 5] = ["制造业", "批发零售", "餐饮服务", "软件", "民办教育"];

fn person(chance: &mut Chance) -> String {
    format!("{}{}", chance.of(&FAMILIES), chance.of(&GIVEN))
}

fn phone(chance: &mut Chance) -> String {
    if chance.once_in(3) {
        format!("0531-88{:06}", chance.upto(999_999))
    } else {
        format!("139{:08}", chance.upto(99_999_999))
    }
}

/// A value of a column that is none of the form's.
pub fn other(chance: &mut Chance, kind: &str) -> Cell {
    match kind {
        "n" => number(chance.upto(60)),
        "%" => text(&format!("{}%", chance.upto(100))),
        "person" => text(&person(chance)),
        "phone" => text(&phone(chance)),
        "date" => day(chance, 1998),
        "zip" => text(&format!("25{:04}", chance.upto(9999))),
        "id" => text(&format!(
            "370102{:04}0{}1{}{:04}",
            1950 + chance.upto(40),
            1 + chance.upto(8),
            chance.upto(9),
            chance.upto(9999)
        )),
        "mail" => text(&format!("user{}@office.example", chance.upto(999))),
        "sex" => text(chance.of(&["男", "女"])),
        "yn" => text(chance.of(&["是", "否"])),
        _ => text(&format!("{}{}", chance.of(&PLACES), chance.of(&TRADES))),
    }
}

pub fn progress(chance: &mut Chance) -> Row {
    let orgs = 20 + chance.upto(180);
    let work_covered = orgs / 2 + chance.upto(orgs / 2);
    let covered = chance.upto(work_covered);
    let transferred = 10 + chance.upto(200);
    let untransferred = 1 + chance.upto(80);
    let single = chance.upto(30);
    let joint = chance.upto(20);
    let rate = |part: i64| text(&format!("{:.2}%", part as f64 * 100.0 / orgs as f64));
    let mut row = Row::from([
        ("unit".to_owned(), text(&format!("{}街道", chance.of(&PLACES)))),
        ("org_coverage".to_owned(), rate(covered)),
        ("work_coverage".to_owned(), rate(work_covered)),
        ("remark".to_owned(), text(if chance.once_in(3) { "已核对" } else { "" })),
    ]);
    let mut put = |key: &str, n: i64| drop(row.insert(key.to_owned(), number(n)));
    put("seq", 1);
    put("orgs", orgs);
    put("orgs_large", chance.upto(orgs / 3));
    put("orgs_3plus", chance.upto(orgs / 4));
    put("members", transferred + untransferred);
    put("members_transferred", transferred);
    put("members_untransferred", untransferred);
    put("party_orgs", single + joint);
    put("party_orgs_single", single);
    put("party_orgs_joint", joint);
    put("party_orgs_mixed", chance.upto(single + joint));
    put("orgs_covered", covered);
    put("orgs_work_covered", work_covered);
    put("venues", chance.upto(15));
    for (key, most) in [("new_party_orgs", 12), ("instructors", 20), ("mass_orgs", 9), ("recruits", 6)] {
        let month = chance.upto(most / 2);
        put(&format!("{key}_month"), month);
        put(&format!("{key}_total"), month + chance.upto(most));
    }
    row
}

pub fn register(chance: &mut Chance, number_of: i64) -> Row {
    let members = chance.upto(12);
    let transferred = chance.upto(members);
    let full = members - chance.upto(members.min(2));
    let place = chance.of(&PLACES);
    let kind = match full {
        0 => "未建",
        1 | 2 => "联合组建",
        _ => "单独组建",
    };
    let built = kind != "未建";
    let closed = chance.once_in(15);
    let yes = |chance: &mut Chance| text(if chance.once_in(2) { "有" } else { "无" });
    let when = |there: bool, cell: Cell| if there { cell } else { text("") };
    let entries = [
        ("seq", number(number_of)),
        ("name", text(&format!("{place}第{number_of}{}有限公司", chance.of(&["商贸", "机电", "服装"])))),
        ("code", text(&format!("{:08}-{}", 10_000_000 + chance.upto(80_000_000), chance.upto(9)))),
        ("category", text(chance.of(&TRADES))),
        ("address", text(&format!("{place}路{}号", 1 + chance.upto(300)))),
        ("legal_rep", text(&person(chance))),
        ("phone", text(&phone(chance))),
        ("employees", number(5 + chance.upto(300))),
        ("members", number(members)),
        ("members_full", number(full)),
        ("members_transferred", number(transferred)),
        ("members_untransferred", number(members - transferred)),
        ("party_org", when(built, text(&format!("{place}第{number_of}公司党支部")))),
        ("party_org_kind", text(kind)),
        ("party_org_mixed", text(if built && chance.once_in(6) { "是" } else { "否" })),
        ("founded", when(built, day(chance, 2002))),
        ("secretary", when(built, text(&person(chance)))),
        ("secretary_phone", when(built, text(&phone(chance)))),
        ("instructor", text(&person(chance))),
        ("instructor_post", text(&format!("{place}街道党工委{}", chance.of(&["干事", "副主任科员"])))),
        ("union", yes(chance)),
        ("youth_league", yes(chance)),
        ("womens_fed", yes(chance)),
        ("venue", yes(chance)),
        ("status", text(if closed { "销户" } else { "正常" })),
        ("closed_reason", when(closed, text(chance.of(&["破产", "迁移", "注销"])))),
        ("closed_on", when(closed, day(chance, 2009))),
        ("remark", text(if chance.once_in(4) { "待核实" } else { "" })),
    ];
    entries.into_iter().map(|(key, cell)| (key.to_owned(), cell)).collect()
}
