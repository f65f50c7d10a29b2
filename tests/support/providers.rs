//! IMAP servers after what is reported of NetEase's and Tencent's.

use super::fake_imap::Script;

/// 163.com: nothing but the base protocol, no UIDNEXT, no keywords, and SELECT only for a client that tells its name
/// after LOGIN, though ID is not advertised.
pub fn netease() -> Script {
    Script {
        greeting: "* OK Coremail System IMap Server Ready(163com[10774b260cc7a37d26d71b52404dcf5c])\r\n",
        capabilities: ["IMAP4rev1 XLIST", "IMAP4rev1 XLIST"],
        demands_id: true,
        tells_uidnext: false,
        permanent_flags: "(\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
        ..Script::default()
    }
}

/// qq.com: IDLE, sets without commas only, and replies in GBK: `* OK 邮箱` after SELECT.
pub fn qq() -> Script {
    Script {
        greeting: "* OK [CAPABILITY IMAP4 IMAP4rev1 ID AUTH=PLAIN AUTH=LOGIN NAMESPACE] QQMail IMAP4Server ready\r\n",
        capabilities: ["IMAP4 IMAP4rev1 ID AUTH=PLAIN AUTH=LOGIN", "IMAP4 IMAP4rev1 XLIST MOVE IDLE ID UIDPLUS"],
        always: vec![("NOOP", b"* OK \xd3\xca\xcf\xe4\r\n{tag} OK NOOP \xcd\xea\xb3\xc9\r\n")],
        ..Script::default()
    }
}

/// QQ's one answer to a wrong code, to a service that is switched off and to logins that are too frequent.
pub const QQ_LOGIN_FAIL: &[u8] =
    b"{tag} NO Login fail. Account is abnormal, service is not open, password is incorrect, \
    login frequency limited, or system is busy. More information at https://help.mail.qq.com/detail/108/1023\r\n";
