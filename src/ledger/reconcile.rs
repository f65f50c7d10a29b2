//! A list of organisations from elsewhere against the ledger: which are on both, which on one only, and which may be the
//! same. Pure.
//!
//! Two are the same if their codes are, or, where the codes cannot be compared, their normalised names. Anything less is a
//! proposal and counts as nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::form::code;
use crate::form::name::organisation_key;

/// An organisation, on either side. Texts as they were written, empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Organisation {
    pub name: String,
    pub code: String,
    pub legal_rep: String,
    pub address: String,
    /// Of the ledger: closed (销户). It can be found on the list, but is not missed there.
    pub closed: bool,
}

/// By what two were found to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    Code,
    Name,
}

/// Indexes of the list's and of the ledger's organisations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub listed: usize,
    pub kept: usize,
    pub by: By,
}

/// Two that may be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Similar {
    pub listed: usize,
    pub kept: usize,
    /// Why, in Chinese.
    pub reason: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub same: Vec<Pair>,
    /// On the list, in no book (未摸排).
    pub unsurveyed: Vec<usize>,
    /// In a book and active, not on the list (不在名单).
    pub unlisted: Vec<usize>,
    pub similar: Vec<Similar>,
    /// Of the list: what is on it before already, and where.
    pub repeats: BTreeMap<usize, usize>,
}

/// Proposals for one entry of the ledger.
const PROPOSALS: usize = 3;
/// Pairs of characters that stand in more names than this tell nothing.
const COMMON: usize = 2_000;
/// Candidates that are looked at closely.
const CLOSELY: usize = 20;

/// A code as it can be compared with others; `None` where it tells nobody apart.
fn comparable(text: &str) -> Option<String> {
    code::across_registers(text).filter(|_| code::tells(text))
}

/// Both have a code of the same kind, and they differ.
fn told_apart(a: &Option<String>, b: &Option<String>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a.len() == b.len() && a != b)
}

/// One side, made ready.
struct Side<'a> {
    all: &'a [Organisation],
    keys: Vec<String>,
    codes: Vec<Option<String>>,
}

impl<'a> Side<'a> {
    fn new(all: &'a [Organisation]) -> Self {
        let keys = all.iter().map(|o| organisation_key(&o.name)).collect();
        Self { all, keys, codes: all.iter().map(|o| comparable(&o.code)).collect() }
    }

    fn by_key(&self) -> HashMap<&str, Vec<usize>> {
        let mut map: HashMap<&str, Vec<usize>> = HashMap::new();
        self.keys
            .iter()
            .enumerate()
            .filter(|(_, k)| !k.is_empty())
            .for_each(|(i, k)| map.entry(k).or_default().push(i));
        map
    }

    fn by_code(&self) -> HashMap<&str, Vec<usize>> {
        let mut map: HashMap<&str, Vec<usize>> = HashMap::new();
        let codes = self.codes.iter().enumerate().filter_map(|(i, c)| Some((i, c.as_deref()?)));
        codes.for_each(|(i, code)| map.entry(code).or_default().push(i));
        map
    }
}

/// Compares the two. The order of either side decides nothing but the order of what comes out.
pub fn reconcile(listed: &[Organisation], kept: &[Organisation]) -> Outcome {
    let (list, books) = (Side::new(listed), Side::new(kept));
    let mut outcome = Outcome { repeats: repeats(&list), ..Outcome::default() };
    let (by_code, by_key) = (books.by_code(), books.by_key());
    let none = Vec::new();
    for i in 0..listed.len() {
        let code = list.codes[i].as_deref().and_then(|c| by_code.get(c)).unwrap_or(&none);
        let named = by_key.get(list.keys[i].as_str()).unwrap_or(&none);
        let named = named.iter().filter(|k| !told_apart(&list.codes[i], &books.codes[**k]) && !code.contains(k));
        let pairs = code.iter().map(|k| (*k, By::Code)).chain(named.map(|k| (*k, By::Name)));
        let before = outcome.same.len();
        outcome.same.extend(pairs.map(|(kept, by)| Pair { listed: i, kept, by }));
        if outcome.same.len() == before {
            outcome.unsurveyed.push(i);
        }
    }
    let found: BTreeSet<usize> = outcome.same.iter().map(|p| p.kept).collect();
    outcome.unlisted = (0..kept.len()).filter(|k| !found.contains(k) && !kept[*k].closed).collect();
    outcome.similar = similar((&list, &outcome.unsurveyed), (&books, &outcome.unlisted));
    outcome
}

fn repeats(list: &Side) -> BTreeMap<usize, usize> {
    let mut seen: HashMap<(String, &str), usize> = HashMap::new();
    let mut repeats = BTreeMap::new();
    for (i, key) in list.keys.iter().enumerate() {
        let same = match &list.codes[i] {
            Some(code) => (code.clone(), ""),
            // Codes that fail their check keep two of one name apart all the same.
            None => (code::compared(&list.all[i].code), key.as_str()),
        };
        let first = *seen.entry(same).or_insert(i);
        if first != i {
            repeats.insert(i, first);
        }
    }
    repeats
}

/// Proposals between those that are on one side only.
fn similar((list, listed): (&Side, &[usize]), (books, kept): (&Side, &[usize])) -> Vec<Similar> {
    let index = Index::new(list, listed);
    let mut all = Vec::new();
    for &k in kept {
        let mut found: Vec<(u32, usize, String)> = index
            .candidates(books, k)
            .into_iter()
            .filter_map(|i| reason((list, i), (books, k)).map(|(rank, reason)| (rank, i, reason)))
            .collect();
        found.sort();
        found.truncate(PROPOSALS);
        all.extend(found.into_iter().map(|(_, listed, reason)| Similar { listed, kept: k, reason }));
    }
    all
}

/// Those of the list that may be like something, found without comparing each with each.
struct Index<'a> {
    pairs: HashMap<(char, char), Vec<usize>>,
    codes: HashMap<String, Vec<usize>>,
    homes: HashMap<(String, String), Vec<usize>>,
    keys: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(list: &'a Side, listed: &[usize]) -> Self {
        let mut index =
            Self { pairs: HashMap::new(), codes: HashMap::new(), homes: HashMap::new(), keys: HashMap::new() };
        for &i in listed {
            let organisation = &list.all[i];
            pairs(&list.keys[i]).into_iter().for_each(|p| index.pairs.entry(p).or_default().push(i));
            index.keys.entry(&list.keys[i]).or_default().push(i);
            let code = code::compared(&organisation.code);
            if code.len() >= 6 {
                index.codes.entry(code).or_default().push(i);
            }
            if let Some(home) = home(organisation) {
                index.homes.entry(home).or_default().push(i);
            }
        }
        index
    }

    fn candidates(&self, books: &Side, k: usize) -> BTreeSet<usize> {
        let organisation = &books.all[k];
        let code = self.codes.get(&code::compared(&organisation.code));
        let home = home(organisation).and_then(|home| self.homes.get(&home));
        let same = self.keys.get(books.keys[k].as_str());
        let mut found: BTreeSet<usize> = [code, home, same].into_iter().flatten().flatten().copied().collect();
        let mut shared: HashMap<usize, u32> = HashMap::new();
        let postings = pairs(&books.keys[k]).into_iter().filter_map(|p| self.pairs.get(&p));
        for posting in postings.filter(|p| p.len() <= COMMON) {
            posting.iter().for_each(|i| *shared.entry(*i).or_default() += 1);
        }
        let mut shared: Vec<(std::cmp::Reverse<u32>, usize)> =
            shared.into_iter().map(|(i, n)| (std::cmp::Reverse(n), i)).collect();
        shared.sort_unstable();
        found.extend(shared.into_iter().take(CLOSELY).map(|(_, i)| i));
        found
    }
}

/// Neighbouring characters of a name without its legal form, each pair once.
fn pairs(key: &str) -> BTreeSet<(char, char)> {
    let chars: Vec<char> = core(key).chars().collect();
    chars.windows(2).map(|w| (w[0], w[1])).collect()
}

/// Without the legal form that half of all names end in.
fn core(key: &str) -> &str {
    const FORMS: [&str; 5] = ["股份有限公司", "有限公司", "集团公司", "公司", "合作社"];
    FORMS.iter().find_map(|form| key.strip_suffix(form)).filter(|rest| rest.chars().count() >= 2).unwrap_or(key)
}

/// Somebody at an address: two that share both have much in common.
fn home(o: &Organisation) -> Option<(String, String)> {
    let (who, place) = (organisation_key(&o.legal_rep), organisation_key(&o.address));
    (who.chars().count() >= 2 && place.chars().count() >= 5).then_some((who, place))
}

/// Why the two may be the same, the strongest first.
fn reason((list, i): (&Side, usize), (books, k): (&Side, usize)) -> Option<(u32, String)> {
    let (a, b) = (&list.all[i], &books.all[k]);
    let (x, y) = (list.keys[i].as_str(), books.keys[k].as_str());
    let code = code::compared(&a.code);
    let same_code = code.len() >= 6 && code == code::compared(&b.code);
    let person = organisation_key(&a.legal_rep);
    let same_person = person.chars().count() >= 2 && person == organisation_key(&b.legal_rep);
    let distance = distance(x, y);
    let (shorter, longer) = if x.len() <= y.len() { (core(x), y) } else { (core(y), x) };
    let (length, inside) = (shorter.chars().count(), longer.contains(shorter));
    let with_person = if same_person { "，法定代表人相同" } else { "" };
    if x == y {
        return Some((0, "名称相同，代码不同".to_owned()));
    }
    if same_code {
        return Some((1, "代码相同，但校验位不对，名称也不同".to_owned()));
    }
    if distance == Some(1) && length >= 3 {
        return Some((if same_person { 2 } else { 5 }, format!("名称只差一个字{with_person}")));
    }
    if inside && (length >= 5 || length >= 3 && same_person) {
        return Some((if same_person { 3 } else { 6 }, format!("一个名称包含另一个{with_person}")));
    }
    if distance == Some(2) && length >= 4 && same_person {
        return Some((4, "名称相近，法定代表人相同".to_owned()));
    }
    home(a).filter(|_| home(a) == home(b)).map(|_| (7, "法定代表人和地址都相同".to_owned()))
}

/// How many characters have to be changed, put in or left out; `None` beyond two.
fn distance(a: &str, b: &str) -> Option<usize> {
    const MOST: usize = 2;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > MOST {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (corner + usize::from(x != y)).min(above + 1).min(row[j] + 1);
            corner = above;
        }
    }
    row.last().copied().filter(|d| *d <= MOST)
}

/// What the list says otherwise of an organisation that is on both, in Chinese words for a column of differences.
pub fn differences(listed: &Organisation, kept: &Organisation) -> Vec<&'static str> {
    let differs = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && organisation_key(a) != organisation_key(b);
    let (a, b) = (organisation_key(&listed.address), organisation_key(&kept.address));
    // With or without the district in front.
    let elsewhere = differs(&listed.address, &kept.address) && !a.ends_with(&b) && !b.ends_with(&a);
    let codes = (comparable(&listed.code), comparable(&kept.code));
    let other_code = told_apart(&codes.0, &codes.1) || codes.0.is_some() && !kept.code.is_empty() && codes.1.is_none();
    [
        (differs(&listed.name, &kept.name), "名称"),
        (other_code, "代码"),
        (!listed.code.is_empty() && kept.code.is_empty(), "台账缺代码"),
        (differs(&listed.legal_rep, &kept.legal_rep), "法定代表人"),
        (elsewhere, "地址"),
        (kept.closed, "台账已销户"),
    ]
    .into_iter()
    .filter_map(|(is, what)| is.then_some(what))
    .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(name: &str, code: &str, legal_rep: &str, address: &str) -> Organisation {
        let text = |s: &str| s.to_owned();
        Organisation {
            name: text(name),
            code: text(code),
            legal_rep: text(legal_rep),
            address: text(address),
            closed: false,
        }
    }

    fn plain(name: &str) -> Organisation {
        one(name, "", "", "")
    }

    /// Two organisation codes and a credit code around the first, all with right check characters (GB 11714, GB 32100).
    const FIRST: &str = "58327000-0";
    const OTHER: &str = "00000002-7";

    /// A code with a check character that is right.
    fn sound(stem: &str) -> String {
        let all = "0123456789ABCDEFGHJKLMNPQRTUWXY".chars();
        all.map(|c| format!("{stem}{c}")).find(|c| code::fails(c).is_none()).expect("one is right")
    }

    #[test]
    fn a_code_tells_before_a_name_and_a_credit_code_holds_the_older_one() {
        let (first, other) = (sound(&FIRST[..8]), sound(&OTHER[..8]));
        let credit = sound(&format!("91370100{first}"));
        let listed = [one("远山科贸有限公司", &credit, "", ""), one("青禾物流有限公司", &other, "", "")];
        let kept = [one("青禾物流有限公司", &first, "", "")];
        let outcome = reconcile(&listed, &kept);
        assert_eq!(outcome.same, [Pair { listed: 0, kept: 0, by: By::Code }]);
        assert_eq!(differences(&listed[0], &kept[0]), ["名称"]);
        assert_eq!(outcome.unsurveyed, [1], "its code is another: the name alone does not make it the same");
    }

    #[test]
    fn codes_of_two_kinds_or_a_wrong_one_leave_it_to_the_name() {
        let listed = [one("远山商贸有限责任公司", "370100200012345", "陆一鸣", "")];
        for code in ["", "58327000-1", "乱写"] {
            let outcome = reconcile(&listed, &[one("远山商贸有限公司", code, "", "")]);
            assert_eq!(outcome.same, [Pair { listed: 0, kept: 0, by: By::Name }], "{code}");
        }
    }

    #[test]
    fn the_very_similar_is_proposed_and_counts_as_nothing() {
        let kept = [
            plain("远山商贸有限公司"),
            one("青禾物流有限公司", "", "方舟", "松岭路2号院1栋"),
            plain("晨光幼儿园"),
            plain("全然不同的书画社"),
        ];
        let listed = [
            plain("远川商贸有限公司"),
            one("禾丰运输有限公司", "", "方舟", "松岭路2号院1栋"),
            plain("白鹭区晨光幼儿园"),
        ];
        let outcome = reconcile(&listed, &kept);
        let told: Vec<(usize, usize, &str)> =
            outcome.similar.iter().map(|s| (s.listed, s.kept, s.reason.as_str())).collect();
        assert_eq!(told, [(0, 0, "名称只差一个字"), (1, 1, "法定代表人和地址都相同"), (2, 2, "一个名称包含另一个")]);
        assert_eq!((outcome.unsurveyed.len(), outcome.unlisted.len(), outcome.same.len()), (3, 4, 0));
    }

    #[test]
    fn what_is_closed_is_not_missed_and_what_stands_twice_is_told() {
        let closed = Organisation { closed: true, ..plain("远山商贸有限公司") };
        let gone = Organisation { closed: true, ..plain("早已注销的商行") };
        let listed = [plain("远山商贸有限公司"), plain("远山商贸有限责任公司")];
        let outcome = reconcile(&listed, &[closed.clone(), gone]);
        assert_eq!((outcome.same.len(), outcome.unlisted.len()), (2, 0));
        assert_eq!(outcome.repeats, BTreeMap::from([(1, 0)]));
        assert_eq!(differences(&listed[0], &closed), ["台账已销户"]);
    }

    #[test]
    fn an_address_with_or_without_the_district_is_the_same() {
        let kept = one("甲商行", "", "陆一鸣", "云溪路1号");
        assert!(differences(&one("甲商行", "", "陆一鸣", "白鹭区云溪路１号"), &kept).is_empty());
        assert_eq!(
            differences(&one("甲商行", "1234567", "齐云", "松岭路1号"), &kept),
            ["台账缺代码", "法定代表人", "地址"]
        );
    }

    fn organisations() -> impl Strategy<Value = Vec<Organisation>> {
        let name = proptest::sample::select(vec!["远山", "远川", "青禾", "晨光", "恒泰", "恒丰", "和瑞"]);
        let trade = proptest::sample::select(vec!["商贸有限公司", "物流有限公司", "幼儿园"]);
        let code = proptest::sample::select(vec!["", "583270000", "000000019", "370100200012345"]);
        let one = (name, trade, code).prop_map(|(n, t, c)| one(&format!("{n}{t}"), c, "", ""));
        proptest::collection::vec(one, 0..12)
    }

    proptest! {
        /// Everything is in exactly one place, whatever the order.
        #[test]
        fn nothing_is_lost_and_nothing_stands_on_both_sides(listed in organisations(), kept in organisations()) {
            let outcome = reconcile(&listed, &kept);
            let found: BTreeSet<usize> = outcome.same.iter().map(|p| p.listed).collect();
            let missing: BTreeSet<usize> = outcome.unsurveyed.iter().copied().collect();
            prop_assert_eq!(found.len() + missing.len(), listed.len());
            prop_assert!(found.is_disjoint(&missing));
            let held: BTreeSet<usize> = outcome.same.iter().map(|p| p.kept).collect();
            prop_assert_eq!(held.len() + outcome.unlisted.len(), kept.len());
            for s in &outcome.similar {
                prop_assert!(missing.contains(&s.listed) && !held.contains(&s.kept));
            }
        }
    }
}
