//! Codes of organisations and their check characters. Pure.
//!
//! GB 32100-2015 unified social credit code (18), GB 11714-1997 organisation code (9), and the 15-digit registration
//! number of GS 15-2006, whose last digit follows ISO 7064 MOD 11,10.

use unicode_normalization::UnicodeNormalization;

/// A code as it is compared: full width is half width, without hyphens, brackets and spaces, upper case. Empty where there
/// is neither letter nor digit of Latin script: 办理中 is no code.
pub fn compared(code: &str) -> String {
    let code: String = code.nfkc().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    if code.bytes().any(|b| b.is_ascii_alphanumeric()) { code } else { String::new() }
}

/// The part of a code that stays with its organisation for life: of a right credit code the positions 9 to 17, which are
/// its organisation code (GB 32100, 4.4), so that whoever changes from one to the other is known again. Of any other code
/// all of it, as it is compared. Empty where somebody filled the cell with one and the same character.
pub fn subject(code: &str) -> String {
    let code = compared(code);
    match Kind::of(&code) {
        _ if code.chars().all(|c| code.starts_with(c)) => String::new(),
        Kind::Credit if credit_code(&code) => code[8..17].to_owned(),
        _ => code,
    }
}

/// The same where registers of several units are compared: each of them begins its running numbers anew, so the short ones
/// tell nobody apart. `None` where there is nothing to compare.
pub fn across_registers(code: &str) -> Option<String> {
    const RUNNING: usize = 5;
    Some(subject(code)).filter(|subject| subject.chars().count() > RUNNING)
}

/// How the codes of two organisations stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Same,
    /// Two codes of one numbering, both right: two organisations.
    Different,
    /// One has none, or has mistyped it, or they are of numberings that do not know each other (a registration number and
    /// a credit code).
    Open,
}

pub fn relation(one: &str, other: &str) -> Relation {
    let (a, b) = (subject(one), subject(other));
    let kinds = (Kind::of(&compared(one)).numbering(), Kind::of(&compared(other)).numbering());
    match a == b {
        _ if a.is_empty() || b.is_empty() => Relation::Open,
        true => Relation::Same,
        // Of a numbering without check characters another length is a slip.
        false if kinds.0 == kinds.1 && tells(one) && tells(other) && (kinds.0 != Kind::Other || a.len() == b.len()) => {
            Relation::Different
        }
        false => Relation::Open,
    }
}

/// Whether a code is one, and not a slip of the pen as far as its check character shows.
pub fn tells(code: &str) -> bool {
    !subject(code).is_empty() && fails(code).is_none()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Credit,
    Organisation,
    Registration,
    Other,
}

impl Kind {
    /// `code` as it is compared.
    fn of(code: &str) -> Self {
        match code.len() {
            _ if !code.is_ascii() => Self::Other,
            18 => Self::Credit,
            9 => Self::Organisation,
            15 if code.bytes().all(|b| b.is_ascii_digit()) => Self::Registration,
            _ => Self::Other,
        }
    }

    /// Credit codes contain organisation codes.
    fn numbering(self) -> Self {
        if self == Self::Credit { Self::Organisation } else { self }
    }
}

/// What kind of code fails its check character; `None` if it is right, or of a kind that has none.
///
/// Only the last character of a credit code is checked. It covers all others, any one mistake among them shows; that the
/// organisation code inside has its own check character adds nothing, and some were issued where that one is wrong.
pub fn fails(code: &str) -> Option<&'static str> {
    let code = compared(code);
    match Kind::of(&code) {
        Kind::Credit => (!credit_code(&code)).then_some("统一社会信用代码"),
        Kind::Organisation => (!organisation_code(&code)).then_some("组织机构代码"),
        Kind::Registration => (!registration_number(&code)).then_some("注册号"),
        Kind::Other => None,
    }
}

/// GB 32100, 4.6: weights 3^i mod 31 over 31 characters (no I, O, S, V, Z).
fn credit_code(code: &str) -> bool {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let values: Option<Vec<usize>> = code.chars().map(|c| ALPHABET.find(c)).collect();
    values.is_some_and(|values| {
        let mut weight = 1;
        let mut sum = 0;
        for value in &values[..17] {
            sum += value * weight;
            weight = weight * 3 % 31;
        }
        (31 - sum % 31) % 31 == values[17]
    })
}

/// GB 11714, 5: weights over eight characters, modulo 11, X for 10.
fn organisation_code(code: &str) -> bool {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let value = |c: char| c.to_digit(36);
    let mut chars = code.chars();
    let sum: Option<u32> = WEIGHTS.iter().map(|w| chars.next().and_then(value).map(|v| v * w)).sum();
    let check = match (chars.next(), sum) {
        (Some(check), Some(sum)) => (check, (11 - sum % 11) % 11),
        _ => return false,
    };
    match check {
        ('X', wanted) => wanted == 10,
        (digit, wanted) => digit.to_digit(10) == Some(wanted),
    }
}

/// GS 15, appendix A: ISO 7064 MOD 11,10.
fn registration_number(code: &str) -> bool {
    let mut product = 10;
    let mut digits = code.chars().filter_map(|c| c.to_digit(10)).peekable();
    while let Some(digit) = digits.next() {
        if digits.peek().is_none() {
            return (product + digit) % 10 == 1;
        }
        let sum = match (product + digit) % 10 {
            0 => 10,
            other => other,
        };
        product = sum * 2 % 11;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Codes whose check characters a script of thirty lines has worked out from the texts of the standards, without a look
    /// at this file: the bodies are random (seeded), filtered for check values that are rare. GB 32100: `31 - sum % 31` is
    /// 31 for the fourth pair of lines (written 0) and 30 (written Y).
    const CREDIT: [&str; 12] = [
        "91370870202279900W",
        "92370428892936161B",
        "11370500367946185F",
        "9237038185537856XK",
        "9237073863QE40QL43",
        "923707885369400844",
        "933700250A6AX52460",
        "92370885L8RGJJNC60",
        "11370582HK33LBCE0Y",
        "923708799949070621",
        "52370701519256838B",
        "93370832085184063F",
    ];
    /// GB 11714: `11 - sum % 11` is 10 where X stands, 11 where 0 stands. The body may have any letter.
    const ORGANISATION: [&str; 12] = [
        "74R20AJY-3",
        "B3LZYLTC-7",
        "OHN30KPK-9",
        "7IYLVDCG-X",
        "51224173-X",
        "YMDTN91J-X",
        "4DXF7D5K-X",
        "DM26MU7B-0",
        "26838119-0",
        "RCB5IQM7-1",
        "GA2G490R-9",
        "N509J59O-5",
    ];
    /// GS 15: ISO 7064 MOD 11,10 as its recursion has it.
    const REGISTRATION: [&str; 12] = [
        "113387615901110",
        "829291494184288",
        "628860971867897",
        "902526839079704",
        "858586814891627",
        "836938122331849",
        "139122327494321",
        "505968547913060",
        "282543338318348",
        "311414187593319",
        "164835241522478",
        "320815745122857",
    ];

    #[test]
    fn codes_that_the_standards_give_pass() {
        for code in CREDIT.iter().chain(&ORGANISATION).chain(&REGISTRATION) {
            assert_eq!(fails(code), None, "{code}");
        }
    }

    /// Every character in turn put to the next one of its alphabet, and every two different neighbours exchanged.
    #[test]
    fn one_slip_anywhere_is_told() {
        const CAPITALS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
        for (codes, alphabet, standard) in [
            (CREDIT, CAPITALS, "统一社会信用代码"),
            (ORGANISATION, "0123456789", "组织机构代码"),
            (REGISTRATION, "0123456789", "注册号"),
        ] {
            for code in codes {
                let right: Vec<char> = compared(code).chars().collect();
                for at in 0..right.len() {
                    let Some(place) = alphabet.find(right[at]) else { continue };
                    let mut wrong = right.clone();
                    wrong[at] = alphabet.chars().nth((place + 1) % alphabet.len()).unwrap();
                    let wrong: String = wrong.iter().collect();
                    assert_eq!(fails(&wrong), Some(standard), "{wrong} instead of {code}");
                }
            }
        }
        for code in CREDIT {
            for at in 0..17 {
                let mut wrong: Vec<char> = code.chars().collect();
                wrong.swap(at, at + 1);
                let wrong: String = wrong.iter().collect();
                assert!(wrong == code || fails(&wrong).is_some(), "{wrong} instead of {code}");
            }
        }
    }

    #[test]
    fn however_a_clerk_writes_a_code_it_is_the_same() {
        let ways = ["51224173-X", "51224173x", "５１２２４１７３－Ｘ", "51224173—X", " 5122 4173-x ", "(51224173-X)"];
        for way in ways {
            assert_eq!((compared(way).as_str(), fails(way)), ("51224173X", None), "{way}");
        }
        assert_eq!(fails("５１２２４１７３－１"), Some("组织机构代码"));
        assert_eq!(fails("9237038185537856xk"), None);
        for letter in ["I", "O", "S", "V", "Z"] {
            let code = format!("9137087020227990{letter}W");
            assert_eq!(fails(&code), Some("统一社会信用代码"), "{letter} is in no credit code");
        }
    }

    #[test]
    fn a_word_is_no_code_and_one_with_words_keeps_them() {
        assert!(["办理中", "—", "", "（无）"].iter().all(|c| compared(c).is_empty() && !tells(c)));
        assert_ne!(compared("鲁社证字第123号"), compared("鲁民证字第123号"));
        assert_eq!(relation("办理中", "办理中"), Relation::Open);
        assert_eq!((relation("000000000", "000000000"), fails("000000000")), (Relation::Open, None));
    }

    #[test]
    fn between_registers_the_same_part_is_compared_but_no_running_number() {
        assert_eq!(across_registers("9237038185537856XK").as_deref(), Some("85537856X"));
        assert_eq!(across_registers("８５５３ 7856-x").as_deref(), Some("85537856X"));
        assert_eq!(across_registers("9237038185537856XL").as_deref(), Some("9237038185537856XL"), "a slip of the pen");
        assert_eq!(across_registers("鲁社证字第 123456 号").as_deref(), Some("鲁社证字第123456号"));
        for none in ["", "001", "12345", "000000000", "办理中", "办理中代码未下发"] {
            assert_eq!(across_registers(none), None, "{none}");
        }
        assert_eq!(relation("001", "001"), Relation::Same, "in one unit's own books it is a number like others");
    }

    #[test]
    fn the_organisation_code_inside_a_credit_code_is_not_checked_again() {
        // The outer check character is right, the one of positions 9 to 17 is not; again worked out by the script.
        assert_eq!(fails("9337093603CYJNLA19"), None);
        assert_eq!(fails("03CYJNLA1"), Some("组织机构代码"));
    }

    #[test]
    fn an_organisation_that_changes_to_its_credit_code_is_known_again() {
        use Relation::{Different, Open, Same};
        let credit = "9237038185537856XK";
        for (other, expected) in [
            ("85537856-X", Same),
            ("8553 7856x", Same),
            (credit, Same),
            ("51224173-X", Different),
            ("91370870202279900W", Different),
            ("51224173-1", Open),
            ("9237038185537856XL", Open),
            ("113387615901110", Open),
            ("3701001234567", Open),
            ("", Open),
        ] {
            assert_eq!(relation(credit, other), expected, "{other}");
            assert_eq!(relation(other, credit), expected, "{other}");
        }
        assert_eq!(relation("113387615901110", "829291494184288"), Different);
        assert_eq!(relation("鲁社证字第123号", "鲁社证字第124号"), Different);
        assert_eq!(relation("鲁社证字第123号", "鲁社证字第12号"), Open);
        assert_eq!(relation("51224173-1", "51224173-1"), Same);
    }

    #[test]
    fn published_examples_pass() {
        // The examples that the standards themselves work through.
        assert_eq!(fails("91350100M000100Y43"), None);
        assert_eq!(fails("D2143569-X"), None);
        assert_eq!(fails("110108000000016"), None);
    }

    #[test]
    fn one_wrong_character_is_told() {
        assert_eq!(fails("91350100M000100Y44"), Some("统一社会信用代码"));
        assert_eq!(fails("D2143569-1"), Some("组织机构代码"));
        assert_eq!(fails("110108000000017"), Some("注册号"));
        assert_eq!(fails("91350100M000100YI3"), Some("统一社会信用代码"));
    }

    #[test]
    fn codes_of_other_kinds_are_left_alone() {
        for code in ["鲁社证字第123号", "3701001234567", "12345", ""] {
            assert_eq!(fails(code), None);
        }
    }

    proptest! {
        #[test]
        fn exactly_one_check_digit_fits_a_registration_number(body in "[0-9]{14}") {
            let fitting = (0..10).filter(|d| fails(&format!("{body}{d}")).is_none()).count();
            prop_assert_eq!(fitting, 1);
        }

        #[test]
        fn any_text_can_be_asked(text in "\\PC{0,20}") {
            let _ = fails(&text);
        }
    }
}
