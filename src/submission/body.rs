//! What the mail itself says, where sheet, file name and subject are silent: for whom, and for which month. Pure.
//!
//! Running text names units and months for many reasons, so only what can hardly be meant otherwise counts.

use chrono::DateTime;
use chrono_tz::Tz;

use crate::config::{Registry, Unit};
use crate::form::month::{PeriodHint, find_month};
use crate::message::Message;
use crate::message::reply::own_words;
use crate::submission::units::{find_units, on_behalf_of};

/// What the sender wrote, and whoever wrote the mails that he passes on; not what they answer.
pub fn words(message: &Message) -> String {
    let texts = std::iter::once(&message.text).chain(message.forwarded.iter().map(|f| &f.text));
    texts.map(|text| own_words(text, &[])).collect::<Vec<_>>().join("\n")
}

/// The unit that a mail speaks for. Somebody who is registered for one unit speaks for that one, unless he says that he
/// writes for another; of several units the only one that is named; so, too, of all where nobody knows the sender.
pub fn unit<'a>(words: &str, registry: &'a Registry, sender: &[&'a Unit]) -> Option<&'a Unit> {
    let only = |units: Vec<&'a Unit>| match units.as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    let named = find_units(words, registry);
    match sender {
        [] => only(named),
        [own] => only(on_behalf_of(words, registry)).or(Some(*own)),
        several => only(named.into_iter().filter(|unit| several.iter().any(|s| s.name == unit.name)).collect()),
    }
}

/// The month that the clauses which speak of this return name, if they name one.
pub fn period(words: &str, received: DateTime<Tz>) -> Option<PeriodHint> {
    const RETURN: [&str; 8] = ["报表", "统计表", "台账", "月报", "报上", "报送", "补报", "更正"];
    // The month of something else: 7月份以来新建…, 8月报表已报, 比7月增加, 上次报的7月报表.
    const ELSE: [&str; 15] = [
        "以来", "以后", "之后", "之前", "已报", "已经", "已于", "上次", "上期", "上月", "比", "较", "请于", "请在",
        "请各",
    ];
    const LONGEST: usize = 40;
    let clauses = words.split(['，', '。', '；', '！', '？', ',', ';', '!', '?', '\n', '、']);
    let speaking = clauses.filter(|clause| {
        let says = |list: &[&str]| list.iter().any(|word| clause.contains(word));
        says(&RETURN) && !says(&ELSE) && clause.chars().count() <= LONGEST
    });
    let hints: Vec<PeriodHint> = speaking.filter_map(|clause| find_month(clause, received)).collect();
    let first = hints.first()?;
    hints.iter().all(|hint| hint.period == first.period).then(|| first.clone())
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
        period(words, received).map(|hint| hint.period.to_string())
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
        ] {
            assert_eq!(month(words).as_deref(), expected, "{words}");
        }
    }

    #[test]
    fn who_speaks_for_one_unit_may_write_for_another() {
        let registry = fixture::config().registry;
        let (a, b) = (&registry.units[0], &registry.units[1]);
        let told = |words: &str, sender: &[&Unit]| unit(words, &registry, sender).map(|u| u.name.clone());
        let says = |text: &str| text.replace("{}", &b.name);
        assert_eq!(told(&says("{}经验很好，现报我单位报表"), &[a]), Some(a.name.clone()));
        assert_eq!(told(&says("现代{}报送报表"), &[a]), Some(b.name.clone()));
        assert_eq!(told(&says("{}报表见附件"), &[a, b]), Some(b.name.clone()));
        assert_eq!(told(&says("{}报表见附件"), &[]), Some(b.name.clone()));
        assert_eq!(told(&format!("{}、{}报表见附件", a.name, b.name), &[a, b]), None);
        assert_eq!(told("报表见附件", &[]), None);
    }
}
