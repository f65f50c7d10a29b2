//! Whether a mail in which no form was found was meant to bring one. Pure.
//!
//! A clerk who forgot the attachment wants to know; one who writes “收到” wants no answer.

use crate::form::Campaign;
use crate::message::Message;
use crate::message::sender::own_words;

/// Words of a first mail that speak of a return, besides those of the forms.
const RETURN: [&str; 7] = ["报表", "统计表", "台账", "附件", "报送", "上报", "填报"];
/// Words with which people hand something over in the middle of a conversation, where everybody speaks of returns.
const HANDED_OVER: [&str; 11] =
    ["附件", "附上", "附后", "见附", "随附", "随信", "请查收", "现报", "报上", "补报", "重新报"];

/// It answers another mail.
pub fn is_reply(message: &Message) -> bool {
    let marks = ["re:", "re：", "回复:", "回复：", "答复:", "答复：", "回覆:", "回覆："];
    let subject = message.subject.trim_start().to_lowercase();
    !message.in_reply_to.is_empty() || !message.references.is_empty() || marks.iter().any(|m| subject.starts_with(m))
}

/// Its own words (of a first mail also its subject) speak of a return that it brings.
pub fn speaks_of_a_return(message: &Message, campaign: &Campaign) -> bool {
    let words = own_words(&message.text);
    if is_reply(message) {
        return HANDED_OVER.iter().any(|word| words.contains(word));
    }
    let forms = campaign.forms.iter().flat_map(|form| &form.words).map(String::as_str);
    RETURN.into_iter().chain(forms).any(|word| words.contains(word) || message.subject.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn speaks(subject: &str, text: &str) -> bool {
        let message = Message { subject: subject.into(), text: text.into(), ..Message::default() };
        speaks_of_a_return(&message, &fixture::config().campaign)
    }

    #[test]
    fn who_forgot_the_attachment_speaks_of_it_and_who_only_thanks_does_not() {
        assert!(speaks("8月份报表", ""));
        assert!(speaks("云岭街道", "统计表见附件"));
        assert!(speaks("回复：催报：还缺8月报表", "报表见附件，请查收\n\n----- 原始邮件 -----\n您好"));
        assert!(!speaks("回复：催报：还缺8月报表", "收到\n\n----- 原始邮件 -----\n请把填好的表格作为附件发来"));
        assert!(!speaks("Re: 没有入账，请改正后重发", "谢谢，明天改"));
        assert!(!speaks("中秋快乐", "祝节日快乐"));
        let answer = Message { in_reply_to: vec!["receipt.1@qu.test".into()], ..Message::default() };
        assert!(is_reply(&answer) && !is_reply(&Message::default()));
    }
}
