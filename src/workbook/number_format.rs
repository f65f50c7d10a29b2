//! How a stored number is shown: plainly, as a percentage or as a day; and which day a serial number is. Pure.
//!
//! Sources: ECMA-376 part 1, 18.8.30 (built-in formats, East Asian ones included) and 18.8.31 (format codes);
//! 18.17.4 (serial numbers in the 1900 and 1904 date systems).

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::CellValue;
use super::draft::Stored;

/// What a number format makes of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shown {
    /// Elapsed time (`[h]:mm`) included: it is no day.
    #[default]
    Plain,
    Percent,
    Day,
}

impl Shown {
    /// By the first section of a format code (positive numbers), where quoted text, escapes and brackets say nothing.
    pub(super) fn of_code(code: &str) -> Self {
        // General by its names in English, Chinese and German.
        let code = code.trim().to_ascii_lowercase();
        let code = ["general", "g/通用格式", "standard"].iter().fold(code, |code, name| code.replace(name, ""));
        let mut shown = Self::Plain;
        let mut chars = code.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '%' => return Self::Percent,
                ';' => break,
                '"' => while chars.next().is_some_and(|c| c != '"') {},
                '[' => {
                    let inside: String = chars.by_ref().take_while(|&c| c != ']').collect();
                    if ["h", "m", "s"].iter().any(|unit| !inside.is_empty() && inside.replace(unit, "").is_empty()) {
                        return Self::Plain;
                    }
                }
                '\\' | '_' | '*' => drop(chars.next()),
                // An exponent, not the year of an era.
                'e' if chars.next_if(|c| matches!(c, '+' | '-')).is_some() => {}
                'y' | 'm' | 'd' | 'h' | 's' | 'e' => shown = Self::Day,
                _ => {}
            }
        }
        shown
    }

    /// By the number of a built-in format.
    pub(super) fn of_built_in(id: u16) -> Self {
        match id {
            9 | 10 => Self::Percent,
            14..=22 | 27..=36 | 45 | 47 | 50..=58 => Self::Day,
            _ => Self::Plain,
        }
    }
}

/// The formats of a workbook's cells by index, and the system its days are counted in.
#[derive(Clone, Debug, Default)]
pub(super) struct Formats {
    pub(super) shown: Vec<Shown>,
    pub(super) is_1904: bool,
}

impl Formats {
    /// A stored number as it is shown in a cell with the format of this index.
    pub(super) fn number(&self, number: f64, index: usize) -> Stored {
        if !number.is_finite() {
            return CellValue::Text(number.to_string()).into();
        }
        let shown = self.shown.get(index).copied().unwrap_or_default();
        let day = if shown == Shown::Day { day(number, self.is_1904) } else { None };
        Stored { percent: shown == Shown::Percent, ..day.map_or(CellValue::Number(number), CellValue::Date).into() }
    }
}

/// The moment of a serial number, to the second: between 1900 and 9999, and `None` for a time without a day.
pub(super) fn day(serial: f64, is_1904: bool) -> Option<NaiveDateTime> {
    // Serial 60 of the 1900 system is a day that never was, 29 February 1900: those before it are counted from a day later.
    let (year, month, day) = match is_1904 {
        true => (1904, 1, 1),
        false if serial < 60.0 => (1899, 12, 31),
        false => (1899, 12, 30),
    };
    if !(1.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let epoch = NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(0, 0, 0)?;
    epoch.checked_add_signed(TimeDelta::seconds((serial * 86_400.0).round() as i64))
}

/// `2011-08-01`, `2011-08-01T18:00:00`, with fractions and `Z` or without (ISO 8601 as workbooks have it).
pub(super) fn iso_day(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim().trim_end_matches('Z');
    let minutes = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok();
    text.parse().ok().or_else(minutes).or_else(|| text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_formats_are_told_from_formats_that_only_mention_the_sign() {
        for code in ["0%", "0.00%", "[Red]0.0%", "0.0_ %;-0%", "0\"约\"%"] {
            assert_eq!(Shown::of_code(code), Shown::Percent, "{code}");
        }
        for code in ["General", "0\"%\"", "0\\%", "[%]0", "0;0%", "G/通用格式", "0_%", "\"%"] {
            assert_eq!(Shown::of_code(code), Shown::Plain, "{code}");
        }
    }

    #[test]
    fn days_are_told_from_numbers_and_elapsed_time() {
        for code in [
            "yyyy\"年\"m\"月\"",
            "[$-804]yyyy\"年\"m\"月\"d\"日\";@",
            "[DBNum1][$-804]yyyy\"年\"m\"月\"",
            "yyyy/m/d h:mm",
            "e\"年\"m\"月\"",
            "m月d日",
            "YYYY-MM-DD",
            "[$-F800]dddd, mmmm dd, yyyy",
        ] {
            assert_eq!(Shown::of_code(code), Shown::Day, "{code}");
        }
        for code in [
            "0.00E+00",
            "##0.0e-0",
            "[h]:mm",
            "[mm]:ss",
            "#,##0\"元\"",
            "0_d",
            "\\d0",
            "[Red]0",
            "@",
            "",
            "标准0",
            "Standard",
        ] {
            assert_eq!(Shown::of_code(code), Shown::Plain, "{code}");
        }
    }

    #[test]
    fn serials_become_days_in_both_date_systems() {
        let of = |serial, is_1904| day(serial, is_1904).map(|day| day.to_string());
        let shown = |text: &str| Some(text.to_owned());
        assert_eq!(of(40756.0, false), shown("2011-08-01 00:00:00"));
        assert_eq!(of(39294.0, true), shown("2011-08-01 00:00:00"));
        assert_eq!(of(1.0, false), shown("1900-01-01 00:00:00"));
        assert_eq!(of(59.0, false), shown("1900-02-28 00:00:00"));
        assert_eq!(of(61.0, false), shown("1900-03-01 00:00:00"));
        assert_eq!(of(40756.75, false), shown("2011-08-01 18:00:00"));
        for no_day in [0.5, -1e300, 1e300, f64::NAN] {
            assert_eq!(of(no_day, false), None);
        }
    }
}
