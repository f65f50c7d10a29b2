//! Targets and conduct in the words of an official notice, for the workbook and the circular. Pure.

use chrono::{Datelike, NaiveDate};

use crate::config::{Conduct as Rule, Milestone};
use crate::period::Period;
use crate::report::conduct::{Conduct, Tally, ranking};
use crate::report::milestones::{Gap, Mark};
use crate::report::table::ReportData;
use crate::report::targets::{Projection, Targets, UnitTargets};
use crate::report::wording::{day, decimal};

/// So many units at the most are named as those that should do better, and as those that do well.
const NAMED: usize = 3;
const PRAISED: usize = 6;

/// `11月20日`, with the year where it is not the one of the period.
pub fn short_day(date: NaiveDate, period: Period) -> String {
    let year = if date.year() == period.year() { String::new() } else { format!("{}年", date.year()) };
    format!("{year}{}月{}日", date.month(), date.day())
}

/// As a cell of a table has room for it; empty where there is no quota.
pub fn projected(projection: Projection, period: Period) -> String {
    match projection {
        Projection::Reached => "已完成".to_owned(),
        Projection::On(date) => short_day(date, period),
        Projection::Never => "按目前进度无法完成".to_owned(),
        Projection::TooLittle => "数据不足".to_owned(),
        Projection::NoQuota => String::new(),
    }
}

/// `8月16日完成`、`未完成（差2个）`、`未到期`
pub fn mark(mark: &Mark, period: Period) -> String {
    match mark {
        Mark::Reached { day, late: 0, .. } => format!("{}完成", short_day(*day, period)),
        Mark::Reached { day, late, .. } => format!("{}完成，迟{late}天", short_day(*day, period)),
        Mark::Missed(gap) => format!("未完成（{}）", lacks(gap)),
        Mark::Open(Gap::Unreported) => "未到期".to_owned(),
        Mark::Open(gap) => format!("未到期（{}）", lacks(gap)),
        Mark::Nothing => "无任务".to_owned(),
    }
}

fn lacks(gap: &Gap) -> String {
    match gap {
        Gap::Unreported => "未报".to_owned(),
        Gap::Errors(n) => format!("台账有错误{n}处"),
        Gap::Organisations(n) => format!("差{n}个"),
        Gap::Points(n) => format!("差{}个百分点", decimal(*n)),
    }
}

/// A milestone and how many units have reached it; those that owe nothing to it are left out.
pub struct Tallied<'a> {
    pub milestone: &'a Milestone,
    pub asked: usize,
    pub in_time: usize,
    pub late: usize,
    /// Names of the units that have missed it.
    pub missed: Vec<&'a str>,
}

/// Each milestone over the units of a stream, in the settings' order.
pub fn milestones<'a>(data: &'a ReportData, targets: &'a Targets<'a>) -> Vec<Tallied<'a>> {
    let one = |(i, milestone): (usize, &'a Milestone)| {
        let of = |u: &'a UnitTargets<'a>| u.marks.get(i).map(|(_, mark)| (u, mark));
        let marks: Vec<(&UnitTargets, &Mark)> = targets.units.iter().filter_map(of).collect();
        let count = |f: &dyn Fn(&Mark) -> bool| marks.iter().filter(|(_, mark)| f(mark)).count();
        let missed = marks.iter().filter(|(_, mark)| matches!(mark, Mark::Missed(_)));
        Tallied {
            milestone,
            asked: count(&|mark| *mark != Mark::Nothing),
            in_time: count(&|mark| matches!(mark, Mark::Reached { late: 0, .. })),
            late: count(&|mark| matches!(mark, Mark::Reached { late: 1.., .. })),
            missed: missed.map(|(u, _)| u.unit.name.as_str()).collect(),
        }
    };
    data.targets.milestones.iter().enumerate().map(one).collect()
}

/// The stream's pace and where it leads, and the milestones whose day is over; empty without any figures.
pub fn outlook(data: &ReportData, targets: &Targets) -> String {
    let district = &targets.district;
    let mut text = String::new();
    if let Some(pace) = district.pace.filter(|_| district.projection != Projection::Reached) {
        text += &format!("{}以来月均新建党组织{}个", data.targets.first.chinese(), decimal(pace));
        if targets.paced() < targets.units.len() {
            text += &format!("（按有两期以上数据的{}个单位计）", targets.paced());
        }
        text += &match district.projection {
            Projection::On(date) if date <= data.targets.by => format!("，按此进度预计{}可完成任务。", day(date)),
            Projection::On(date) => {
                format!("，按此进度要到{}才能完成任务，晚于{}的目标日期。", day(date), day(data.targets.by))
            }
            Projection::Never => "，按目前进度无法完成任务。".to_owned(),
            _ => "。".to_owned(),
        };
    }
    let ahead = targets.units.iter().filter_map(|u| u.standing.ahead);
    let (behind, ahead): (Vec<f64>, Vec<f64>) = ahead.partition(|n| *n < 0.0);
    text += &match (ahead.len(), behind.len()) {
        (0, 0) => String::new(),
        (n, 0) => format!("已报的{n}个单位均达到匀速进度要求。"),
        (ahead, behind) => format!("达到匀速进度要求的单位{ahead}个，落后的{behind}个。"),
    };
    for tallied in milestones(data, targets).iter().filter(|t| over(data, t.milestone) && t.asked > 0) {
        text += &milestone(data, tallied);
    }
    text
}

/// The milestone's day lies within the period and is past.
fn over(data: &ReportData, milestone: &Milestone) -> bool {
    milestone.by <= data.due.date_naive() && milestone.by < data.generated_at.date_naive()
}

fn milestone(data: &ReportData, t: &Tallied) -> String {
    let mut text = format!("“{}”应于{}前完成，", t.milestone.name, short_day(t.milestone.by, data.period));
    if t.in_time == t.asked {
        return text + &format!("{}个单位均按时完成。", t.asked);
    }
    text += &format!("{}个单位中按时完成{}个", t.asked, t.in_time);
    if t.late > 0 {
        text += &format!("，迟完成{}个", t.late);
    }
    if !t.missed.is_empty() {
        text += &format!("，尚未完成的是{}", t.missed.join("、"));
    }
    text + "。"
}

/// How the units report: the counts, who does well, who is asked to do better. `None` while nothing was due.
pub fn conduct(data: &ReportData, list: &[Conduct]) -> Option<Vec<String>> {
    let mut all = Tally::default();
    list.iter().for_each(|c| all += c.campaign);
    let ranked: Vec<&Conduct> = ranking(list).into_iter().filter(|c| c.rank.is_some()).collect();
    let best = ranked.first()?.points;
    let first = data.course.months.first().map_or(data.period, |m| m.period);
    let since = if first == data.period { data.period.chinese() } else { format!("{}以来", first.chinese()) };
    let mut paragraphs = vec![format!("{since}应报报表{}件，{}。", all.due, counts(&all))];
    let leading: Vec<&str> = ranked.iter().filter(|c| c.points == best).map(|c| c.unit.name.as_str()).collect();
    if ranked.iter().all(|c| c.campaign.cost == 0) {
        paragraphs.push("各单位报送质量均未扣分。".to_owned());
        return Some(paragraphs);
    }
    let others = leading.len().saturating_sub(PRAISED);
    let more = if others > 0 { format!("等{}个单位", leading.len()) } else { String::new() };
    let leading = leading.iter().take(PRAISED).copied().collect::<Vec<_>>().join("、");
    paragraphs.push(format!("报送质量较好的是：{leading}{more}（{best}分）。"));
    // Nobody is urged for a table that was put right in time.
    let tardy = |c: &&&Conduct| c.points < best && c.campaign.late + c.campaign.missing > 0;
    let lagging: Vec<&&Conduct> = ranked.iter().rev().filter(tardy).collect();
    if lagging.is_empty() {
        return Some(paragraphs);
    }
    // A place shared with one that is named is named as well.
    let last = lagging[NAMED.min(lagging.len()) - 1].points;
    let told = |c: &&&&Conduct| format!("{}（{}分，{}）", c.unit.name, c.points, faults(&c.campaign));
    let lagging: Vec<String> = lagging.iter().filter(|c| c.points <= last).map(|c| told(&c)).collect();
    paragraphs
        .push(format!("需要加强的是：{}。请以上单位查找原因，明确专人负责，按时、准确报送。", lagging.join("、")));
    Some(paragraphs)
}

fn counts(t: &Tally) -> String {
    let some = |n: u32, words: &str, measure: &str| (n > 0).then(|| format!("{words}{n}{measure}"));
    let parts = [
        Some(format!("按时{}件", t.on_time)),
        some(t.late, "迟报", "件"),
        some(t.missing, "未报", "件"),
        some(t.waiting, "待处理", "件"),
        some(t.rejected, "退回", "次"),
        some(t.corrections, "终报后更正", "次"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("，")
}

/// What cost points.
fn faults(t: &Tally) -> String {
    let some = |n: u32, words: &str, measure: &str| (n > 0).then(|| format!("{words}{n}{measure}"));
    let parts = [
        some(t.missing, "未报", "件"),
        (t.late > 0).then(|| format!("迟报{}件共{}天", t.late, t.days_late)),
        some(t.rejected, "退回", "次"),
        some(t.corrections, "终报后更正", "次"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("、")
}

/// The rule of the settings as the units may read it.
pub fn rule(rule: &Rule) -> String {
    let costs = [
        (rule.late_per_day, format!("迟报每件每天扣{}分（每件最多扣{}分）", -rule.late_per_day, -rule.late_at_most)),
        (rule.missing, format!("未报每件扣{}分", -rule.missing)),
        (rule.rejected, format!("退回每次扣{}分（未报的不重复扣）", -rule.rejected)),
        (rule.correction, format!("终报印发后更正每次扣{}分", -rule.correction)),
    ];
    let costs: Vec<String> = costs.into_iter().filter(|(n, _)| *n < 0).map(|(_, text)| text).collect();
    let costs = if costs.is_empty() { "不扣分".to_owned() } else { costs.join("，") };
    format!(
        "计分办法：基础分{}分，{costs}，最低{}分。免报的不计；待处理的核定前不扣分，核定后按收到时间计。得分相同的名次并列。",
        rule.start, rule.floor
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::conduct::assess;
    use crate::report::fixture::{District, at};
    use crate::report::targets;

    fn outlook_of(months: &[(&str, i64)], change: impl FnOnce(&mut ReportData)) -> String {
        let mut district = District::new(9);
        district.targets.new_party_orgs = vec![("nonpublic".to_owned(), 100)];
        let mut data = district.data(60);
        data.course.returns.retain(|r| months.iter().any(|(m, _)| r.period.to_string() == *m));
        change(&mut data);
        let tables = data.tables();
        outlook(&data, &targets::assess(&data, &tables)[0])
    }

    #[test]
    fn the_outlook_tells_pace_date_and_the_milestones_that_are_over() {
        let text = outlook_of(&[("2011-07", 0), ("2011-08", 0)], |_| {});
        assert_eq!(
            text,
            "2011年7月以来月均新建党组织5个（按有两期以上数据的5个单位计），按此进度要到2013年1月25日才能完成任务，晚于\
             2011年12月30日的目标日期。已报的5个单位均达到匀速进度要求。“摸底数”应于9月25日前完成，6个单位中按时\
             完成5个，尚未完成的是云岭街道办事处。"
        );
    }

    #[test]
    fn a_single_period_has_no_pace_to_tell() {
        let text = outlook_of(&[("2011-08", 0)], |_| {});
        assert!(text.starts_with("已报的5个单位均达到匀速进度要求。"), "{text}");
    }

    #[test]
    fn the_best_and_those_to_be_urged_are_named_with_what_cost_them_points() {
        let district = District::new(9);
        let data = district.data(60);
        let told = conduct(&data, &assess(&data)).unwrap();
        let units = &district.registry.units;
        assert_eq!(told[0], "2011年7月以来应报报表60件，按时48件，迟报4件，未报8件。");
        assert!(told[1].ends_with("等7个单位（100分）。"), "{}", told[1]);
        assert_eq!(
            told[2],
            format!(
                "需要加强的是：{}（0分，未报8件）、{}（88分，迟报4件共12天）。请以上单位查找原因，明确专人负责，按时、准确报送。",
                units[3].name, units[6].name
            )
        );
    }

    #[test]
    fn where_nobody_lost_points_nobody_is_urged_and_where_nothing_was_due_nothing_is_said() {
        let district = District::new(3);
        let mut data = district.data(10);
        let told = conduct(&data, &assess(&data)).unwrap();
        assert_eq!(told[1..], ["各单位报送质量均未扣分。"]);
        data.course.returns.clear();
        data.generated_at = at("2011-09-20T09:00:00+08:00");
        assert_eq!(conduct(&data, &assess(&data)), None);
    }

    #[test]
    fn the_rule_is_told_as_it_is_set() {
        let told = rule(&District::new(1).conduct);
        assert!(told.contains("基础分100分，迟报每件每天扣1分（每件最多扣10分），未报每件扣15分"), "{told}");
        let mild = Rule { late_per_day: 0, rejected: 0, correction: 0, ..District::new(1).conduct };
        assert!(rule(&mild).contains("基础分100分，未报每件扣15分，最低0分"), "{}", rule(&mild));
    }

    #[test]
    fn a_day_of_another_year_says_so() {
        let august: Period = "2011-08".parse().unwrap();
        let on = |text: &str| projected(Projection::On(text.parse().unwrap()), august);
        assert_eq!([on("2011-11-20"), on("2012-01-12")], ["11月20日", "2012年1月12日"]);
    }
}
