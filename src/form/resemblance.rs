//! Whether two names may be an older and a newer name of one organisation, or one of them a slip of the pen. Pure.
//!
//! A name has a place (北原市), a name of its own (远山), a trade (科技) and a legal form (有限公司). Names resemble each
//! other where only place or form differ, where words were added, where one character was changed or where the same words
//! stand in another order. They never do where the difference is what tells sisters apart: 第一 and 第二, 东 and 西, A and
//! B, the head office and its branch. This is no proof: whoever asks looks at the legal representative too.

use super::name::organisation_key;

/// What one name has where the other has something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub before: String,
    pub now: String,
}

/// Two names that resemble each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resemblance {
    /// How far apart, for choosing the nearest of several; 0: they differ in place or legal form alone.
    pub distance: usize,
    /// In the order of the names, as they are compared; none where only the order of the words differs.
    pub differences: Vec<Difference>,
}

/// A legal form says nothing about which organisation it is.
const FORMS: [&str; 11] =
    ["个体工商户", "特殊普通合伙", "普通合伙", "有限合伙", "总公司", "股份", "有限", "责任", "集团", "公司", "企业"];
/// Where a place ends, and what is left out of it: 北原市远山 is 北原远山.
const PLACES: [&str; 9] = ["自治区", "自治州", "街道", "省", "市", "区", "县", "镇", "乡"];
/// A part of an organisation is another organisation.
const BRANCHES: [&str; 9] = ["分公司", "分店", "分厂", "分校", "分院", "分会", "办事处", "门市部", "营业部"];
/// What counts or places sisters.
const MARKS: &str =
    "一二三四五六七八九十百千零〇壹贰叁两甲乙丙丁戊己庚辛壬癸第号期东西南北中上下左右前后内外新老大小总分";

/// Characters of a name that are looked at; a longer one is no name.
const LONGEST: usize = 60;
/// Characters that can be added to a name.
const ADDED: usize = 6;
/// Without its legal form a name has to have so many, for one of them to be the only one that is not the same.
const LONG_ENOUGH: usize = 4;

/// How two names resemble each other; `None` where they do not, or are the same.
pub fn resemblance(before: &str, now: &str) -> Option<Resemblance> {
    let (a, b) = (organisation_key(before), organisation_key(now));
    let branch = |word: &&&str| a.contains(**word) != b.contains(**word);
    if a == b || BRANCHES.iter().any(|word| branch(&word)) {
        return None;
    }
    let cores = (core(&a), core(&b));
    if cores.0.len().max(cores.1.len()) > LONGEST || cores.0.len().min(cores.1.len()) < 2 {
        return None;
    }
    let parts = parts(&cores.0, &cores.1);
    if parts.iter().any(|part| part.is_marks()) {
        return None;
    }
    let parts: Vec<&Part> = parts.iter().filter(|part| !part.is_place()).collect();
    let distance = match parts.as_slice() {
        [] => Some(0),
        _ if is_reordered(&cores.0, &cores.1) => Some(1),
        [one] if one.is_one_character() && cores.0.len().min(cores.1.len()) >= LONG_ENOUGH => Some(1),
        _ => added(&parts, cores.0.len().min(cores.1.len())),
    }?;
    let differences = if distance == 1 && parts.len() > 1 { Vec::new() } else { differences(&a, &b) };
    Some(Resemblance { distance, differences })
}

/// Without legal form.
fn core(name: &str) -> Vec<char> {
    FORMS.iter().fold(name.to_owned(), |name, form| name.replace(form, "")).chars().collect()
}

fn is_reordered(a: &[char], b: &[char]) -> bool {
    let sorted = |name: &[char]| {
        let mut name = name.to_vec();
        name.sort_unstable();
        name
    };
    a.len() > LONG_ENOUGH && sorted(a) == sorted(b)
}

/// Words were only added, or only dropped: no more than are left.
fn added(parts: &[&Part], shorter: usize) -> Option<usize> {
    let grown: usize = parts.iter().map(|p| p.now.len()).sum();
    let shrunk: usize = parts.iter().map(|p| p.before.len()).sum();
    let more = grown.max(shrunk);
    (grown.min(shrunk) == 0 && more <= ADDED.min(shorter)).then_some(more + 1)
}

/// Where two names part: characters of the one in place of characters of the other.
#[derive(Clone, Debug, Default)]
struct Part {
    /// At the very front of both.
    first: bool,
    before: Vec<char>,
    now: Vec<char>,
}

impl Part {
    fn is_marks(&self) -> bool {
        self.before.iter().chain(&self.now).all(|c| c.is_ascii_alphanumeric() || MARKS.contains(*c))
    }

    fn is_one_character(&self) -> bool {
        self.before.len() <= 1 && self.now.len() <= 1
    }

    /// A place that one name has in front, or 市 that one leaves out.
    fn is_place(&self) -> bool {
        let place = |text: &[char], end: bool| {
            let text: String = text.iter().collect();
            PLACES.iter().any(|p| if end { text.ends_with(p) } else { text == *p })
        };
        match (self.before.as_slice(), self.now.as_slice()) {
            (text, []) | ([], text) => place(text, self.first),
            (a, b) => !self.first && place(a, false) && place(b, false),
        }
    }
}

/// The differences of two texts along a longest common subsequence; of several such, the same one both ways.
fn parts(a: &[char], b: &[char]) -> Vec<Part> {
    if a <= b {
        return along(a, b);
    }
    let turned = |part: Part| Part { first: part.first, before: part.now, now: part.before };
    along(b, a).into_iter().map(turned).collect()
}

fn along(a: &[char], b: &[char]) -> Vec<Part> {
    let mut common = vec![vec![0u8; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] = if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut parts: Vec<Part> = Vec::new();
    let mut open = false;
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            (i, j, open) = (i + 1, j + 1, false);
            continue;
        }
        if !open {
            parts.push(Part { first: i == 0 && j == 0, ..Part::default() });
            open = true;
        }
        let Some(part) = parts.last_mut() else { break };
        if j == b.len() || i < a.len() && common[i + 1][j] >= common[i][j + 1] {
            part.before.push(a[i]);
            i += 1;
        } else {
            part.now.push(b[j]);
            j += 1;
        }
    }
    parts
}

fn differences(a: &str, b: &str) -> Vec<Difference> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let text = |part: Vec<char>| part.into_iter().collect();
    let difference = |part: Part| Difference { before: text(part.before), now: text(part.now) };
    parts(&a, &b).into_iter().map(difference).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alike(a: &str, b: &str) -> bool {
        resemblance(a, b).is_some()
    }

    #[test]
    fn place_form_added_words_one_character_and_order() {
        for (a, b) in [
            ("北原市远山科技有限公司", "远山科技有限公司"),
            ("北原市远山科技有限公司", "北原远山科技有限公司"),
            ("远山商贸公司", "远山商贸有限公司"),
            ("远山机械有限公司", "远山机械股份有限公司"),
            ("远山机械有限公司", "远山机械集团有限公司"),
            ("远山纺织（集团）总公司", "远山纺织有限责任公司"),
            ("北原市远山机械有限公司", "北原市远山机戒有限公司"),
            ("北原远山科技有限公司", "远山（北原）科技有限公司"),
            ("远山科技有限公司", "远山信息科技有限公司"),
            ("远山有限公司", "远山科技有限公司"),
            ("松岭区书法协会", "松岭区书法家协会"),
            ("远山（北原）科技有限公司", "远山科技有限公司"),
        ] {
            assert!(alike(a, b), "{a} → {b}");
        }
    }

    #[test]
    fn sisters_and_strangers_are_told_apart() {
        for (a, b) in [
            ("北原第一纺织有限公司", "北原第二纺织有限公司"),
            ("北原纺织一厂", "北原纺织二厂"),
            ("北原纺织厂", "北原纺织二厂"),
            ("北原第一幼儿园", "北原第十一幼儿园"),
            ("远山东区幼儿园", "远山西区幼儿园"),
            ("远山超市A店", "远山超市B店"),
            ("远山超市1号店", "远山超市12号店"),
            ("远山甲班培训学校", "远山乙班培训学校"),
            ("远山商贸有限公司", "远山商贸有限公司松岭分公司"),
            ("远山商贸有限公司", "远山商贸有限公司驻松岭办事处"),
            ("远山饭店", "新远山饭店"),
            ("远山科技发展有限公司", "长青科技发展有限公司"),
            ("松岭区羽毛球协会", "松岭区乒乓球协会"),
            ("远山商行", "远海商店"),
            ("远山店", "远海店"),
            ("远山科技有限公司", "远山科技有限责任公司"),
            ("远山科技有限公司", "有限公司"),
            ("", "远山科技有限公司"),
        ] {
            assert!(!alike(a, b), "{a} → {b}");
        }
    }

    #[test]
    fn it_says_what_differs() {
        let told = |a: &str, b: &str| {
            let found = resemblance(a, b).unwrap();
            let parts: Vec<String> = found.differences.iter().map(|d| format!("{}→{}", d.before, d.now)).collect();
            (found.distance, parts.join(" "))
        };
        assert_eq!(told("远山机械有限公司", "远山机戒有限公司"), (1, "械→戒".to_owned()));
        assert_eq!(told("远山科技有限公司", "远山信息科技有限公司"), (3, "→信息".to_owned()));
        assert_eq!(told("北原市远山商贸公司", "远山商贸有限公司"), (0, "北原市→ →有限".to_owned()));
        assert_eq!(told("北原远山科技有限公司", "远山北原科技有限公司"), (1, String::new()));
    }

    proptest! {
        #[test]
        fn it_is_the_same_both_ways(a in "[远山北原市一二东科技A公司有限厂分店]{0,12}", b in "[远山北原市一二东科技A公司有限厂分店]{0,12}") {
            prop_assert_eq!(alike(&a, &a), false);
            let (there, back) = (resemblance(&a, &b), resemblance(&b, &a));
            prop_assert_eq!(there.map(|r| r.distance), back.map(|r| r.distance), "{} {}", a, b);
        }

        #[test]
        fn any_text_can_be_asked(a in "\\PC{0,80}", b in "\\PC{0,80}") {
            let _ = resemblance(&a, &b);
        }
    }
}
