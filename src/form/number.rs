//! Numbers as people write them in cells: full width, `12个`, `十二`, `1,200`, dashes for zero, rates. Pure.

use unicode_normalization::UnicodeNormalization;

/// NFKC without white space at either end, or anything invisible; what all readers of cell text start from.
pub fn plain(text: &str) -> String {
    text.nfkc().filter(|c| !is_invisible(*c)).collect::<String>().trim().to_owned()
}

/// Zero-width characters and marks of direction, which copying from web pages leaves behind.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

/// `/`, dashes of any length, 无, 暂无 and 没有: zero in a number, nothing in a text or date. Takes [`plain`] text.
pub fn is_mark(text: &str) -> bool {
    const MARKS: [char; 10] = ['/', '\\', '-', '—', '–', '―', '─', '−', '‐', '‑'];
    matches!(text, "无" | "暂无" | "没有") || (!text.is_empty() && text.chars().all(|c| MARKS.contains(&c)))
}

/// A number that is a whole one up to what floating point blurs.
pub fn whole(value: f64) -> Option<i64> {
    let rounded = value.round();
    ((value - rounded).abs() < 1e-9 && rounded.abs() < 1e15).then_some(rounded as i64)
}

/// A decimal number, perhaps with a unit (`12个`), thousands commas, or in Chinese numerals. Zero marks are 0.
///
/// `None` for anything that would take guessing: `约12`, `12+3`, `1 2`, `一百五`.
pub fn number(text: &str) -> Option<f64> {
    let text = plain(text);
    if is_mark(&text) {
        return Some(0.0);
    }
    let text = text.strip_prefix(['\'', '共']).unwrap_or(&text);
    let text = without_unit(text.trim_start());
    decimal(text).or_else(|| chinese(text).map(|n| n as f64))
}

/// A number that a person would still read, with what was taken for granted: `2 0`, a lone letter O.
pub fn presumed(text: &str) -> Option<(f64, &'static str)> {
    let text = plain(text);
    if matches!(text.as_str(), "O" | "o") {
        return Some((0.0, "是字母O"));
    }
    let parts: Vec<&str> = without_unit(text.strip_prefix(['\'', '共']).unwrap_or(&text)).split_whitespace().collect();
    let digits = parts.iter().all(|p| p.bytes().all(|b| b.is_ascii_digit()));
    // Every digit apart, or thousands; anything else may be two numbers.
    let spaced = parts.iter().all(|p| p.len() == 1);
    let thousands = parts.first().is_some_and(|p| p.len() <= 3) && parts.iter().skip(1).all(|p| p.len() == 3);
    let one = digits && parts.len() > 1 && (spaced || thousands) && !text.contains(['\n', '\r']);
    one.then(|| parts.concat().parse().ok()).flatten().map(|n: f64| (n, "中间有空格"))
}

fn without_unit(text: &str) -> &str {
    const UNITS: [char; 9] = ['个', '家', '人', '名', '户', '处', '所', '位', '条'];
    let bracket =
        text.strip_suffix([')', '）']).and_then(|t| t.strip_suffix(UNITS)).and_then(|t| t.strip_suffix(['(', '（']));
    bracket.or_else(|| text.strip_suffix(UNITS)).map_or(text, str::trim_end)
}

/// `12`, `-3`, `1,200`, `12.0`; no exponent, no other sign of computation.
fn decimal(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest.trim_start()),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    // 20. and .45
    let (integer, fraction) = match digits.split_once('.') {
        Some((integer, "")) => (integer, "0"),
        Some(("", fraction)) => ("0", fraction),
        parts => parts.unwrap_or((digits, "0")),
    };
    let integer = without_commas(integer)?;
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    (all_digits(&integer) && all_digits(fraction))
        .then(|| format!("{integer}.{fraction}").parse::<f64>().ok())?
        .map(|n| sign * n)
}

/// Thousands commas stand before every third digit or nowhere.
fn without_commas(integer: &str) -> Option<String> {
    let mut groups = integer.split(',');
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let fits = rest.is_empty() || (first.len() <= 3 && rest.iter().all(|g| g.len() == 3));
    fits.then(|| std::iter::once(first).chain(rest).collect())
}

/// A rate as written: the number, and whether a percent sign stood behind it.
pub fn rate(text: &str) -> Option<(f64, bool)> {
    let text = plain(text);
    match text.strip_suffix('%') {
        Some(rest) => decimal(rest.trim_end()).map(|n| (n, true)),
        None => number(&text).map(|n| (n, false)),
    }
}

/// Chinese numerals below a hundred million: `十二`, `一百零五`, `二〇一一`. Only the way they are properly written.
pub fn chinese(text: &str) -> Option<i64> {
    let digits: Vec<Numeral> = text.chars().map(numeral).collect::<Option<_>>()?;
    let only_digits: Option<Vec<i64>> =
        digits.iter().map(|n| if let Numeral::Digit(d) = n { Some(*d) } else { None }).collect();
    match only_digits {
        Some(row) if row.len() == 1 => Some(row[0]),
        // 二〇一一; but 一二 might be a slip for 十二, so that a row of digits needs a zero or the length of a year.
        Some(row) if row.len() >= 4 || row.iter().skip(1).any(|d| *d == 0) && row.len() < 12 => {
            (row.len() < 12).then(|| row.iter().fold(0, |n, d| n * 10 + d))
        }
        Some(_) => None,
        None => {
            let value = spoken(&digits)?;
            let canonical = canonical(value);
            let written: String = digits.iter().map(|n| n.glyph()).collect();
            (written == canonical || written == canonical.replacen("一十", "十", 1)).then_some(value)
        }
    }
}

#[derive(Clone, Copy)]
enum Numeral {
    Digit(i64),
    Unit(i64),
}

const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];

impl Numeral {
    fn glyph(self) -> char {
        match self {
            Self::Digit(d) => DIGITS[d as usize],
            Self::Unit(10) => '十',
            Self::Unit(100) => '百',
            Self::Unit(1000) => '千',
            Self::Unit(_) => '万',
        }
    }
}

fn numeral(c: char) -> Option<Numeral> {
    const FORMAL: [char; 10] = ['〇', '壹', '贰', '叁', '肆', '伍', '陆', '柒', '捌', '玖'];
    let digit = DIGITS.iter().position(|d| *d == c).or_else(|| FORMAL.iter().position(|d| *d == c));
    match c {
        '○' => Some(Numeral::Digit(0)),
        '两' => Some(Numeral::Digit(2)),
        '十' | '拾' => Some(Numeral::Unit(10)),
        '百' | '佰' => Some(Numeral::Unit(100)),
        '千' | '仟' => Some(Numeral::Unit(1000)),
        '万' => Some(Numeral::Unit(10_000)),
        _ => digit.map(|d| Numeral::Digit(d as i64)),
    }
}

/// The value of numerals with units, without asking whether they are in order: [`canonical`] decides that.
fn spoken(numerals: &[Numeral]) -> Option<i64> {
    let (mut total, mut section, mut digit) = (0i64, 0i64, None);
    for n in numerals.iter().take(20) {
        match *n {
            Numeral::Digit(d) => digit = Some(d),
            Numeral::Unit(10_000) => {
                total = (total + section + digit.take().unwrap_or(0)).checked_mul(10_000)?;
                section = 0;
            }
            Numeral::Unit(u) => section += digit.take().unwrap_or(1) * u,
        }
    }
    let value = total + section + digit.unwrap_or(0);
    (0..100_000_000).contains(&value).then_some(value)
}

/// How a value below a hundred million is written.
fn canonical(value: i64) -> String {
    let section = |n: i64, leading_zero: bool| {
        let mut text = String::new();
        let mut gap = leading_zero;
        for (unit, glyph) in [(1000, "千"), (100, "百"), (10, "十"), (1, "")] {
            let digit = n / unit % 10;
            if digit == 0 {
                gap |= !text.is_empty();
            } else {
                if gap {
                    text.push('零');
                }
                text.push(DIGITS[digit as usize]);
                text.push_str(glyph);
                gap = false;
            }
        }
        text
    };
    let (high, low) = (value / 10_000, value % 10_000);
    match (high, low) {
        (0, 0) => "零".to_owned(),
        (0, _) => section(low, false),
        (_, 0) => section(high, false) + "万",
        _ => section(high, false) + "万" + &section(low, low < 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_spelling_of_twelve_is_twelve() {
        for text in [
            "12",
            " 12 ",
            "１２",
            "12个",
            "12 家",
            "12人",
            "12名",
            "十二",
            "一十二",
            "12.0",
            "12.00",
            "+12",
            "\u{a0}12\u{3000}",
            "'12",
            "12（家）",
            "12 (个)",
            "共12家",
            "12.",
        ] {
            assert_eq!(number(text), Some(12.0), "{text}");
        }
    }

    #[test]
    fn marks_are_zero() {
        for text in ["/", "—", "——", "-", "－", "无", "零", "〇", "0", "０.0", "暂无", "没有"] {
            assert_eq!(number(text), Some(0.0), "{text}");
        }
    }

    #[test]
    fn what_would_take_guessing_is_refused() {
        for text in [
            "约12",
            "12左右",
            "10+2",
            "1 2",
            "12/3",
            "1e3",
            "一百五",
            "一二",
            "十十",
            "12（含流动3）",
            "2O",
            "共",
            "（家）",
            "1,20",
            "12,",
            "",
            ".",
            "-",
            "人",
        ]
        .iter()
        .filter(|t| **t != "-")
        {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_person_would_still_read_is_presumed() {
        for (text, n) in [("2 0", 20.0), ("１　２ 个", 12.0), ("1 234", 1234.0), ("O", 0.0), ("ｏ", 0.0)] {
            assert_eq!((number(text), presumed(text).map(|p| p.0)), (None, Some(n)), "{text}");
        }
        for text in ["12 3", "12 34", "2O", "1 2 约", "1 -2", "1 2.5", "", "甲 乙", "12", "1234 567"] {
            assert_eq!(presumed(text), None, "{text}");
        }
    }

    #[test]
    fn thousands_and_signs_are_read() {
        assert_eq!(number("1,234,567"), Some(1_234_567.0));
        assert_eq!(number("-2"), Some(-2.0));
        assert_eq!(number("12.5"), Some(12.5));
        assert_eq!(chinese("一百零五"), Some(105));
        assert_eq!(chinese("二〇一一"), Some(2011));
        assert_eq!(chinese("一万零三百"), Some(10_300));
    }

    #[test]
    fn rates_keep_their_percent_sign() {
        assert_eq!(rate("56%"), Some((56.0, true)));
        assert_eq!(rate("56.00 ％"), Some((56.0, true)));
        assert_eq!(rate("0.56"), Some((0.56, false)));
        assert_eq!(rate(".45"), Some((0.45, false)));
        assert_eq!(rate("—"), Some((0.0, false)));
        assert_eq!(rate("五成"), None);
    }

    proptest! {
        #[test]
        fn numerals_read_back_as_written(n in 0i64..100_000_000) {
            prop_assert_eq!(chinese(&canonical(n)), Some(n));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,20}") {
            let _ = (number(&text), rate(&text));
        }
    }
}
