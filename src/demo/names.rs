//! Invented people, companies, clubs, addresses and codes, each a pure function of a running number.

use super::district::SOCIAL;

/// 24 and 25 have no common factor, so the first 600 numbers give 600 different brands (Chinese remainder theorem).
const FIRST: [char; 24] = [
    '恒', '启', '瑞', '凌', '沐', '泓', '嘉', '晟', '朗', '锐', '景', '卓', '禾', '睿', '弘', '铭', '澄', '骏', '鼎',
    '昱', '安', '裕', '致', '盈',
];
const SECOND: [char; 25] = [
    '屿', '帆', '科', '通', '达', '源', '和', '诚', '川', '野', '光', '峰', '森', '桥', '舟', '月', '昌', '泰', '远',
    '信', '石', '林', '星', '歌', '原',
];

/// What a company does, with the category its book gives.
const TRADES: [(&str, &str); 16] = [
    ("机械配件", "制造业"),
    ("食品", "食品加工"),
    ("物流", "交通运输"),
    ("建筑装饰工程", "建筑业"),
    ("软件", "信息技术"),
    ("医疗器械", "批发零售"),
    ("家居广场", "商贸服务"),
    ("酒店管理", "住宿餐饮"),
    ("电子科技", "信息技术"),
    ("包装印刷", "制造业"),
    ("农业开发", "种植养殖"),
    ("汽车销售服务", "批发零售"),
    ("物业管理", "居民服务"),
    ("环保设备", "制造业"),
    ("商贸", "批发零售"),
    ("纺织", "制造业"),
];

/// What a social organisation is, with its category.
const CLUBS: [(&str, &str); 9] = [
    ("幼儿园", "民办非企业单位"),
    ("职业培训学校", "民办非企业单位"),
    ("养老服务中心", "民办非企业单位"),
    ("书画协会", "社会团体"),
    ("民间艺术团", "民办非企业单位"),
    ("商会", "社会团体"),
    ("志愿者协会", "社会团体"),
    ("棋类俱乐部", "民办非企业单位"),
    ("京剧票友会", "社会团体"),
];

const SURNAMES: [&str; 29] = [
    "苏", "程", "魏", "蒋", "沈", "韩", "杨", "朱", "秦", "许", "何", "吕", "施", "孔", "严", "华", "金", "陶", "姜",
    "谢", "邹", "窦", "章", "云", "葛", "范", "彭", "欧阳", "上官",
];
const GIVEN: [&str; 31] = [
    "立群", "晓岚", "建业", "秀芝", "国庆", "雨桐", "志刚", "文静", "德胜", "海燕", "永年", "玉梅", "卫东", "思远",
    "春生", "丽华", "振宇", "桂兰", "明哲", "凤英", "长青", "淑珍", "子涵", "爱民", "维", "敏", "涛", "洁", "勇", "芳",
    "磊",
];
const ROADS: [&str; 8] = ["望川路", "织锦街", "柏林路", "东渡街", "书院巷", "新垦路", "长亭路", "浣纱街"];

pub fn person(number: usize) -> String {
    format!("{}{}", SURNAMES[number % SURNAMES.len()], GIVEN[(number / 2 + number) % GIVEN.len()])
}

/// Name and category.
pub fn organisation(short: &str, stream: usize, number: usize) -> (String, &'static str) {
    let brand = format!("{}{}", FIRST[number % FIRST.len()], SECOND[number % SECOND.len()]);
    let place = short.trim_start_matches('区').trim_end_matches("局");
    if stream == SOCIAL {
        let (what, category) = CLUBS[number % CLUBS.len()];
        (format!("霁川区{place}{brand}{what}"), category)
    } else {
        let (what, category) = TRADES[number % TRADES.len()];
        (format!("霁川市{brand}{what}有限公司"), category)
    }
}

pub fn address(short: &str, number: usize) -> String {
    format!("{short}{}{}号", ROADS[number % ROADS.len()], 1 + number * 37 % 180)
}

/// A number of the district's old seven-and-one pattern; no area code, nobody's telephone.
pub fn phone(number: usize) -> String {
    format!("8260{:04}", 1000 + number * 37 % 9000)
}

/// Organisation code (GB 11714) or, for every third company, a business registration number of 15 digits.
pub fn code(stream: usize, number: usize) -> String {
    if stream != SOCIAL && number.is_multiple_of(3) {
        let body = format!("3799012000{:04}", 1200 + number);
        let check = registration_check(&body);
        format!("{body}{check}")
    } else {
        let body = format!("{:08}", 58_310_000 + number * 173);
        let check = organisation_check(&body);
        format!("{body}-{check}")
    }
}

/// The check character of an organisation code's first eight digits (GB 11714-1997, modulo 11).
fn organisation_check(body: &str) -> char {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.chars().zip(WEIGHTS).map(|(c, w)| c.to_digit(36).unwrap_or(0) * w).sum();
    match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        n => char::from_digit(n, 10).unwrap_or('0'),
    }
}

/// The check digit of a registration number's first fourteen digits (ISO 7064, modulo 11,10).
fn registration_check(body: &str) -> char {
    let product = body.chars().filter_map(|c| c.to_digit(10)).fold(10, |product, digit| {
        let sum = (product + digit) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    char::from_digit((11 - product) % 10, 10).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_characters_are_those_of_the_standards() {
        assert_eq!(organisation_check("D2143569"), 'X', "the example of GB 11714");
        assert_eq!(registration_check("11010800000001"), '6', "the example of the registration number rule");
    }

    #[test]
    fn brands_do_not_repeat() {
        let brands: std::collections::HashSet<String> = (0..600).map(|n| organisation("", SOCIAL, n).0).collect();
        assert_eq!(brands.len(), 600);
    }
}
