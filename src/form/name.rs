//! Names of organisations, as they are compared. Pure.

use unicode_normalization::UnicodeNormalization;

/// The name by which an organisation is known within a unit and stream: full and half width, spaces, brackets and
/// 有限责任公司 / 有限公司 make no difference.
pub fn organisation_key(name: &str) -> String {
    let name: String = name
        .nfkc()
        .filter(|c| !c.is_whitespace() && !"()[]【】〔〕《》“”\"".contains(*c))
        .flat_map(char::to_uppercase)
        .collect();
    name.replace("有限责任公司", "有限公司")
}

/// A person's name as it is compared; empty where none is written, or a word instead of one.
pub fn person_key(name: &str) -> String {
    let name: String = name.nfkc().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    let is_name = name.chars().count() >= 2 && !["暂无", "待定", "不详", "空缺", "同上"].contains(&name.as_str());
    if is_name { name } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_one() {
        let names = [
            "远山（北原）科技有限责任公司",
            "远山(北原)科技有限公司",
            "远山 （北原） 科技有限公司",
            "远山［北原］科技有限公司",
        ];
        for name in names {
            assert_eq!(organisation_key(name), "远山北原科技有限公司", "{name}");
        }
        assert_ne!(organisation_key("远山科技有限公司"), organisation_key("远山科贸有限公司"));
        assert_eq!(organisation_key("ＡＢＣ商行"), organisation_key("abc商行"));
    }

    #[test]
    fn a_person_is_a_name_and_not_what_stands_in_its_place() {
        assert_eq!(person_key("甲　某"), person_key("甲某"));
        assert!(["", "—", "/", "待定", "甲"].iter().all(|t| person_key(t).is_empty()));
    }
}
