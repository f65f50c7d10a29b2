//! What the sheet says of unit, stream and month.

use taizhang::form::reading::Origin;

use super::fixture::{Fixture, register};

pub fn fixtures() -> Vec<Fixture> {
    vec![
        register("unit and month in the lines above")
            .says(Origin::UnitLine, "棠梨街道办事处")
            .says(Origin::PeriodLine, "2011年8月")
            .says(Origin::Title, "非公有制企业活动台账"),
        register("unit and day in one cell")
            .cell("A2", "填报单位：棠梨街道办事处（盖章）     填报时间：2011年9月8日")
            .cell("J2", "")
            .says(Origin::UnitLine, "棠梨街道办事处")
            .says(Origin::FilledLine, "2011年9月8日"),
        register("the unit in the cell beside its label")
            .cell("A2", "填报单位：")
            .cell("C2", "棠梨街道办事处")
            .says(Origin::UnitLine, "棠梨街道办事处"),
        register("a spaced label")
            .cell("A2", "填 报 单 位 ： 棠梨街道办事处 （公章）")
            .says(Origin::UnitLine, "棠梨街道办事处"),
        register("a day as a date beside its label")
            .cell("J2", "填报日期：")
            .cell("K2", "@2011-09-08")
            .says(Origin::FilledLine, "2011-09-08"),
        register("the month in the sheet's name").called("2011年8月台账").says(Origin::SheetName, "2011年8月台账"),
        register("the month in the title")
            .cell("A1", "2011年8月份非公企业台账")
            .says(Origin::Title, "2011年8月份非公企业台账"),
        register("the measure of the table is no unit").cell("J2", "单位：人"),
    ]
}
