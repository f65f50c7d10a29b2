//! What a unit answers when it is asked whether returns in its name are its own: 确认, 不是, or nothing clear. Pure.
//!
//! Only what can hardly be meant otherwise counts. A yes needs the word 确认, or 是我们… in so many words; any question,
//! any delay (查一下, 稍后), any contradiction makes the whole answer unclear, and then nothing follows from it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

/// An answer about a list of `count` mails, numbered from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Disjoint, and not both empty. What is in neither was not mentioned.
    Clear {
        ours: BTreeSet<usize>,
        not_ours: BTreeSet<usize>,
    },
    Unclear,
}

/// Which of the list a clause is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Which {
    All,
    Numbers(BTreeSet<usize>),
    /// 其他, 其余
    Rest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Ours,
    NotOurs,
    /// 请勿确认, 没有确认过: nobody who says so confirms anything; but whose it is, it does not say.
    Forbids,
    /// It speaks of confirming, but does not do it.
    Unclear,
    /// A greeting, a name, whatever.
    Nothing,
}

/// Reads the writer's own words (see [`crate::message::reply::own_words`]).
pub fn read(words: &str, count: usize) -> Answer {
    let text = plain(words);
    if puts_off(&text) || text.chars().count() > LENGTH {
        return Answer::Unclear;
    }
    let mut claims: Vec<(bool, Which)> = Vec::new();
    let mut forbidden = false;
    for clause in clauses(&text) {
        let Some((which, body)) = about(&clause) else { return Answer::Unclear };
        match says(body) {
            Says::Nothing => {}
            Says::Forbids => forbidden = true,
            Says::Unclear => return Answer::Unclear,
            said => claims.push((said == Says::Ours, which)),
        }
    }
    if (forbidden || takes_back(&text)) && claims.iter().any(|(ours, _)| *ours) {
        return Answer::Unclear;
    }
    weigh(&claims, count).unwrap_or(Answer::Unclear)
}

/// Somebody who answers the question writes a line or two.
const LENGTH: usize = 600;

/// `None` where the clauses contradict each other, or name what is not on the list.
fn weigh(claims: &[(bool, Which)], count: usize) -> Option<Answer> {
    let all: BTreeSet<usize> = (1..=count).collect();
    let numbers = |which: &Which| match which {
        Which::Numbers(numbers) => numbers.clone(),
        Which::All | Which::Rest => BTreeSet::new(),
    };
    let named: BTreeSet<usize> = claims.iter().flat_map(|(_, which)| numbers(which)).collect();
    let (mut ours, mut not_ours) = (BTreeSet::new(), BTreeSet::new());
    for (yes, which) in claims {
        let meant = match which {
            // `1、3是我们的，确认`: the last word says no more than the first.
            Which::All if claims.iter().any(|(other, w)| other == yes && matches!(w, Which::Numbers(_))) => continue,
            Which::All => all.clone(),
            Which::Numbers(numbers) => numbers.clone(),
            Which::Rest if named.is_empty() => return None,
            Which::Rest => all.difference(&named).copied().collect(),
        };
        let said = if *yes { &mut ours } else { &mut not_ours };
        said.extend(meant);
    }
    let something = !ours.is_empty() || !not_ours.is_empty();
    let fits = something && ours.is_disjoint(&not_ours) && named.is_subset(&all);
    fits.then_some(Answer::Clear { ours, not_ours })
}

/// `1`, `第1封`; but not `1封`, which may say how many.
const NUMBER: &str = r"(?:第\d{1,2}[件封项个份条号]?|\d{1,2}号?)";
const NUMBERS: &str =
    r"(?:第\d{1,2}[件封项个份条号]?|\d{1,2}号?)(?:[、和及与到至~-](?:第\d{1,2}[件封项个份条号]?|\d{1,2}号?))*";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// One spelling: full and half width and both scripts alike, spaces and quotation marks around the first line gone, lists
/// of numbers joined by `、`.
fn plain(words: &str) -> String {
    static ORDINAL: LazyLock<Regex> = LazyLock::new(|| pattern("第([一二三四五六七八九])([件封项个份条])"));
    static ITEM: LazyLock<Regex> = LazyLock::new(|| pattern(r" +(\d{1,2}[.、)][^\d ])"));
    static BETWEEN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\d[件封项个份条号]?)(?: *[,.、和及与] *| +)(第?\d)"));
    static HEAD: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?m)(^|[。;!,])(第?\d{1,2}[件封项个份条号]?)[.:、)]+([^\d第\n])"));
    // Who quotes further down may be quoting us.
    static QUOTED: LazyLock<Regex> =
        LazyLock::new(|| pattern("^\\s*[“”\"'‘’「『]([^“”\"'‘’「」『』\n]+)[“”\"'‘’」』]([。.!]*\\s*(?:\n|$))"));
    let one = |c: char| if c.is_whitespace() && c != '\n' { ' ' } else { simplified(c) };
    let text: String = words.nfkc().map(one).collect();
    let text = QUOTED.replace(&text, "$1$2");
    let digit = |found: &regex::Captures| {
        let at = "一二三四五六七八九".chars().position(|c| found[1].starts_with(c)).map_or(0, |at| at + 1);
        format!("第{at}{}", &found[2])
    };
    let text = ORDINAL.replace_all(&text, digit);
    let mut text = ITEM.replace_all(&text, "\n$1").into_owned();
    // Twice, because neighbours share a number.
    for _ in 0..2 {
        text = BETWEEN.replace_all(&text, "$1、$2").into_owned();
    }
    text.retain(|c| c != ' ');
    HEAD.replace_all(&text, "$1$2$3").into_owned()
}

/// The traditional characters of an answer.
fn simplified(c: char) -> char {
    const TRADITIONAL: &str =
        "確認們單報沒發過這屬無誤對請問題經實處鎮鄉區辦郵還後嗎應該個來給會復覆暫時幾為與關係確說現錯轉據審權誰";
    const SIMPLIFIED: &str =
        "确认们单报没发过这属无误对请问题经实处镇乡区办邮还后吗应该个来给会复复暂时几为与关系确说现错转据审权谁";
    TRADITIONAL.chars().position(|t| t == c).and_then(|at| SIMPLIFIED.chars().nth(at)).unwrap_or(c)
}

/// Clauses at every stop; numbers that a comma parted from their word are joined to it again.
fn clauses(text: &str) -> Vec<String> {
    static ONLY_NUMBERS: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("^{NUMBERS}$")));
    static ENDS_IN_NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("{NUMBER}$")));
    let mut list: Vec<String> = Vec::new();
    let mut before = String::new();
    for clause in text.split(['\n', '。', ';', '!', ',', '.', '…', ':']).filter(|c| !c.is_empty()) {
        if !ONLY_NUMBERS.is_match(clause) {
            list.push(std::mem::take(&mut before) + clause);
            continue;
        }
        let stands_alone = |last: &&mut String| ENDS_IN_NUMBER.is_match(last) || says(last) != Says::Nothing;
        match list.last_mut().filter(stands_alone) {
            Some(last) if ENDS_IN_NUMBER.is_match(last) => *last += &format!("、{clause}"),
            Some(last) => *last += clause,
            None => before = clause.to_owned(),
        }
    }
    list
}

/// What a clause is about, and what it says of that: numbers may stand before or behind the word.
fn about(clause: &str) -> Option<(Which, &str)> {
    static REST: LazyLock<Regex> =
        LazyLock::new(|| pattern("^(?:其[他它余]|别|剩下|另外)的?(?:[几两一]?[件封项个份条])?(.*)$"));
    static BEFORE: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("^({NUMBERS})(.*)$")));
    static BEHIND: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("^(.*?)({NUMBERS})$")));
    let part = |found: &regex::Captures, at: usize| found.get(at).map(|m| &clause[m.range()]).unwrap_or_default();
    if let Some(found) = REST.captures(clause) {
        return Some((Which::Rest, part(&found, 1)));
    }
    let before = BEFORE.captures(clause).map(|f| (part(&f, 1), part(&f, 2)));
    let behind = BEHIND.captures(clause).map(|f| (part(&f, 2), part(&f, 1)));
    // Numbers of telephones and houses stand in clauses that say nothing.
    match before.or(behind).filter(|(_, body)| says(body) != Says::Nothing) {
        Some((numbers, body)) => Some((Which::Numbers(listed(numbers)?), body)),
        None => Some((Which::All, clause)),
    }
}

/// `1、3`, `第1封和第3封`, `1-3`; `None` for a range that is none.
fn listed(text: &str) -> Option<BTreeSet<usize>> {
    let number = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>().parse::<usize>().ok();
    let mut numbers = BTreeSet::new();
    for part in text.split(['、', '和', '及', '与']) {
        let ends: Option<Vec<usize>> = part.split(['到', '至', '~', '-']).map(number).collect();
        match ends?[..] {
            [one] => numbers.extend([one]),
            [first, last] if first < last => numbers.extend(first..=last),
            _ => return None,
        }
    }
    Some(numbers)
}

/// A question, or a promise to answer.
fn puts_off(text: &str) -> bool {
    static DELAY: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"[?吗]|是不是|是否|有没有|(查|问|核实|了解|核对|看|确认|落实|联系)一?下|稍后|稍候|稍等|再(回|答|确|说|报)|正在|",
            r"待(核|查|我|确)|尚(未|待)|还(没|未|不|要|需)|回头|暂(时|不|未)|不(清楚|知道|了解|确定|太)|拿不准|",
            r"(可能|好像|大概|应该|估计|也许|似乎|恐怕|或许|未必|不一定)(不?是|没|有|为)",
        ))
    });
    DELAY.is_match(text)
}

/// Theirs once, or by mistake: whether it is to be taken is another question.
fn takes_back(text: &str) -> bool {
    static AGAINST: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"作废|撤[回销]|[发报送传]错|错[发报送]|误[发报送]|离职|调走|调离|退休|辞[职退]|不要(入账|采用|受理|用|收|算)|",
            r"不(再|予)(采用|使用|受理|入账)|以前的|原来的?(同事|人员|工作人员)|(新|另)的?(为准|一份)|重新?(报|发|填)",
        ))
    });
    AGAINST.is_match(text)
}

fn says(clause: &str) -> Says {
    static CONDITION: LazyLock<Regex> = LazyLock::new(|| pattern("如果|若|倘|万一|假如|如非|如您|如有|如不"));
    static BLURRED: LazyLock<Regex> = LazyLock::new(|| {
        pattern("没有?(报|发|送)(错|漏|完|全)|不是不|不是我(本人|自己|报|发|送|填|弄|做)|确认第?[0-9].*[不没非未]")
    });
    static DENIAL: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            "^否$|不是$|不是(我|本|咱|他|她|由|其|以上|全部|的)|不属|非(我|本)(们|单位|街道|镇|乡|局|办|处|区|委)|",
            "没有?(报|送|寄|发([^现生]|$))|未(曾|经)?(报|送|寄|发([^现生]|$))|",
            "(不|无法|不能|不予|难以|没法)(能)?确认|确认不了|否认|与(我|本).{0,6}无关|冒(名|充|用)|假冒",
        ))
    });
    static FORBIDDEN: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            "(请勿|切勿|勿|不要|不用|别|莫)(再|给予|予以|予)?(确认|入账|采用|登记|采信)|(没有?|从未|未曾?)确认过?(此|这|该|任何)?(邮件|来件|报表)?$",
        )
    });
    static CONFIRMED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            "^(您好|你好|好的?|嗯|对的?|是的)*(这|该|此|以上|上述|全部|全都|都|均|的)*(邮件|来件|报表|情况|来信)?(全部|都|均)?",
            "(我们?|我?单位|我街道|我镇|我乡|我局|我办|我处|本单位|本街道|本镇|本乡|本局|本办|本处|本人)?",
            "(经?(核实|核对|核查|查实)后?|现|特此|已经?|予以|可以)*确认(了|过|无误|属实|没错|没有?问题|完毕|以上|上述|全部|都|的)*",
            "((是|为|系|属于?|由).{0,4}(我|本|咱|单位|自己).{0,30})?(请.{0,12})?$",
        ))
    });
    static OURS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            "^(您好|你好|嗯|对的?)*(这|该|此|以上|上述|全部|全都)*(几|些)?(邮件|来件|报表|来信|件|封|份)?(全部|都|均|确实|的确|就)*",
            "是(我们|我?单位|我街道|我镇|我乡|我局|我办|我处|咱们|本单位|本街道|本镇|本乡|本局|本办|本处).{0,24}$",
        ))
    });
    let speaks_of_it = clause.contains("确认");
    let unclear = if speaks_of_it { Says::Unclear } else { Says::Nothing };
    if CONDITION.is_match(clause) {
        unclear
    } else if BLURRED.is_match(clause) {
        Says::Unclear
    } else if DENIAL.is_match(clause) {
        Says::NotOurs
    } else if FORBIDDEN.is_match(clause) {
        Says::Forbids
    } else if CONFIRMED.is_match(clause) || OURS.is_match(clause) {
        Says::Ours
    } else {
        unclear
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::reply::own_words;

    /// `+1,3 -2`, or `?`.
    fn told(words: &str, count: usize) -> String {
        let list = |set: &BTreeSet<usize>| set.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        match read(words, count) {
            Answer::Clear { ours, not_ours } => {
                let part = |sign: &str, set: &BTreeSet<usize>| match set.is_empty() {
                    true => String::new(),
                    false => format!("{sign}{} ", list(set)),
                };
                (part("+", &ours) + &part("-", &not_ours)).trim_end().to_owned()
            }
            Answer::Unclear => "?".to_owned(),
        }
    }

    #[test]
    fn whoever_confirms_is_understood() {
        for words in [
            "确认",
            "确认。",
            "确认！",
            "　确 认　",
            "确认．",
            "已确认",
            "我单位确认",
            "现确认。",
            "经核实，确认",
            "经核实确认无误",
            "确认无误，请入账",
            "确认属实。谢谢！",
            "确认是我们报的",
            "确认是我们单位报的。",
            "确认是本单位小宋用私人邮箱报送的",
            "确认为我街道报送",
            "是我们单位的，确认",
            "是我们单位报的",
            "这是我们单位的。",
            "确实是我单位报送的",
            "都是我们单位的",
            "以上全部确认",
            "全部确认",
            "以上报表均确认。",
            "您好，确认。\n\n棠梨街道党政办 宋晓禾\n0531-88880000 转 12",
            "领导好：\n    确认。他的单位邮箱满了，以后用这个。",
            "收到，确认。\n发自我的手机",
            "没有问题，确认",
            "确认\n\n\n------------------\n办公室",
            "“确认”。",
            "\"确认\"",
            "「確認」！\n宋晓禾",
            "確認。",
            "經核實，是我們單位報的",
            "> 【请核实】\n> 请回复“不是”\n\n确认",
        ] {
            assert_eq!(told(&own_words(words, &[]), 2), "+1,2", "{words}");
        }
    }

    #[test]
    fn whoever_denies_is_understood() {
        for words in [
            "不是",
            "不是。",
            "不是我们的",
            "不是我单位报送的，请核查。",
            "都不是",
            "不确认",
            "无法确认",
            "不能确认。",
            "确认不是我们报的",
            "我单位没有报过",
            "我们没有报。",
            "没报过",
            "本单位未报送过此表",
            "没有发过这封邮件",
            "非我单位报送",
            "不属于我单位",
            "经核实，与我单位无关。",
            "这是冒名的，我们没有发过",
            "否",
            "否。\n棠梨街道党政办",
            "“不是”",
            "不是我們單位報的",
            "此邮件非我单位所发，请勿确认！",
            "我们没有确认过，也没发过。",
            "不是我们的，请不要入账。",
        ] {
            assert_eq!(told(words, 2), "-1,2", "{words}");
        }
    }

    #[test]
    fn an_answer_may_be_about_some_of_the_list() {
        for (words, meant) in [
            ("确认 1、3", "+1,3"),
            ("确认1,3", "+1,3"),
            ("确认 1 3", "+1,3"),
            ("确认：1、3", "+1,3"),
            ("确认１，３。谢谢", "+1,3"),
            ("确认1和3", "+1,3"),
            ("确认1-3", "+1,2,3"),
            ("第1封确认", "+1"),
            ("确认第一封、第三封", "+1,3"),
            ("1、3确认", "+1,3"),
            ("1是我们的，2不是", "+1 -2"),
            ("1、确认\n2、不是\n3、确认", "+1,3 -2"),
            ("1.确认 2.不是我们的", "+1 -2"),
            ("确认1，其他不是", "+1 -2,3"),
            ("第2封不是我们的，其余确认", "+1,3 -2"),
            ("1、3是我们单位的，确认", "+1,3"),
            ("2不是", "-2"),
        ] {
            assert_eq!(told(words, 3), meant, "{words}");
        }
    }

    #[test]
    fn what_could_be_meant_otherwise_is_not_understood() {
        for words in [
            "",
            "收到",
            "收到，谢谢",
            "好的",
            "是",
            "是的，我查一下再回复",
            "请确认",
            "请区里确认。",
            "待确认",
            "需要确认",
            "怎么确认",
            "确认什么",
            "确认？",
            "确认吗",
            "确认收到",
            "确认一下再回复",
            "我们先确认一下",
            "确认后回复您",
            "稍后确认",
            "还不能确认",
            "正在核实，确认后回复",
            "尚未确认",
            "是不是我们的不清楚",
            "应该是我们的",
            "可能不是我们的",
            "是我们单位的吗",
            "不是我们的，确认",
            "确认，不是我们的",
            "没有报错",
            "不是我报的，是同事报的",
            "如果是我们的就确认",
            "本邮件仅供指定收件人阅读。如果您不是本邮件的收件人，请删除",
            "我们没有发现问题",
            "确认 9",
            "确认 0",
            "确认2封",
            "确认1不是1",
            "其他确认",
            "经办人确认不在",
            "请勿确认",
            "请勿确认！谢谢",
            "请不要确认，等我电话",
            "确认，请勿入账",
            "确认1，请勿确认2",
            "我们没有确认",
            "没有确认过。",
            "未确认",
            "是否",
            "確認嗎",
            "還沒確認",
            "尚未確認",
            "稍後確認",
            "請確認",
            "请回复“确认”",
            "请直接回复\n“确认”\n如不是，请回复\n“不是”",
            "“确认”或者“不是”",
            "您说的“确认”怎么回",
            "可否",
            "能否确认",
            "确认需要几天",
            "OK",
            "是我们发错了，请作废",
            "确认，但这份报错了，我们重新报",
            "是我们单位以前的同事",
            "是我们单位的人，已经调走了",
            "确认是我们的，请不要入账",
        ] {
            assert_eq!(told(words, 2), "?", "{words}");
        }
    }

    proptest! {
        /// Numbers come from the list, none is both, and what is quoted says nothing.
        #[test]
        fn an_answer_keeps_within_the_list(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just("确认"), Just("不是"), Just("我们的"), Just("是我们"), Just("1"), Just("2"), Just("12"), Just("、"),
                    Just("，"), Just("。"), Just("\n"), Just(" "), Just("-"), Just("第"), Just("封"), Just("其他"), Just("没报"),
                ],
                0..12,
            ),
            count in 1usize..4,
        ) {
            let words = pieces.concat();
            if let Answer::Clear { ours, not_ours } = read(&words, count) {
                prop_assert!(ours.is_disjoint(&not_ours) && !(ours.is_empty() && not_ours.is_empty()));
                prop_assert!(ours.iter().chain(&not_ours).all(|n| (1..=count).contains(n)));
            }
            let quoted = format!("{words}\n-----原始邮件-----\n确认 1，2不是");
            prop_assert_eq!(read(&own_words(&quoted, &[]), count), read(&own_words(&words, &[]), count));
        }
    }
}
