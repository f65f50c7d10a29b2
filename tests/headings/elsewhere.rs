//! Tables of something else must not become forms.

use taizhang::form::Campaign;
use taizhang::workbook::{Cell, CellValue, Sheet};

use crate::read;

fn sheet(drawing: &str) -> Sheet {
    let mut sheet = Sheet { name: "Sheet1".to_owned(), ..Sheet::default() };
    for (r, line) in drawing.lines().enumerate() {
        for (c, text) in line.split('|').enumerate().filter(|(_, t)| !t.is_empty()) {
            let value = text.parse().map_or_else(|_| CellValue::Text(text.to_owned()), CellValue::Number);
            sheet.cells.insert((r as u32, c as u32), Cell { value, percent: false, formula: false });
        }
    }
    sheet
}

#[test]
fn a_table_of_something_else_is_no_form() {
    let campaign = Campaign::builtin();
    for (name, drawing) in [
        (
            "工资表",
            "北桥街道2011年8月工资表\n序号|姓名|单位|职务|基本工资|岗位津贴|奖金|应发合计|实发合计|签名|备注\n\
             1|苗立|综合科|科员|1800|500|200|2500|2300||\n2|尤文|综合科|科长|2300|800|300|3400|3100||",
        ),
        (
            "通讯录",
            "企业通讯录\n序号|单位名称|负责人|职务|联系电话|手机|地址|邮箱|备注\n\
             1|青禾商贸有限公司|苗立|经理|88001234|13900001111|青禾路1号|a@office.example|\n\
             2|远帆机电有限公司|尤文|经理|88001235|13900001112|青禾路2号|b@office.example|",
        ),
        (
            "党费收缴表",
            "2011年第三季度党费收缴表\n序号|党组织名称|党员总数|书记姓名|应缴党费|实缴党费|收缴时间|联系电话|备注\n\
             1|青禾公司党支部|12|苗立|360|360|2011-9-1|88001234|\n2|远帆公司党支部|8|尤文|240|240|2011-9-2|88001235|",
        ),
        (
            "会议签到表",
            "党建工作会议签到表\n序号|姓名|单位|职务|联系电话|签到时间|备注\n\
             1|苗立|青禾街道|书记|88001234|8:30|\n2|尤文|石桥街道|指导员|88001235|8:35|",
        ),
        (
            "对比表",
            "党员情况与上年对比表\n单位|上年党员总数|本年党员总数|增减|上年党组织数|本年党组织数|增减|上年覆盖率|本年覆盖率|备注\n\
             青禾街道|100|110|10|20|22|2|50%|55%|\n石桥街道|90|95|5|18|20|2|40%|45%|",
        ),
        (
            "党员名册",
            "党员名册\n序号|姓名|性别|出生年月|民族|学历|入党时间|转正时间|所在党组织|党内职务|联系电话|备注\n\
             1|苗立|男|1970-1|汉|大学|1995-7-1|1996-7-1|青禾公司党支部|书记|88001234|",
        ),
        (
            "指导员名单",
            "党建指导员名单\n序号|指导员姓名|单位|职务|联系电话|联系企业名称|走访次数|备注\n\
             1|苗立|组织科|科员|88001234|青禾商贸有限公司|2|\n2|尤文|宣传科|科员|88001235|远帆机电有限公司|2|",
        ),
        (
            "工会名单",
            "工会组织情况表\n序号|企业名称|工会主席|会员数|职工人数|女职工数|成立时间|经费|联系电话|地址\n\
             1|青禾商贸有限公司|苗立|20|35|12|2008-1-1|3000|88001234|青禾路1号",
        ),
    ] {
        let reading = read(&campaign, sheet(drawing));
        assert!(reading.returns.is_empty(), "{name}: {:?}", reading.returns[0].columns);
    }
}
