//! What a number format makes of a number: a date, a percentage, or a plain number. Pure.
//!
//! Source: ECMA-376 part 1, 18.8.30 (built-in ids and the format language); MS-XLS 2.4.126 uses the same ids.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

/// How a cell shows a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shown {
    #[default]
    Plain,
    Percent,
    Date,
}

/// Which day is number 0 (1): the workbook's date system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Epoch {
    #[default]
    Y1900,
    Y1904,
}

impl Shown {
    /// By format id and, where the file gives one, its code: a given code wins over the built-in meaning.
    pub(super) fn of(id: u16, code: Option<&str>) -> Self {
        match (code, id) {
            (Some(code), _) => Self::of_code(code),
            (None, 9 | 10) => Self::Percent,
            // 27–36 and 50–58 are the dates of the Chinese, Japanese and Korean editions.
            (None, 14..=22 | 27..=36 | 50..=58) => Self::Date,
            _ => Self::Plain,
        }
    }

    /// Looks at the first section only (positive numbers), without quoted text, colours and locales.
    fn of_code(code: &str) -> Self {
        if code.eq_ignore_ascii_case("general") {
            return Self::Plain;
        }
        let mut chars = code.chars();
        let mut shown = Self::Plain;
        while let Some(c) = chars.next() {
            match c {
                ';' => break,
                '"' => while chars.next().is_some_and(|c| c != '"') {},
                '\\' | '_' | '*' => drop(chars.next()),
                '[' => {
                    let inside: String = chars.by_ref().take_while(|&c| c != ']').collect();
                    // Elapsed time (`[h]:mm`) is a quantity, not a day.
                    if !inside.is_empty() && inside.chars().all(|c| matches!(c.to_ascii_lowercase(), 'h' | 'm' | 's')) {
                        return Self::Plain;
                    }
                }
                '%' => shown = Self::Percent,
                'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' => return Self::Date,
                _ => {}
            }
        }
        shown
    }
}

impl Epoch {
    /// The moment that a serial number names, to the second; `None` outside 1900–9999, for a time without a day
    /// (below 1), and for 29 February 1900, which only Excel knows.
    pub(super) fn date(self, serial: f64) -> Option<NaiveDateTime> {
        if !(1.0..2_958_466.0).contains(&serial) {
            return None;
        }
        let base = match self {
            Self::Y1904 => NaiveDate::from_ymd_opt(1904, 1, 1)?,
            Self::Y1900 if serial < 60.0 => NaiveDate::from_ymd_opt(1899, 12, 31)?,
            Self::Y1900 if serial < 61.0 => return None,
            Self::Y1900 => NaiveDate::from_ymd_opt(1899, 12, 30)?,
        };
        let seconds = (serial * 86_400.0).round() as i64;
        base.and_hms_opt(0, 0, 0)?.checked_add_signed(TimeDelta::try_seconds(seconds)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart_as_excel_shows_them() {
        for (code, shown) in [
            ("General", Shown::Plain),
            ("G/通用格式", Shown::Plain),
            ("0.00%", Shown::Percent),
            ("0\"%\"", Shown::Plain),
            ("[Red]0.0", Shown::Plain),
            ("#,##0_);[Red](#,##0)", Shown::Plain),
            ("0.00E+00", Shown::Plain),
            ("0\"day\"", Shown::Plain),
            ("yyyy\"年\"m\"月\"", Shown::Date),
            ("[$-804]yyyy年m月d日;@", Shown::Date),
            ("[DBNum1][$-804]m\"月\"d\"日\"", Shown::Date),
            ("[h]:mm", Shown::Plain),
            ("0;yyyy", Shown::Plain),
        ] {
            assert_eq!(Shown::of(176, Some(code)), shown, "{code}");
        }
        assert_eq!(Shown::of(10, None), Shown::Percent);
        assert_eq!(Shown::of(31, None), Shown::Date);
        assert_eq!(Shown::of(31, Some("0.0")), Shown::Plain);
    }

    #[test]
    fn serials_become_days_in_both_date_systems() {
        let day = |epoch: Epoch, n: f64| epoch.date(n).map(|d| d.to_string());
        assert_eq!(day(Epoch::Y1900, 40756.0).unwrap(), "2011-08-01 00:00:00");
        assert_eq!(day(Epoch::Y1904, 39294.0).unwrap(), "2011-08-01 00:00:00");
        assert_eq!(day(Epoch::Y1900, 1.0).unwrap(), "1900-01-01 00:00:00");
        assert_eq!(day(Epoch::Y1900, 59.0).unwrap(), "1900-02-28 00:00:00");
        assert_eq!(day(Epoch::Y1900, 60.5), None);
        assert_eq!(day(Epoch::Y1900, 61.0).unwrap(), "1900-03-01 00:00:00");
        assert_eq!(day(Epoch::Y1900, 40756.75).unwrap(), "2011-08-01 18:00:00");
        assert_eq!(day(Epoch::Y1900, -1e300), None);
        assert_eq!(day(Epoch::Y1900, f64::NAN), None);
    }
}
