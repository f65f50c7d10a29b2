//! Why a server does not serve us, in words: for the operator in English, for the department in Chinese. Pure.
//!
//! What is *done* about a failure is decided by protocol step and code ([`super::failure`]). Codes alone tell a person
//! too little, since providers answer NO or 535 to everything; so for the words, and for them only, the replies that
//! providers are known to give are looked up here.

use crate::config::Provider;

/// What seems to be the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    NoHost,
    /// The port is closed.
    Closed,
    NoAnswer,
    Broken,
    Tls,
    /// The server takes neither user nor password; which of them, it does not say.
    Credentials,
    /// The password of the web page was shown, and the code for programs is wanted.
    CodeWanted,
    CodeExpired,
    /// IMAP or SMTP is not switched on for this account.
    ServiceOff,
    /// The login counts as unsafe.
    Unsafe,
    /// The account is locked, or only opened on the web page.
    Locked,
    /// Logged in too often.
    TooOften,
    /// Tencent's one reply to everything that can be wrong with a login.
    Unclear,
    Busy,
    NoFolder,
    Denied,
    Dialect,
    /// Our own disk.
    Disk,
    Setup,
}

/// Fragments of replies, lower case, the more telling ones first. NetEase and Tencent; the Chinese ones come in GBK.
const REPLIES: [(&str, Cause); 31] = [
    ("unsafe login", Cause::Unsafe),
    // One reply for everything: neither `password` nor `frequency` in it means anything.
    ("account is abnormal", Cause::Unclear),
    ("authorization code is expired", Cause::CodeExpired),
    ("授权码已过期", Cause::CodeExpired),
    ("授权码过期", Cause::CodeExpired),
    ("authorization code", Cause::CodeWanted),
    ("authorized code", Cause::CodeWanted),
    ("授权码", Cause::CodeWanted),
    ("专用密码", Cause::CodeWanted),
    ("user has no permission", Cause::ServiceOff),
    ("用户无权", Cause::ServiceOff),
    ("service is not open", Cause::ServiceOff),
    ("service not enabled", Cause::ServiceOff),
    ("is disabled", Cause::ServiceOff),
    ("未开启", Cause::ServiceOff),
    ("frequency limited", Cause::TooOften),
    ("too many times", Cause::TooOften),
    ("too much fail", Cause::TooOften),
    ("auth error limit exceed", Cause::TooOften),
    ("登录太频繁", Cause::TooOften),
    ("登录过于频繁", Cause::TooOften),
    ("system is busy", Cause::Busy),
    ("user is locked", Cause::Locked),
    ("user suspended", Cause::Locked),
    ("account is locked", Cause::Locked),
    ("err.login.userlocked", Cause::Locked),
    ("err.login.passerr", Cause::Credentials),
    ("login error or password error", Cause::Credentials),
    ("authentication failed", Cause::Credentials),
    ("invalid credentials", Cause::Credentials),
    ("login fail", Cause::Credentials),
];

impl Cause {
    /// What a reply is known to mean, whoever gave it.
    pub fn told(reply: &str) -> Option<Self> {
        let reply = reply.to_lowercase();
        REPLIES.iter().find(|(fragment, _)| reply.contains(fragment)).map(|(_, cause)| *cause)
    }

    /// For the operator: what a person can do about it.
    pub fn advice(self, provider: Provider) -> String {
        let habits = provider.habits();
        let (code, menu) = (habits.code, habits.menu);
        match self {
            Self::NoHost => "DNS does not know the host: check host and the network's name server".to_owned(),
            Self::Closed => "nobody listens there: check host and port, and whether a firewall forbids it".to_owned(),
            Self::NoAnswer => {
                "it stays silent: check the network and firewall, or raise timeout; tried again".to_owned()
            }
            Self::Broken => "the network or the server broke off; it is tried again".to_owned(),
            Self::Tls => "no trusted encryption: check host, port and tls; if the server's certificate comes from a \
                          private authority, name its PEM file in ca_file"
                .to_owned(),
            Self::Credentials if provider == Provider::Generic => {
                format!(
                    "check user and password; public providers want IMAP and SMTP switched on in the web mail's \
                         settings and their authorisation code ({code}) instead of the password"
                )
            }
            Self::Credentials => {
                format!(
                    "user or {code} is wrong: make a new {code} in the web mail ({menu}) and store that, not the \
                         password of the web page"
                )
            }
            Self::CodeWanted => {
                format!(
                    "the password of the web page was used: switch on IMAP/SMTP in the web mail ({menu}), make a \
                         {code} there and store that instead"
                )
            }
            Self::CodeExpired => format!("the {code} has expired: make a new one in the web mail ({menu})"),
            Self::ServiceOff => {
                format!(
                    "IMAP/SMTP is not switched on for this account: switch it on in the web mail ({menu}), and \
                         store the {code} it shows"
                )
            }
            Self::Unsafe => "the login counts as unsafe: log in on the web page once and confirm it, see that \
                             provider is set to the right name, and ask the provider's help desk if it stays"
                .to_owned(),
            Self::Locked => format!(
                "the account is locked: log in on the web page and do what it asks, then check IMAP/SMTP ({menu})"
            ),
            Self::TooOften => {
                "logged in too often: it is left alone for a long while and tried again later by itself; do not try by \
                 hand, and see that no other program uses the account"
                    .to_owned()
            }
            Self::Unclear => {
                format!(
                    "the provider gives this one reply to a wrong {code}, to IMAP/SMTP not being switched on \
                         ({menu}), to a locked account and to logins that are too frequent. Check the first two, log \
                         in on the web page, and else wait: it is tried again by itself after a long while"
                )
            }
            Self::Busy => {
                "the server is busy or limits us: it is tried again later by itself; if it stays so, a longer \
                           poll and a smaller per_minute help"
                    .to_owned()
            }
            Self::NoFolder => "the folder is missing: check folder or path, or create it".to_owned(),
            Self::Denied => {
                "look into the web mail's settings: IMAP access, third-party clients, rights to the folder".to_owned()
            }
            Self::Dialect => {
                "it is tried again; if it stays, the server speaks a dialect that is not understood".to_owned()
            }
            Self::Disk => "check the disk and the rights to the files".to_owned(),
            Self::Setup => "correct the configuration, or what it names".to_owned(),
        }
    }

    /// For the department: what is the matter and what to do, without a full stop.
    pub fn chinese(self, provider: Provider) -> String {
        let habits = provider.habits();
        let (code, menu) = (habits.code, habits.menu);
        match self {
            Self::NoHost => "找不到邮件服务器，请检查网络，或核对服务器名称".to_owned(),
            Self::Closed => "邮件服务器拒绝连接，请检查网络和防火墙，或核对端口".to_owned(),
            Self::NoAnswer => "邮件服务器没有回应，请检查网络；系统会继续重试".to_owned(),
            Self::Broken => "与邮件服务器的连接中断，系统会继续重试".to_owned(),
            Self::Tls => "无法与邮件服务器建立可信的加密连接，请系统管理员检查".to_owned(),
            Self::Credentials => {
                format!("邮箱账号或{code}不对，请在网页邮箱“{menu}”里重新生成{code}，交系统管理员更换")
            }
            Self::CodeWanted => {
                format!("服务商要的是{code}，不是网页登录密码；请在网页邮箱“{menu}”里生成{code}，交系统管理员更换")
            }
            Self::CodeExpired => format!("{code}已过期，请在网页邮箱“{menu}”里重新生成，交系统管理员更换"),
            Self::ServiceOff => {
                format!("这个邮箱没有开启 IMAP/SMTP 服务，请在网页邮箱“{menu}”里开启，并把{code}交系统管理员")
            }
            Self::Unsafe => "服务商认为这次登录不安全，请先在网页上登录一次邮箱并按提示确认".to_owned(),
            Self::Locked => "邮箱账号被锁定，请在网页上登录邮箱，按提示解锁".to_owned(),
            Self::TooOften => "服务商认为登录过于频繁，系统已暂停登录，过一段时间会自动重试，请不要反复尝试".to_owned(),
            Self::Unclear => format!(
                "服务商拒绝登录，但没有说明原因：可能是{code}不对或已失效、IMAP/SMTP 服务没有开启、账号异常，也可能是\
                 登录过于频繁；请先在网页上登录邮箱，到“{menu}”里核对，系统过一段时间会自动重试"
            ),
            Self::Busy => "邮件服务器正忙，系统稍后会自动重试".to_owned(),
            Self::NoFolder => "邮箱里找不到指定的文件夹，请系统管理员核对".to_owned(),
            Self::Denied => "服务商不允许这项操作，请检查网页邮箱里的客户端设置".to_owned(),
            Self::Dialect => "邮件服务器的回应看不懂，系统会继续重试；如一直这样，请告诉系统管理员".to_owned(),
            Self::Disk => "本机磁盘或文件权限有问题，请系统管理员检查".to_owned(),
            Self::Setup => "系统设置有误，请系统管理员改正".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_that_providers_are_known_to_give_are_told_apart() {
        for (reply, cause) in [
            ("SELECT Unsafe Login. Please contact the help desk for help", Cause::Unsafe),
            ("LOGIN Login error or password error", Cause::Credentials),
            ("Error: authentication failed", Cause::Credentials),
            ("ERR.LOGIN.PASSERR", Cause::Credentials),
            ("User has no permission", Cause::ServiceOff),
            ("用户无权登陆", Cause::ServiceOff),
            ("User suspended", Cause::Locked),
            ("ERR.LOGIN.USERLOCKED user is locked", Cause::Locked),
            ("IP is rejected, smtp auth error limit exceed", Cause::TooOften),
            ("Requested mail action not taken: too much fail authentication", Cause::TooOften),
            ("auth failed (this user authenticate too many times)", Cause::TooOften),
            ("Login frequency limited", Cause::TooOften),
            ("Login Fail. Please enter your authorization code to login. More information in", Cause::CodeWanted),
            ("Please using authorized code to login.", Cause::CodeWanted),
            ("Error: 请使用授权码登录。详情请看", Cause::CodeWanted),
            ("Authorization code is expired", Cause::CodeExpired),
            (
                "Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, \
                 or system is busy. More information at",
                Cause::Unclear,
            ),
        ] {
            assert_eq!(Cause::told(reply), Some(cause), "{reply}");
        }
        assert_eq!(Cause::told("Mailbox does not exist"), None);
    }

    #[test]
    fn what_to_do_is_said_in_the_providers_own_terms() {
        let netease = Cause::CodeWanted.chinese(Provider::Netease163);
        assert!(netease.contains("授权码") && netease.contains("POP3/SMTP/IMAP"), "{netease}");
        let exmail = Cause::Credentials.advice(Provider::Exmail);
        assert!(exmail.contains("客户端专用密码") && !exmail.contains("授权码"), "{exmail}");
        let unclear = Cause::Unclear.chinese(Provider::Qq);
        assert!(unclear.contains("授权码不对") && unclear.contains("过于频繁"), "{unclear}");
    }
}
