//! Whether a mail in which no form was found wants to hear that. Pure.
//!
//! A clerk who forgot the attachment does; one who writes “收到” under our reminder does not, and neither does the
//! autoresponder that nothing else gives away.

use crate::message::Message;
use crate::message::reply::own_words;

/// Words with which people hand something over.
const HANDED_OVER: [&str; 11] =
    ["附件", "附上", "附后", "见附", "随附", "随信", "请查收", "现报", "报上", "补报", "重新报"];

/// It answers another mail, and its own words do not speak of anything that it brings.
pub fn is_mere_reply(message: &Message) -> bool {
    let words = own_words(&message.text, &[]);
    is_reply(message) && !HANDED_OVER.iter().any(|word| words.contains(word))
}

fn is_reply(message: &Message) -> bool {
    let marks = ["re:", "re：", "回复:", "回复：", "答复:", "答复：", "回覆:", "回覆："];
    let subject = message.subject.trim_start().to_lowercase();
    !message.in_reply_to.is_empty() || !message.references.is_empty() || marks.iter().any(|m| subject.starts_with(m))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_forgot_the_attachment_speaks_of_it_and_who_only_thanks_does_not() {
        let mere = |subject: &str, text: &str| {
            is_mere_reply(&Message { subject: subject.into(), text: text.into(), ..Message::default() })
        };
        assert!(mere("回复：催报：还缺8月报表", "收到\n\n----- 原始邮件 -----\n请把填好的表格作为附件发来"));
        assert!(mere("Re: 没有入账，请改正后重发", "谢谢，明天改"));
        assert!(!mere("回复：催报：还缺8月报表", "报表见附件，请查收\n\n----- 原始邮件 -----\n您好"));
        assert!(!mere("8月份报表", "") && !mere("云岭街道", "收到"), "a first mail is one that forgot something");
        assert!(is_mere_reply(&Message { in_reply_to: vec!["receipt.1@qu.test".into()], ..Message::default() }));
    }
}
