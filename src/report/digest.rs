//! The report in sentences, for the bulletin sheet, the circular and the mail that carries them. Pure.

use crate::ledger::obligation::State;
use crate::report::standing::{self, STATES};
use crate::report::table::{
    COVERED, FOUNDED_MONTH, FOUNDED_TOTAL, Line, MEMBERS, ORGS, PARTY_ORGS, ReportData, StreamTable, WORK_COVERED,
};
use crate::report::wording::{day, decimal, moment, percent, tenths};

/// The short summary for the mail: one paragraph on who reported, one a stream.
pub fn summary(data: &ReportData) -> Vec<String> {
    let mut paragraphs = vec![reporting(data)];
    let absent = [State::Late, State::Missing, State::Rejected, State::Quarantined];
    paragraphs.extend(absent.into_iter().filter_map(|state| named(data, state)));
    paragraphs.extend(data.tables().iter().filter(|t| !t.lines.is_empty()).map(|t| progress(data, t)));
    paragraphs
}

/// `2011年8月应报单位25个，应报报表84件，截止时间…。按时70件，迟报4件…。`
pub fn reporting(data: &ReportData) -> String {
    let counts = STATES.iter().map(|state| (state, standing::count(data, *state))).filter(|(_, n)| *n > 0);
    let counts: Vec<String> = counts.map(|(state, n)| format!("{}{n}件", state.chinese())).collect();
    format!(
        "{}应报单位{}个，应报报表{}件，截止时间{}。截至{}，{}。",
        data.period.chinese(),
        standing::standings(data).len(),
        data.obligations.len(),
        moment(data.due),
        moment(data.generated_at),
        if counts.is_empty() { "没有应报报表".to_owned() } else { counts.join("，") }
    )
}

/// `迟报：松涛镇、…。`; `None` when there are none.
pub fn named(data: &ReportData, state: State) -> Option<String> {
    let units = standing::units_in(data, state);
    (!units.is_empty()).then(|| format!("{}：{}。", state.chinese(), units.join("、")))
}

/// One stream's figures, growth, targets and coverage.
pub fn progress(data: &ReportData, table: &StreamTable) -> String {
    if table.reported() == 0 {
        return format!("{}：尚无单位报送统计表。", table.stream.title);
    }
    let counted = |label: &str, key: &str, measure: &str| table.total(key).map(|n| format!("{label}{n}{measure}"));
    let stock = [
        counted(&table.stream.organisation, ORGS, "个"),
        counted("党员", MEMBERS, "名"),
        counted("党组织", PARTY_ORGS, "个"),
    ];
    let stock: Vec<String> = stock.into_iter().flatten().collect();
    let mut text =
        format!("{}：已报统计表的单位{}个（应报{}个）", table.stream.title, table.reported(), table.lines.len());
    if !stock.is_empty() {
        text += &format!("，共有{}", stock.join("，"));
    }
    text += "。";
    text += &growth(data, table).unwrap_or_default();
    text += &quota(data, table).unwrap_or_default();
    text += &coverage(data, table);
    text
}

/// Compared with the month before, over the units that reported both.
fn growth(data: &ReportData, table: &StreamTable) -> Option<String> {
    let told = |label: &str, key: &str, measure: &str| {
        let (n, _) = table.growth(key)?;
        Some(match n {
            0 => format!("{label}持平"),
            1.. => format!("{label}增加{n}{measure}"),
            _ => format!("{label}减少{}{measure}", -n),
        })
    };
    let (_, units) = table.growth(PARTY_ORGS).or_else(|| table.growth(MEMBERS))?;
    let parts: Vec<String> =
        [told("党组织", PARTY_ORGS, "个"), told("党员", MEMBERS, "名")].into_iter().flatten().collect();
    let before = data.period.prev().chinese();
    Some(format!("与{before}相比（按两期均已报送的{units}个单位计），{}。", parts.join("，")))
}

fn quota(data: &ReportData, table: &StreamTable) -> Option<String> {
    let total = table.total(FOUNDED_TOTAL)?;
    let month = table.total(FOUNDED_MONTH).map(|n| format!("当月新建党组织{n}个，")).unwrap_or_default();
    let mut text = format!("{month}累计新建党组织{total}个");
    let (Some(target), Some(completion)) = (table.target(), table.completion()) else { return Some(text + "。") };
    text += &format!("，完成任务数{target}个的{}", percent(completion));
    text += &match (table.shortfall().unwrap_or(0), table.pace(table.shortfall())) {
        (0, _) => "，已完成任务。".to_owned(),
        (left, Some(pace)) => {
            format!("，尚差{left}个；要在{}前完成，今后每月还需新建{}个。", day(data.targets.by), decimal(pace))
        }
        (left, None) => format!("，目标日期{}已过，尚差{left}个。", day(data.targets.by)),
    };
    Some(text)
}

fn coverage(data: &ReportData, table: &StreamTable) -> String {
    let Some(entries) = table.entries() else {
        return "台账尚无在册组织，覆盖率暂不计算。".to_owned();
    };
    let against = |label: &str, part: &str, goal: f64| {
        let rate = table.coverage(part)?;
        let gap = goal - rate * 100.0;
        let goal = decimal(goal);
        let told = match gap {
            ..=0.0 => format!("已达到{goal}%的目标"),
            ..0.05 => format!("距{goal}%的目标还差不足0.1个百分点"),
            _ => format!("距{goal}%的目标还差{:.1}个百分点", tenths(gap)),
        };
        Some(format!("{label}{}，{told}", percent(rate)))
    };
    let parts = [
        against("组织覆盖率", COVERED, data.targets.org_coverage),
        against("工作覆盖率", WORK_COVERED, data.targets.work_coverage),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.as_slice() {
        [] => format!("台账在册{entries}个。"),
        parts => format!("台账在册{entries}个，以此为分母，{}。", parts.join("；")),
    }
}

/// Who leads and who lags by completion of the quota; `None` with fewer than two ranked units.
pub fn leaders(table: &StreamTable) -> Option<String> {
    let ranked: Vec<&Line> = table.ranking().into_iter().filter(|l| l.rank.is_some()).collect();
    let (first, last) = (ranked.first()?.rank?, ranked.last()?.rank?);
    if first == last {
        return None;
    }
    let few = ranked.len().div_ceil(4).min(3) as u32;
    let told = |l: &&&Line| format!("{}（{}）", l.unit.name, percent(l.completion().unwrap_or(0.0)));
    // A place shared with one that is named is named as well.
    let leading: Vec<String> = ranked.iter().filter(|l| l.rank <= Some(few)).map(|l| told(&l)).collect();
    let slowest = ranked[ranked.len() - few as usize].rank.max(Some(few + 1));
    let lagging: Vec<String> = ranked.iter().filter(|l| l.rank >= slowest).map(|l| told(&l)).collect();
    Some(format!("完成任务进度居前的是：{}；居后的是：{}。", leading.join("、"), lagging.join("、")))
}
