//! One cell → one value of its column's kind, in every spelling that clerks use. Pure.
//!
//! A value that cannot be told is never guessed: it is null with a [`Fault`] on it.

use chrono::{Datelike, NaiveDate};

use super::date::{self, Written};
use super::definition::{Choice, Column, ColumnKind, TextStyle, When};
use super::number::{self, is_invisible, is_mark, plain, whole};
use super::record::{Datum, shortened};
use crate::workbook::{Cell, CellValue};

/// What is wrong with a cell (or was assumed about it), in words that follow “第3行“党员总数”（F3）”.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A formula without a stored value.
    Uncached,
    /// Two readers read different things in it.
    Disputed,
    /// Not of the column's kind; what it should be.
    Wrong(String),
    /// A date that does not exist.
    Impossible,
    /// Read, but something was assumed that the sender should know.
    Assumed(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub datum: Datum,
    pub fault: Option<Fault>,
}

/// What the other cells of a column, and its heading on the sheet, say about how to read one.
#[derive(Clone, Debug, Default)]
pub struct Context<'a> {
    /// The column only ever ticks: a blank is a no.
    pub ticks: bool,
    /// The column's plain numbers are percent already.
    pub percent: bool,
    /// The heading asks a yes/no question of a choice.
    pub when: Option<&'a When>,
    pub received: NaiveDate,
}

impl Value {
    fn ok(datum: Datum) -> Self {
        Self { datum, fault: None }
    }

    fn wrong(what: &str) -> Self {
        Self { datum: Datum::Null, fault: Some(Fault::Wrong(what.to_owned())) }
    }
}

/// Reads a cell. A blank one (and a mark such as `—` in a text or date) is null; whether it may be is not asked here.
///
/// A rate is read as the column has it; [`rate_choices`] tells what else it might mean.
pub fn read(cell: Option<&Cell>, column: &Column, context: &Context<'_>) -> Value {
    let Some(cell) = cell.filter(|c| !is_blank(c)) else {
        let no = context.ticks && column.kind == ColumnKind::YesNo;
        return Value::ok(if no { Datum::Bool(false) } else { Datum::Null });
    };
    match &cell.value {
        CellValue::Uncached => return Value { datum: Datum::Null, fault: Some(Fault::Uncached) },
        CellValue::Disputed(_) => return Value { datum: Datum::Null, fault: Some(Fault::Disputed) },
        _ if is_error(cell) => return Value::wrong("是公式错误"),
        _ => {}
    }
    match &column.kind {
        ColumnKind::Count => count(cell),
        ColumnKind::Rate => rate(cell, context.percent),
        ColumnKind::Date => date_of(cell, context.received),
        ColumnKind::Text => text(cell, column.style),
        ColumnKind::YesNo => yes_no(cell).map_or_else(
            || {
                if mark(cell) {
                    Value::ok(Datum::Null)
                } else {
                    Value::wrong("应填“有”或“无”（“是”或“否”）")
                }
            },
            |b| Value::ok(Datum::Bool(b)),
        ),
        ColumnKind::OneOf(choices) => choice(cell, choices, context.when),
    }
}

/// Nothing to see: no text but white space.
pub fn is_blank(cell: &Cell) -> bool {
    matches!(&cell.value, CellValue::Text(s) if s.chars().all(|c| c.is_whitespace() || is_invisible(c)))
}

/// `#DIV/0!`, as a formula's result or kept as text.
pub fn is_error(cell: &Cell) -> bool {
    const ERRORS: [&str; 7] = ["#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"];
    match &cell.value {
        CellValue::Error(_) => true,
        CellValue::Text(s) => s.contains(['#', '＃']) && ERRORS.contains(&plain(s).as_str()),
        _ => false,
    }
}

/// A dash, a slash or 无.
fn mark(cell: &Cell) -> bool {
    matches!(&cell.value, CellValue::Text(s) if is_mark(&plain(s)))
}

/// The cell as the sender sees it, for quoting; at most 30 characters.
pub fn shown(cell: &Cell) -> String {
    shortened(&raw(cell))
}

/// The whole cell as the sender sees it, in one line.
pub fn raw(cell: &Cell) -> String {
    match &cell.value {
        CellValue::Text(s) => s.split_whitespace().collect::<Vec<_>>().join(" "),
        CellValue::Number(n) if cell.percent => format!("{}%", decimal(n * 100.0)),
        CellValue::Number(n) => decimal(*n),
        CellValue::Bool(b) => if *b { "TRUE" } else { "FALSE" }.to_owned(),
        CellValue::Date(d) => d.date().to_string(),
        CellValue::Error(e) => e.clone(),
        CellValue::Uncached => String::new(),
        CellValue::Disputed(readings) => readings.join("”与“"),
    }
}

/// A number without the noise of floating point and without a needless `.0`.
fn decimal(n: f64) -> String {
    whole(n).map_or_else(|| format!("{}", (n * 1e8).round() / 1e8), |i| i.to_string())
}

const COUNT: &str = "应为不小于0的整数";

fn count(cell: &Cell) -> Value {
    let whole_count = |n: f64| whole(n).filter(|n| *n >= 0);
    match &cell.value {
        CellValue::Date(_) => return Value::wrong("单元格是日期格式，应设回常规格式再填整数"),
        CellValue::Number(n) if cell.percent && *n != 0.0 => return Value::wrong("是百分数，应为不小于0的整数"),
        CellValue::Number(n) => whole_count(*n).map(|n| Value::ok(Datum::Int(n))),
        CellValue::Text(s) => match number::number(s) {
            Some(n) => whole_count(n).map(|n| Value::ok(Datum::Int(n))),
            None => number::presumed(s).and_then(|(n, why)| Some((whole_count(n)?, why))).map(|(n, why)| Value {
                datum: Datum::Int(n),
                fault: Some(Fault::Assumed(format!("{why}，按{n}读取"))),
            }),
        },
        _ => None,
    }
    .unwrap_or_else(|| Value::wrong(COUNT))
}

const RATE: &str = "应为百分数，例如56.2%";

fn rate(cell: &Cell, percent: bool) -> Value {
    match rate_choices(cell) {
        Some((n, _)) if n < 0.0 => Value::wrong(RATE),
        // A plain number: percent where the column has them so, else a ratio up to 1.
        Some((n, Some(ratio))) if !percent && n <= 1.0 => Value::ok(Datum::Rate(ratio)),
        Some((n, _)) => Value::ok(Datum::Rate(n)),
        None => Value::wrong(RATE),
    }
}

/// What a rate cell can mean, in percent: as it stands, and as a ratio where it is not marked as a percentage.
pub fn rate_choices(cell: &Cell) -> Option<(f64, Option<f64>)> {
    let round = |n: f64| (n * 1e6).round() / 1e6;
    let (n, marked) = match &cell.value {
        CellValue::Number(n) if cell.percent => (n * 100.0, true),
        CellValue::Number(n) => (*n, false),
        CellValue::Text(s) => number::rate(s)?,
        _ => return None,
    };
    n.is_finite().then(|| (round(n), (!marked).then(|| round(n * 100.0))))
}

fn date_of(cell: &Cell, received: NaiveDate) -> Value {
    let written = match &cell.value {
        CellValue::Date(d) => Written::Day(d.date()),
        CellValue::Number(n) => date::from_number(*n),
        CellValue::Text(s) if is_mark(&plain(s)) => return Value::ok(Datum::Null),
        CellValue::Text(s) => date::from_text(s, received),
        _ => Written::Unclear("不是日期"),
    };
    match written {
        Written::Day(d) => Value::ok(Datum::Text(d.to_string())),
        Written::Month(y, m) => Value::ok(Datum::Text(format!("{y:04}-{m:02}"))),
        Written::Assumed(d, why) => Value {
            datum: Datum::Text(d.to_string()),
            fault: Some(Fault::Assumed(format!("{why}，按{}年{}月{}日读取", d.year(), d.month(), d.day()))),
        },
        Written::AssumedMonth(y, m, why) => Value {
            datum: Datum::Text(format!("{y:04}-{m:02}")),
            fault: Some(Fault::Assumed(format!("{why}，按{y}年{m}月读取"))),
        },
        Written::Impossible => Value { datum: Datum::Null, fault: Some(Fault::Impossible) },
        Written::Unclear(what) => Value::wrong(what),
    }
}

/// A yes or a no; `None` for anything else.
pub fn yes_no(cell: &Cell) -> Option<bool> {
    match &cell.value {
        CellValue::Bool(b) => Some(*b),
        CellValue::Number(n) if *n == 1.0 => Some(true),
        CellValue::Number(n) if *n == 0.0 => Some(false),
        CellValue::Text(s) => {
            let text = plain(s);
            yes_no_word(ticked(&text).unwrap_or(uncounted(&text)))
        }
        _ => None,
    }
}

/// `√有 □无`: the one of several boxes that is ticked, each box before its word.
fn ticked(text: &str) -> Option<&str> {
    const TICKED: [char; 5] = ['√', '✓', '✔', '☑', '■'];
    const EMPTY: [char; 4] = ['□', '☐', '○', '◯'];
    let boxes: Vec<(usize, char)> =
        text.char_indices().filter(|(_, c)| TICKED.contains(c) || EMPTY.contains(c)).collect();
    let ends = boxes.iter().skip(1).map(|(at, _)| *at).chain([text.len()]);
    let words: Vec<(bool, &str)> = boxes
        .iter()
        .zip(ends)
        .map(|((at, c), end)| (TICKED.contains(c), text[at + c.len_utf8()..end].trim()))
        .collect();
    let first = boxes.first().is_some_and(|(at, _)| *at == 0);
    let mut chosen = words.iter().filter(|(ticked, _)| *ticked);
    let one = chosen.next().filter(|_| chosen.next().is_none());
    let complete = first && words.len() > 1 && words.iter().all(|(_, word)| !word.is_empty());
    one.filter(|_| complete).map(|(_, word)| *word)
}

/// `有（1个）` without the number of them.
fn uncounted(text: &str) -> &str {
    let inside = text.strip_prefix('有').map(str::trim_start).and_then(|t| t.strip_prefix('(')?.strip_suffix(')'));
    let some = |inside: &str| number::number(inside).is_some_and(|n| n > 0.0);
    if inside.is_some_and(some) { "有" } else { text }
}

fn yes_no_word(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "有" | "是" | "√" | "✓" | "✔" | "☑" | "1" | "1.0" | "y" | "yes" | "true" | "对" | "已建" => {
            Some(true)
        }
        "无" | "否" | "×" | "✗" | "✘" | "╳" | "x" | "0" | "0.0" | "n" | "no" | "false" | "没有" | "未建" => {
            Some(false)
        }
        _ => None,
    }
}

fn choice(cell: &Cell, choices: &[Choice], when: Option<&When>) -> Value {
    let names: Vec<&str> = choices.iter().map(|c| c.value.as_str()).collect();
    let written = written(cell);
    let text: String = ticked(&written).unwrap_or(&written).chars().filter(|c| !c.is_whitespace()).collect();
    let named = choices.iter().find(|c| c.value == text || c.spellings.contains(&text));
    if let Some(choice) = named {
        return Value::ok(Datum::Text(choice.value.clone()));
    }
    if let (Some(when), Some(answer)) = (when, yes_no(cell)) {
        let meant = if answer { &when.yes } else { &when.no };
        return match meant {
            Some(value) => Value::ok(Datum::Text(value.clone())),
            None => Value::wrong(&format!("看不出是哪一种，应填{}之一", names.join("、"))),
        };
    }
    if is_mark(&text) { Value::ok(Datum::Null) } else { Value::wrong(&format!("应填{}之一", names.join("、"))) }
}

/// The whole content as text: numbers without `.0`, dates as `2011-09-05`, nothing where it is disputed.
pub fn written(cell: &Cell) -> String {
    match &cell.value {
        CellValue::Text(s) => plain(s),
        CellValue::Bool(b) => if *b { "是" } else { "否" }.to_owned(),
        CellValue::Disputed(_) => String::new(),
        _ => shown(cell),
    }
}

fn text(cell: &Cell, style: TextStyle) -> Value {
    if mark(cell) {
        return Value::ok(Datum::Null);
    }
    if let Some(what) = spoilt(&cell.value, style) {
        return Value::wrong(what);
    }
    let written = match &cell.value {
        CellValue::Text(s) => s.trim().to_owned(),
        _ => written(cell),
    };
    if matches!(style, TextStyle::Code | TextStyle::Phone) && is_scientific(&written) {
        return Value::wrong("是科学计数法，数字已不完整，应先把单元格设为文本格式再填写");
    }
    let text = match style {
        TextStyle::Code => plain(&written).chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase(),
        TextStyle::Phone => {
            let text = plain(&written).split_whitespace().collect::<Vec<_>>().join(" ");
            text.strip_suffix(".0")
                .filter(|t| t.bytes().all(|b| b.is_ascii_digit()))
                .map_or(text.clone(), str::to_owned)
        }
        TextStyle::Person if written.chars().all(|c| is_han(c) || c.is_whitespace()) => squeezed(&written, ""),
        TextStyle::Person | TextStyle::Name | TextStyle::Plain => squeezed(&written, " "),
    };
    if style == TextStyle::Name && is_placeholder(&text) {
        return Value::wrong("像是填写示例，应填实际名称");
    }
    Value::ok(if text.is_empty() { Datum::Null } else { Datum::Text(text) })
}

/// What a spreadsheet program made of a text that it took for something else: the text itself is gone.
fn spoilt(value: &CellValue, style: TextStyle) -> Option<&'static str> {
    match (style, value) {
        (TextStyle::Plain, _) | (_, CellValue::Text(_)) => None,
        // Excel keeps 15 digits of a number; the rest of an 18-digit code is gone.
        (TextStyle::Code, CellValue::Number(n)) if n.abs() >= 1e15 => {
            Some("是以数字格式保存的，后几位已丢失，应先把单元格设为文本格式再填写")
        }
        // 0531-88001234 in a formula is a difference.
        (TextStyle::Code | TextStyle::Phone, CellValue::Number(n)) if *n < 0.0 || whole(*n).is_none() => {
            Some("不是完整的号码，应先把单元格设为文本格式再填写")
        }
        (_, CellValue::Date(_)) => Some("是日期，应先把单元格设为文本格式再填写"),
        (_, CellValue::Bool(_)) => Some("是逻辑值，应填写实际内容"),
        _ => None,
    }
}

/// `××公司`, `XX有限公司`, `某某协会`: a form filled in to show how.
fn is_placeholder(name: &str) -> bool {
    let name = plain(name);
    let rest = name.trim_start_matches(['×', 'X', 'x', '*', '某', '○', '□', '△']);
    let run = name.chars().count() - rest.chars().count();
    run >= 2 && rest.chars().next().is_none_or(is_han)
}

/// `1.39E+10`
fn is_scientific(text: &str) -> bool {
    let mantissa = text.to_uppercase().split_once("E+").map(|(m, _)| m.to_owned());
    mantissa.is_some_and(|m| !m.is_empty() && m.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}' | '·')
}

/// White space inside is layout next to a Chinese character if it breaks the line; else it is kept as one `gap`.
fn squeezed(text: &str, gap: &str) -> String {
    let mut out = String::new();
    let mut broken = None::<bool>;
    for c in text.chars() {
        if c.is_whitespace() {
            *broken.get_or_insert(false) |= c == '\n' || c == '\r';
            continue;
        }
        if let Some(line_break) = broken.take() {
            let beside_han = out.chars().last().is_some_and(|p| !p.is_ascii()) || !c.is_ascii();
            if !(out.is_empty() || line_break && beside_han) {
                out.push_str(gap);
            }
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Campaign;

    fn cell(value: CellValue) -> Cell {
        Cell { value, percent: false, formula: false }
    }

    fn words(s: &str) -> Cell {
        cell(CellValue::Text(s.to_owned()))
    }

    fn context() -> Context<'static> {
        Context { received: NaiveDate::from_ymd_opt(2011, 9, 20).unwrap(), ..Context::default() }
    }

    fn of(key: &str, cell: &Cell) -> Value {
        let campaign = Campaign::builtin();
        let column = campaign.forms.iter().rev().find_map(|f| f.column(key)).unwrap();
        read(Some(cell), column, &context())
    }

    #[test]
    fn counts_are_whole_and_not_negative() {
        assert_eq!(of("orgs", &words("１２个")).datum, Datum::Int(12));
        assert_eq!(of("orgs", &cell(CellValue::Number(12.0))).datum, Datum::Int(12));
        for bad in
            [words("12.5"), words("-2"), words("若干"), cell(CellValue::Number(12.5)), cell(CellValue::Bool(true))]
        {
            let value = of("orgs", &bad);
            assert_eq!((value.datum, value.fault), (Datum::Null, Some(Fault::Wrong(COUNT.into()))), "{bad:?}");
        }
    }

    #[test]
    fn a_formula_without_value_and_a_formula_error_are_no_values() {
        assert_eq!(of("orgs", &cell(CellValue::Uncached)).fault, Some(Fault::Uncached));
        assert!(matches!(of("name", &cell(CellValue::Error("#REF!".into()))).fault, Some(Fault::Wrong(_))));
    }

    #[test]
    fn rates_come_out_as_percent() {
        let percent = Cell { value: CellValue::Number(0.562), percent: true, formula: false };
        for c in [percent, words("56.2%"), words("56.2"), cell(CellValue::Number(0.562)), words("0.562")] {
            assert_eq!(of("org_coverage", &c).datum, Datum::Rate(56.2), "{c:?}");
        }
        let column = Campaign::builtin().forms[0].column("org_coverage").unwrap().clone();
        let whole = Context { percent: true, ..context() };
        assert_eq!(read(Some(&words("0.5")), &column, &whole).datum, Datum::Rate(0.5));
    }

    #[test]
    fn phones_and_codes_stay_as_written_digits() {
        assert_eq!(of("phone", &cell(CellValue::Number(13_900_001_111.0))).datum, Datum::Text("13900001111".into()));
        assert_eq!(of("phone", &words("13900001111.0")).datum, Datum::Text("13900001111".into()));
        assert_eq!(of("phone", &words("0531-8800 1234")).datum, Datum::Text("0531-8800 1234".into()));
        assert_eq!(of("code", &words(" 1234 5678-x")).datum, Datum::Text("12345678-X".into()));
        assert!(of("phone", &words("1.39E+10")).fault.is_some());
        assert!(of("code", &cell(CellValue::Number(913_701_000_000_000_000.0))).fault.is_some());
    }

    #[test]
    fn only_layout_is_taken_out_of_names() {
        assert_eq!(of("legal_rep", &words("王　 芳")).datum, Datum::Text("王芳".into()));
        assert_eq!(of("legal_rep", &words("John  Smith")).datum, Datum::Text("John Smith".into()));
        assert_eq!(of("name", &words("新区\n宏远 ABC 公司")).datum, Datum::Text("新区宏远 ABC 公司".into()));
        assert_eq!(of("remark", &words("—")).datum, Datum::Null);
    }

    #[test]
    fn yes_and_no_in_all_their_signs() {
        for yes in ["有", "是", "√", "1", "Y", "有（1个）", "√有 □无", "☑有□无"] {
            assert_eq!(of("union", &words(yes)).datum, Datum::Bool(true));
        }
        for no in ["无", "否", "×", "0", "n", "□有 √无"] {
            assert_eq!(of("union", &words(no)).datum, Datum::Bool(false));
        }
        assert_eq!(of("union", &words("—")).datum, Datum::Null);
        for unclear in ["3个", "√有 √无", "□有 □无", "有□ 无√", "有（0个）", "有（拟建）"] {
            assert!(of("union", &words(unclear)).fault.is_some(), "{unclear}");
        }
    }

    #[test]
    fn a_blank_in_a_column_that_only_ticks_is_a_no() {
        let column = Campaign::builtin().forms[1].column("union").unwrap().clone();
        assert_eq!(read(None, &column, &Context { ticks: true, ..context() }).datum, Datum::Bool(false));
        assert_eq!(read(None, &column, &context()).datum, Datum::Null);
    }

    #[test]
    fn choices_know_their_spellings_and_a_bare_yes_does_not_tell_the_kind() {
        assert_eq!(of("party_org_kind", &words("单建")).datum, Datum::Text("单独组建".into()));
        assert_eq!(of("party_org_kind", &words("无")).datum, Datum::Text("未建".into()));
        assert_eq!(of("party_org_kind", &words("□单独 √联合 □未建")).datum, Datum::Text("联合组建".into()));
        let campaign = Campaign::builtin();
        let register = campaign.form("register").unwrap();
        let kind = register.column("party_org_kind").unwrap();
        let asked = Context { when: kind.when.first(), ..context() };
        assert!(read(Some(&words("是")), kind, &asked).fault.is_some());
        assert_eq!(read(Some(&words("否")), kind, &asked).datum, Datum::Text("未建".into()));
        let status = register.column("status").unwrap();
        let asked = Context { when: status.when.first(), ..context() };
        assert_eq!(read(Some(&words("是")), status, &asked).datum, Datum::Text("销户".into()));
        assert!(of("status", &words("是")).fault.is_some());
    }

    #[test]
    fn dates_keep_what_is_known_of_them() {
        assert_eq!(of("founded", &words("2009年8月")).datum, Datum::Text("2009-08".into()));
        assert_eq!(of("founded", &cell(CellValue::Number(20_090_803.0))).datum, Datum::Text("2009-08-03".into()));
        assert_eq!(of("founded", &words("无")).datum, Datum::Null);
        assert_eq!(of("founded", &words("2009-2-30")).fault, Some(Fault::Impossible));
        assert!(matches!(of("closed_on", &words("9月5日")).fault, Some(Fault::Assumed(_))));
        let month = of("founded", &words("08年5月"));
        assert_eq!(month.datum, Datum::Text("2008-05".into()));
        assert!(matches!(month.fault, Some(Fault::Assumed(_))));
    }

    #[test]
    fn what_a_program_made_of_a_text_is_not_the_text() {
        let number = |n: f64| cell(CellValue::Number(n));
        for (key, spoilt) in [
            ("phone", number(-88_000_703.0)),
            ("phone", number(531.88)),
            ("code", number(9.137e17)),
            ("legal_rep", cell(CellValue::Bool(true))),
            ("name", cell(CellValue::Date(NaiveDate::from_ymd_opt(2011, 3, 5).unwrap().and_hms_opt(0, 0, 0).unwrap()))),
            ("name", words("#N/A")),
            ("remark", words("＃REF!")),
        ] {
            let value = of(key, &spoilt);
            assert!(value.datum.is_null() && matches!(value.fault, Some(Fault::Wrong(_))), "{key} {spoilt:?}");
        }
        assert_eq!(of("code", &number(110_108_000_000_016.0)).datum, Datum::Text("110108000000016".into()));
        assert_eq!(of("phone", &words("0531-88001234/88001235")).fault, None);
    }

    #[test]
    fn a_count_in_another_format_is_told_as_such() {
        let day = NaiveDate::from_ymd_opt(1900, 1, 12).unwrap().and_hms_opt(0, 0, 0).unwrap();
        let what = |cell: &Cell| match of("orgs", cell).fault {
            Some(Fault::Wrong(what)) => what,
            other => panic!("{other:?}"),
        };
        assert!(what(&cell(CellValue::Date(day))).contains("日期格式"));
        assert!(what(&Cell { value: CellValue::Number(12.0), percent: true, formula: false }).contains("百分数"));
        for bad in ["1.2万", "12+3", "12（含兼合式2个）", "2O", "l2", "#DIV/0!", "12.50"] {
            assert!(of("orgs", &words(bad)).datum.is_null(), "{bad}");
        }
    }

    #[test]
    fn what_is_presumed_is_read_and_told() {
        for (text, n) in [("2 0", 20), ("O", 0), ("1 234", 1234)] {
            let value = of("orgs", &words(text));
            assert_eq!(value.datum, Datum::Int(n), "{text}");
            assert!(matches!(value.fault, Some(Fault::Assumed(_))), "{text}");
        }
        for (n, text) in [(2011.9, "2011-09"), (40_791.0, "2011-09-05")] {
            let value = of("founded", &cell(CellValue::Number(n)));
            assert_eq!(value.datum, Datum::Text(text.into()));
            assert!(matches!(value.fault, Some(Fault::Assumed(_))), "{n}");
        }
        for text in ["民国100年", "2011-13-40", "5/9/2011"] {
            assert!(of("founded", &words(text)).fault.is_some(), "{text}");
        }
    }
}
