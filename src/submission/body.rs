//! What the mail itself says, where sheet, file name and subject are silent: for whom, and for which month. Pure.
//!
//! Running text names units and months for many reasons, so only what can hardly be meant otherwise counts.

use std::sync::LazyLock;

use chrono::DateTime;
use chrono_tz::Tz;
use regex::Regex;

use crate::config::{Registry, Unit};
use crate::form::month::{PeriodHint, find_month};
use crate::message::Message;
use crate::message::reply::own_words;
use crate::period::Period;
use crate::submission::units::{find_units, on_behalf_of};

/// What the sender wrote, and whoever wrote the mails that he passes on; not what they answer.
pub fn words(message: &Message) -> String {
    let texts = std::iter::once(&message.text).chain(message.forwarded.iter().map(|f| &f.text));
    texts.map(|text| own_words(text, &[])).collect::<Vec<_>>().join("\n")
}

/// The units that a mail may be for: none, one, or several where only a person can tell. Somebody who is registered for
/// one unit speaks for that one, unless he says that he writes for another, or that he sends another one's return, which
/// may be a slip; of several units the only one that is named; so, too, of all where nobody knows the sender.
pub fn units<'a>(words: &str, registry: &'a Registry, sender: &[&'a Unit]) -> Vec<&'a Unit> {
    let only = |units: Vec<&'a Unit>| if units.len() == 1 { units } else { Vec::new() };
    let named = find_units(words, registry);
    match sender {
        [] => only(named),
        [own] => match only(on_behalf_of(words, registry)).first() {
            Some(other) => vec![*other],
            None if named.iter().any(|unit| unit.name == own.name) => vec![*own],
            None => std::iter::once(*own).chain(sent_for(words, registry)).collect(),
        },
        several => only(named.into_iter().filter(|unit| several.iter().any(|s| s.name == unit.name)).collect()),
    }
}

/// The one unit whose return the writer says to be sending: 现报送松岭镇报表.
fn sent_for<'a>(words: &str, registry: &'a Registry) -> Option<&'a Unit> {
    const SENDS: [&str; 8] = ["现报", "报送", "报上", "附上", "附件", "送上", "现将", "发上"];
    // Another unit's part in it: 请转松岭镇, 与松岭镇核对, 参照松岭镇报送.
    const PART: [&str; 12] = ["转", "与", "跟", "同", "和", "由", "向", "参照", "参考", "学习", "经验", "要求"];
    let sends = |clause: &&str| {
        let says = |list: &[&str]| list.iter().any(|word| clause.contains(word));
        says(&SENDS) && says(&RETURN) && !says(&PART) && !says(&ELSE)
    };
    let units: Vec<&Unit> = clauses(words).filter(sends).flat_map(|clause| find_units(clause, registry)).collect();
    let first = units.first()?;
    units.iter().all(|unit| unit.name == first.name).then_some(*first)
}

const RETURN: [&str; 8] = ["报表", "统计表", "台账", "月报", "报上", "报送", "补报", "更正"];
/// The month of something else: 7月份以来新建…, 8月报表已报, 比7月增加, 上次报的7月报表, 参照7月报表格式, 7月报表通知.
const ELSE: [&str; 33] = [
    "以来", "以后", "之后", "之前", "已报", "已经", "已于", "上次", "上期", "上月", "比", "较", "请于", "请在", "请各",
    "一样", "一致", "相同", "同样", "参照", "参考", "按照", "根据", "格式", "模板", "样表", "通知", "要求", "收到",
    "回执", "变化", "变动", "沿用",
];

fn clauses(words: &str) -> impl Iterator<Item = &str> {
    words.split(['，', '。', '；', '！', '？', ',', ';', '!', '?', '\n', '、'])
}

/// The month that the clauses which speak of this return name, if they name one.
pub fn period(words: &str, received: DateTime<Tz>) -> Option<PeriodHint> {
    const LONGEST: usize = 40;
    let speaking = clauses(words).filter(|clause| {
        let says = |list: &[&str]| list.iter().any(|word| clause.contains(word));
        says(&RETURN) && !says(&ELSE) && clause.chars().count() <= LONGEST
    });
    let hints: Vec<PeriodHint> = speaking.filter_map(|clause| month(clause, received)).collect();
    let first = hints.first()?;
    hints.iter().all(|hint| hint.period == first.period).then(|| first.clone())
}

/// A month other than `open` that clauses about returns speak of, though it may be that of another return; as written.
pub fn other_month(words: &str, received: DateTime<Tz>, open: Period) -> Option<String> {
    let about = clauses(words).filter(|clause| RETURN.iter().any(|word| clause.contains(word)));
    about.filter_map(|clause| month(clause, received)).find(|hint| hint.period != open).map(|hint| hint.said)
}

/// 五月花社区 is no month.
fn month(clause: &str, received: DateTime<Tz>) -> Option<PeriodHint> {
    static PLACE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"[一二三四五六七八九十]月[\x{4E00}-\x{9FFF}--[份报统台的非社表底末活情度上下中及和与至到]]")
            .expect("a valid pattern")
    });
    find_month(clause, received).filter(|_| !PLACE.is_match(clause))
}

/// For the receipt, where the mail speaks of a month, but not surely of this return's.
pub fn doubt(said: &str, open: Period) -> String {
    format!(
        "表中没有写月份；邮件正文提到“{said}”，不能确定就是这份表的月份，按本期应报的{}登记，如不符请更正后重新发送。",
        open.chinese()
    )
}

/// For the receipt.
pub fn explanation(hint: &PeriodHint) -> String {
    let (said, period) = (&hint.said, hint.period.chinese());
    let due = hint.period.next().month();
    match hint.reinterpreted {
        true => {
            format!(
                "表中没有写月份；邮件正文写的是“{said}”，按应于{due}月报送的{period}报表处理，如不符请更正后重新发送。"
            )
        }
        false => format!("表中没有写月份，按邮件正文里的“{said}”登记为{period}，如不符请更正后重新发送。"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn month(words: &str) -> Option<String> {
        let received = fixture::at("2011-09-20T04:00:00Z").with_timezone(&chrono_tz::Asia::Shanghai);
        period(&own_words(words, &[]), received).map(|hint| hint.period.to_string())
    }

    #[test]
    fn the_month_of_the_return_is_told_from_other_months() {
        for (words, expected) in [
            ("老师您好：\n  现报上我镇7月份统计表，请查收。", Some("2011-07")),
            ("补报七月份报表。", Some("2011-07")),
            ("附上9月份报表", Some("2011-08")),
            ("7月份报表已报，现报上8月份台账。", Some("2011-08")),
            ("7月份统计表、8月份统计表一并报上", None),
            ("自7月份以来新建党组织2个，报表见附件", None),
            ("按9月5日会议要求报送报表", None),
            ("请查收我镇7月份报表", Some("2011-07")),
            ("请查收附件", None),
            ("请于10月20日前反馈报表", None),
            ("7月份报表通知收到，现报送本月报表", None),
            ("7月份报表回执已看，报表见附件", None),
            ("参照7月份报表格式填写", None),
            ("报表与7月份一致", None),
            ("现报送五月花社区报表", None),
            ("报送地址：八一路7月1日街3号", None),
            ("现报送七月报表", Some("2011-07")),
            ("请查收\n\n在 2011-08-20 09:10:00，\"王丽\" <a@b.test> 写道：\n现报送7月份报表", None),
            ("请查收\n\n发件人：王丽\n主题：报送7月份报表\n现报送6月份报表", None),
        ] {
            assert_eq!(month(words).as_deref(), expected, "{words}");
        }
    }

    #[test]
    fn another_month_that_the_mail_speaks_of_is_not_passed_over() {
        let received = fixture::at("2011-09-20T04:00:00Z").with_timezone(&chrono_tz::Asia::Shanghai);
        let open = Period::open_at(received);
        for (words, said) in [
            ("7月份统计表、8月份统计表一并报上", Some("7月份")),
            ("上次报的7月份报表有误", Some("7月份")),
            ("报送2010年7月份报表", Some("2010年7月份")),
            ("7月份以来新建党组织2个", None),
            ("现报8月份报表", None),
        ] {
            assert_eq!(other_month(words, received, open).as_deref(), said, "{words}");
        }
    }

    #[test]
    fn who_speaks_for_one_unit_may_write_for_another() {
        let registry = fixture::config().registry;
        let (a, b) = (&registry.units[0], &registry.units[1]);
        let told = |words: &str, sender: &[&Unit]| {
            let units = units(words, &registry, sender);
            units.iter().map(|u| u.name.clone()).collect::<Vec<_>>().join("、")
        };
        let says = |text: &str| text.replace("{}", &b.name);
        assert_eq!(told(&says("{}经验很好，现报我单位报表"), &[a]), a.name);
        assert_eq!(told(&says("现代{}报送报表"), &[a]), b.name);
        assert_eq!(told(&says("{}报表见附件"), &[a, b]), b.name);
        assert_eq!(told(&says("{}报表见附件"), &[]), b.name);
        assert_eq!(told(&format!("{}、{}报表见附件", a.name, b.name), &[a, b]), "");
        assert_eq!(told(&says("帮助{}建了3个支部，现报我单位报表"), &[a]), a.name);
        assert_eq!(told(&says("新时代{}的做法很好"), &[a]), a.name);
        assert_eq!(told(&says("报表已与{}核对，现报上"), &[a]), a.name);
        assert_eq!(told(&says("现报送{}8月份报表"), &[a]), format!("{}、{}", a.name, b.name), "a slip, or a favour?");
        assert_eq!(told(&format!("现报送{}报表。{}", b.name, a.name), &[a]), a.name, "he says who he is");
        assert_eq!(told("报表见附件", &[]), "");
    }
}
