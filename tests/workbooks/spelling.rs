//! One value in one of the spellings that clerks use. Spelling 0 is the plain one.

use chrono::NaiveDate;
use taizhang::form::Datum;

use crate::columns::Kind;
use crate::page::Ink;

/// `None` leaves the cell empty.
pub fn ink(value: &Datum, kind: Kind, required: bool, spelling: u8) -> Option<Ink> {
    Some(match (kind, value) {
        (Kind::Count(_) | Kind::Rate, Datum::Null) => return None,
        (Kind::Text | Kind::Day | Kind::YesNo | Kind::Reason, Datum::Null) => return mark(spelling),
        (_, Datum::Null) => return None,
        (Kind::Sequence, Datum::Int(n)) => match spelling % 3 {
            1 => Ink::text(n.to_string()),
            _ => Ink::Number(*n as f64),
        },
        (Kind::Count(unit), Datum::Int(n)) => count(*n, unit, required, spelling),
        (Kind::Rate, Datum::Rate(percent)) => rate(*percent, spelling),
        (Kind::Day, Datum::Text(day)) => date(day, spelling),
        (Kind::YesNo, Datum::Bool(yes)) => yes_no(*yes, spelling),
        (Kind::Founding, Datum::Text(kind)) => choice(kind, spelling),
        (Kind::Person, Datum::Text(name)) => person(name, spelling),
        (Kind::Phone, Datum::Text(digits)) => match (spelling % 3, digits.parse::<f64>()) {
            (1, Ok(number)) => Ink::Number(number),
            (2, _) => Ink::text(format!(" {digits} ")),
            _ => Ink::text(digits.clone()),
        },
        (Kind::Name, Datum::Text(name)) => match spelling % 4 {
            1 => Ink::text(format!("{name}\u{3000}")),
            2 => Ink::text(broken(name)),
            _ => Ink::text(name.clone()),
        },
        (_, Datum::Text(text)) => Ink::text(text.clone()),
        other => panic!("no spelling for {other:?}"),
    })
}

fn mark(spelling: u8) -> Option<Ink> {
    match spelling % 5 {
        1 => Some(Ink::text("/")),
        2 => Some(Ink::text("—")),
        _ => None,
    }
}

/// A line break where the column was too narrow.
fn broken(text: &str) -> String {
    let middle = text.chars().count() / 2;
    text.chars().enumerate().flat_map(|(i, c)| [(i == middle).then_some('\n'), Some(c)]).flatten().collect()
}

fn full_width(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_graphic() { char::from_u32(c as u32 + 0xFEE0).unwrap_or(c) } else { c })
        .collect()
}

fn count(n: i64, unit: char, required: bool, spelling: u8) -> Ink {
    match spelling % 14 {
        1 => Ink::text(n.to_string()),
        2 => Ink::text(format!("{n}{unit}")),
        3 => Ink::text(full_width(&n.to_string())),
        4 => Ink::text(chinese(n)),
        5 => Ink::Formula(n as f64),
        6 => Ink::text(format!(" {n} ")),
        7 => Ink::text(format!("{n}.0")),
        8 if n >= 1000 => Ink::text(format!("{},{:03}", n / 1000, n % 1000)),
        9 if n == 0 => Ink::text("/"),
        10 if n == 0 => Ink::text("—"),
        11 if n == 0 => Ink::text("无"),
        12 if n == 0 && required => Ink::text("-"),
        13 => Ink::text(format!("{n} {unit}")),
        _ => Ink::Number(n as f64),
    }
}

/// A number as it is spoken.
pub fn chinese(n: i64) -> String {
    const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    if n == 0 {
        return DIGITS[0].to_owned();
    }
    let (mut text, mut left, mut gap) = (String::new(), n, false);
    for (value, name) in [(10_000, "万"), (1000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = left / value;
        left %= value;
        if digit == 0 {
            gap = !text.is_empty();
            continue;
        }
        if std::mem::take(&mut gap) {
            text.push_str(DIGITS[0]);
        }
        text.push_str(&if digit >= 10 { chinese(digit) } else { DIGITS[digit as usize].to_owned() });
        text.push_str(name);
    }
    text.strip_prefix("一十").map_or(text.clone(), |rest| format!("十{rest}"))
}

fn rate(percent: f64, spelling: u8) -> Ink {
    match spelling % 7 {
        1 => Ink::Number(percent),
        2 => Ink::text(format!("{percent:.2}%")),
        3 => Ink::text(format!("{percent:.2} %")),
        4 => Ink::Number(percent / 100.0),
        5 => Ink::text(format!("{percent}")),
        6 => Ink::text(full_width(&format!("{percent:.2}%"))),
        _ => Ink::Percent(percent / 100.0),
    }
}

/// `2011-09-05`, or `2011-09` where only the month is known.
fn date(text: &str, spelling: u8) -> Ink {
    let parts: Vec<i64> = text.split('-').map(|p| p.parse().expect("a figure")).collect();
    let years: String = parts[0]
        .to_string()
        .bytes()
        .map(|b| ["〇", "一", "二", "三", "四", "五", "六", "七", "八", "九"][usize::from(b - b'0')])
        .collect();
    if let [y, m] = parts[..] {
        return match spelling % 5 {
            1 => Ink::text(format!("{y}.{m:02}")),
            2 => Ink::text(format!("{y}-{m}")),
            3 => Ink::Number((y * 100 + m) as f64),
            4 => Ink::text(format!("{years}年{}月", chinese(m))),
            _ => Ink::text(format!("{y}年{m}月")),
        };
    }
    let day: NaiveDate = text.parse().expect("a day");
    let [y, m, d] = parts[..] else { panic!("{text} is no day") };
    match spelling % 10 {
        1 => Ink::text(format!("{y}.{m}.{d}")),
        2 => Ink::text(format!("{y}年{m}月{d}日")),
        3 => Ink::text(format!("{y}-{m}-{d}")),
        4 => Ink::text(format!("{y}{m:02}{d:02}")),
        5 => Ink::Number((y * 10_000 + m * 100 + d) as f64),
        6 => Ink::text(format!("{y}/{m:02}/{d:02}")),
        7 => Ink::text(format!("{years}年{}月{}日", chinese(m), chinese(d))),
        8 => Ink::text(full_width(&format!("{y}.{m}.{d}"))),
        9 => Ink::Number(crate::formats::xls::serial(day, false)),
        _ => Ink::Day(day),
    }
}

fn yes_no(yes: bool, spelling: u8) -> Ink {
    const WORDS: [[&str; 2]; 6] =
        [["有", "无"], ["是", "否"], ["√", "×"], ["Y", "N"], ["1", "0"], ["有（1个）", "没有"]];
    match spelling % 8 {
        6 => Ink::Number(f64::from(u8::from(yes))),
        7 => Ink::Bool(yes),
        n => Ink::text(WORDS[usize::from(n)][usize::from(!yes)]),
    }
}

fn choice(kind: &str, spelling: u8) -> Ink {
    let words = match kind {
        "单独组建" => ["单独组建", "单独", "单建"],
        "联合组建" => ["联合组建", "联合", "联建"],
        _ => ["未建", "无", "未建"],
    };
    Ink::text(words[usize::from(spelling % 3)])
}

fn person(name: &str, spelling: u8) -> Ink {
    let characters: Vec<String> = name.chars().map(String::from).collect();
    match spelling % 3 {
        1 => Ink::text(characters.join("\u{3000}")),
        2 => Ink::text(characters.join(" ")),
        _ => Ink::text(name),
    }
}
