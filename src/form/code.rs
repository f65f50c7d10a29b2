//! Codes of organisations and their check characters. Pure.
//!
//! GB 32100-2015 unified social credit code (18), GB 11714-1997 organisation code (9), and the 15-digit registration
//! number of GS 15-2006, whose last digit follows ISO 7064 MOD 11,10.

/// A code as it is compared: without hyphens and spaces, upper case.
pub fn compared(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_uppercase()
}

/// What kind of code fails its check character; `None` if it is right, or of a kind that has none.
pub fn fails(code: &str) -> Option<&'static str> {
    let other = code.chars().any(|c| !(c.is_ascii_alphanumeric() || c == '-' || c.is_whitespace()));
    let code = compared(code);
    match code.len() {
        _ if other => None,
        18 => (!credit_code(&code)).then_some("统一社会信用代码"),
        9 => (!organisation_code(&code)).then_some("组织机构代码"),
        15 if code.bytes().all(|b| b.is_ascii_digit()) => (!registration_number(&code)).then_some("注册号"),
        _ => None,
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
