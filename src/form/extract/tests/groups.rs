//! Group headings that stand in one of their columns only, and what stands between and beside them.

use super::*;

/// Leaves of both rows of headings, the ungrouped ones in the lower row; `groups` is the upper one.
fn figures(groups: &str) -> Return {
    only(&format!(
        "{groups}\n\
         单位|组织总数|党员总数|已转组织关系|未转组织关系|党组织总数|单独组建|联合组建|“兼合式”|上月|累计|党组织覆盖组织数|组织覆盖率|上月|累计|上月|累计|工作覆盖组织数|上月|累计|备注\n\
         北桥街道|#20|#9|#6|#3|#5|#3|#2|#1|#1|#2|#5|25%|#3|#4|#5|#6|#9|#7|#8|已核"
    ))
}

#[test]
fn a_group_ends_where_its_own_columns_end() {
    for groups in [
        "|||其中|||其中|||新建党组织||||选派党建指导员||新建群团组织|||新发展党员||",
        "|||其中||||其中||新建党组织||||选派党建指导员||新建群团组织|||新发展党员||",
        "|||其中|其中||其中|其中|其中|新建党组织|新建党组织|||选派党建指导员|选派党建指导员|新建群团组织|新建群团组织||新发展党员|新发展党员|",
        "||||其中|||其中|||新建党组织||||选派党建指导员||新建群团组织|||新发展党员|",
        "|||其中|<||其中|<|<|新建党组织|<|||选派党建指导员|<|新建群团组织|<||新发展党员|<|",
    ] {
        let ret = figures(groups);
        assert_eq!((messages(&ret), ret.doubts.len(), ret.columns.len()), (vec![], 0, 21), "{groups}");
        let of = |key: &str| ret.records[0].int(key).unwrap();
        let month = ["new_party_orgs_month", "instructors_month", "mass_orgs_month", "recruits_month"].map(of);
        let total = ["new_party_orgs_total", "instructors_total", "mass_orgs_total", "recruits_total"].map(of);
        assert_eq!((month, total), ([1, 3, 5, 7], [2, 4, 6, 8]), "{groups}");
        assert_eq!(["orgs_covered", "orgs_work_covered", "party_orgs"].map(of), [5, 9, 5], "{groups}");
    }
}

#[test]
fn a_column_between_two_groups_is_the_ones_that_the_whole_row_is_written_for() {
    let ret = only(
        "单位|组织总数|党员总数|已转|未转|党组织总数|单独|联合|新建党组织||覆盖数|选派党建指导员||新建群团组织|党的工作覆盖数\n\
         ||||||||上月|累计||上月|累计|上月|\n\
         北桥街道|#20|#9|#6|#3|#5|#3|#2|#1|#2|#5|#3|#4|#5|#9",
    );
    assert_eq!((ret.records[0].int("instructors_total"), ret.records[0].int("mass_orgs_month")), (Some(4), Some(5)));
    assert_eq!((messages(&ret).len(), ret.doubts.len()), (0, 0));
}

#[test]
fn a_merged_group_does_not_go_on_beyond_its_end() {
    let ret = only(
        "|党员情况|<|<|党组织情况|<|<||新建党组织|<|新建群团组织|<||党建指导员|\n\
         单位|总数|已转|未转|总数|单独|联合|组织总数|上月|累计|上月|累计|党的工作覆盖数|累计|已覆盖企业数\n\
         北桥街道|#9|#6|#3|#5|#3|#2|#20|#1|#2|#5|#6|#9|#4|#7",
    );
    assert_eq!((messages(&ret), ret.columns.len()), (vec![], 15));
    assert_eq!(
        ["orgs", "orgs_work_covered", "orgs_covered"].map(|k| ret.records[0].int(k)),
        [Some(20), Some(9), Some(7)]
    );
}

#[test]
fn a_closed_organisation_stays_closed_whatever_group_stands_to_the_left() {
    for (groups, kin) in [
        (
            "|||党员情况||党组织||||群团组织",
            "名称|类型|从业人数|党员总数|正式党员数|党组织名称|组建形式|书记姓名|书记电话|工会",
        ),
        (
            "|||||党组织||||群团组织",
            "企业名称|类别|员工人数|党员总数|其中正式党员|党组织名称|组建方式|支部书记|书记手机|有无工会",
        ),
    ] {
        for status in ["是否销户", "状态"] {
            let closed = if status == "状态" { "销户" } else { "是" };
            let ret = only(&format!(
                "{groups}||||||\n{kin}|共青团|活动场所|{status}|销户原因|销户时间|备注\n\
                 青杉织造厂|纺织|#9|#3|#3|织造厂支部|单独组建|苗立|88001234|有|无|有||||\n\
                 白桦食品厂|食品|#8|#0|#0||未建|||无|无|无|{closed}|破产|2011-6-1|核实过"
            ));
            let record = &ret.records[1];
            let of = |key: &str| record.text(key);
            let expected = [Some("销户"), Some("破产"), Some("2011-06-01"), Some("核实过")];
            assert_eq!(["status", "closed_reason", "closed_on", "remark"].map(of), expected, "{kin}");
            assert_eq!((messages(&ret), ret.unread.len()), (vec![], 0), "{kin}");
        }
    }
}

#[test]
fn a_name_in_front_of_a_group_is_the_organisations() {
    let ret = only(
        "|党组织|||||群团组织|\n\
         名称|是否建立党组织|党员总数|其中正式党员|未转组织关系|登记证号|工会|团组织\n\
         青杉织造厂|联合|#2|#1|#2|10234567-8|是|否",
    );
    assert_eq!((ret.records[0].text("name"), ret.records[0].text("party_org")), (Some("青杉织造厂"), None));
    assert_eq!((ret.doubts.len(), messages(&ret).len()), (0, 0));
}

#[test]
fn a_word_that_may_be_the_groups_is_not_read_behind_its_columns() {
    let ret = only(
        "|||党组织||||群团组织|\n\
         企业名称|党员总数|正式党员数|名称|组建形式|书记姓名|电话|工会|共青团\n\
         青杉织造厂|#3|#3|织造厂支部|单独组建|苗立|88001234|有|无",
    );
    assert_eq!(
        (ret.records[0].text("name"), ret.records[0].text("party_org")),
        (Some("青杉织造厂"), Some("织造厂支部"))
    );
    assert!(!ret.columns.contains_key("phone"));
}

#[test]
fn last_years_figures_are_not_this_years_although_their_group_was_not_merged() {
    let ret = only(
        "|||||||||||上年同期||新建党组织||新建群团组织|\n\
         单位|组织总数|党员总数|已转|未转|党组织总数|单独|联合|覆盖数|指导员数|党的工作覆盖数|党员总数|活动场所数|上月|累计|上月|累计\n\
         北桥街道|#20|#9|#6|#3|#5|#3|#2|#5|#4|#9|#1|#2|#1|#2|#3|#4",
    );
    assert_eq!((ret.records[0].int("members"), ret.records[0].int("new_party_orgs_total")), (Some(9), Some(2)));
    assert_eq!(
        ret.unread.iter().map(|u| u.1.as_str()).collect::<Vec<_>>(),
        ["上年同期/党员总数", "上年同期/活动场所数"]
    );
}

#[test]
fn a_heading_over_two_columns_is_one_however_its_group_is_written_above() {
    let both = only(
        "|党员情况|<|<|<||新建党组织||选派党建指导员|\n\
         |总数|其中|<|||||||\n\
         单位|^|已转|未转|<|组织总数|上月|累计|上月|累计\n\
         北桥街道|#9|#6|#3|<|#20|#1|#2|#3|#4",
    );
    assert_eq!((both.records[0].int("members_untransferred"), both.doubts.len()), (Some(3), 0));
    for group in ["党组织|党组织|党组织|党组织|群团组织", "党组织||||群团组织", "党组织|党组织||党组织|群团组织"]
    {
        let ret = only(&format!(
            "|||{group}\n名称|党员总数|正式党员数|组建形式|书记姓名|<|书记电话|工会|<\n\
             青杉织造厂|#3|#3|单独组建|苗立|<|88001234|有|<"
        ));
        let record = &ret.records[0];
        assert_eq!((record.text("secretary"), record.get("union")), (Some("苗立"), &Datum::Bool(true)), "{group}");
        assert_eq!(messages(&ret), [] as [&str; 0], "{group}");
    }
}

#[test]
fn columns_of_no_form_behind_a_gap_do_not_cut_the_names_off() {
    let ret = only(
        "序号|名称|地址||党组织名称|党组织成立时间|组建形式|是否“兼合式”|党员总数|正式党员数|已转组织关系|未转组织关系||团支部负责人|备注\n\
         1|青杉织造厂|青杉路1号||织造厂支部|2008-5-2|单独组建|否|#4|#3|#2|#2||苗立|新增\n\
         2|白桦食品厂|青杉路2号||食品厂支部|2008-5-3|单独组建|否|#4|#3|#2|#2||尤文|",
    );
    assert_eq!((ret.records[1].text("name"), ret.records[0].text("remark")), (Some("白桦食品厂"), Some("新增")));
    assert_eq!(ret.unread.len(), 1);
    let ret = only(
        "单位|组织总数|党员总数|已转|未转|党组织总数|单独|联合|本月新建|累计新建|覆盖数||困难党员数|指导员数|党的工作覆盖数\n\
         北桥街道|#20|#9|#6|#3|#5|#3|#2|#1|#2|#5||#1|#4|#9",
    );
    assert_eq!((ret.records[0].int("orgs_work_covered"), messages(&ret).len()), (Some(9), 0));
}

#[test]
fn a_column_that_is_not_read_for_its_group_is_told() {
    let book = |status: &str| {
        only(&format!(
            "|党员情况|<|||群团组织|<|<|<\n名称|党员总数|正式党员数|组建形式|备注|工会|是否销户|团组织|地址\n\
             青杉织造厂|#3|#3|单独组建||有|{status}|无|青杉路1号"
        ))
    };
    let ret = book("是");
    assert_eq!(
        messages(&ret),
        [
            "I列“群团组织/地址”不能确定是不是“地址”，没有读取，请按原表列名填报。",
            "G列“群团组织/是否销户”不能确定是不是“状态”，没有读取，请按原表列名填报。",
        ]
    );
    let severities: Vec<Severity> = ret.findings.iter().map(|f| f.severity).collect();
    assert_eq!(severities, [Severity::Info, Severity::Warning], "closed organisations must not stay active unsaid");
    assert_eq!(book("").findings.len(), 1, "nothing is lost where nothing is filled in");
}

#[test]
fn a_required_column_below_a_strange_group_is_asked_about() {
    let ret = only(
        "单位|经营概况|<|党员总数|已转|未转|党组织总数|单独|联合|本月新建|累计新建|覆盖数|指导员数|党的工作覆盖数\n\
         ^|总数|新增数|^|^|^|^|^|^|^|^|^|^|^\n\
         北桥街道|#20|#2|#9|#6|#3|#5|#3|#2|#1|#2|#5|#4|#9",
    );
    assert_eq!(ret.doubts.iter().map(|d| d.key.as_str()).collect::<Vec<_>>(), ["orgs"]);
    assert_eq!(ret.doubts[0].candidates[0].heading, "经营概况/总数");
    assert_eq!(messages(&ret), [] as [&str; 0]);
}
