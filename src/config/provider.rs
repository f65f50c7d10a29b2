//! What is known of the mail providers: servers, habits, limits, and what they call things. Data. Pure.
//!
//! Hosts and menus are the providers' own. No provider publishes how much one account may send: the paces are below
//! what users report to be safe, and can be set. None writes a stable `authserv_id`, so there is no default for it.

use std::str::FromStr;

/// `provider` of a `[[mailbox]]` or of `[smtp]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    Netease163,
    Netease126,
    NeteaseYeah,
    Qq,
    Exmail,
    #[default]
    Generic,
}

/// How a provider wants to be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// As in the configuration.
    pub name: &'static str,
    /// What its servers' names end with.
    pub domain: &'static str,
    /// Server names; empty where the configuration has to give them.
    pub imap: &'static str,
    pub smtp: &'static str,
    /// IDLE is worth trying where it is offered.
    pub idle: bool,
    /// Seconds; asked more often, the provider begins to refuse logins.
    pub smallest_poll: u64,
    /// SELECT is refused to a client that has not sent ID after LOGIN, whether ID was advertised or not.
    pub demands_id: bool,
    /// A refused login may as well mean “too often”: one reply stands for everything.
    pub unclear_login: bool,
    /// Mails a minute.
    pub per_minute: u32,
    /// Mails in 24 hours; 0: no limit.
    pub per_day: u32,
    /// What a program logs in with instead of the password.
    pub code: &'static str,
    /// Where in the web mail IMAP and SMTP are switched on and the code is made.
    pub menu: &'static str,
}

const NETEASE: Habits = Habits {
    name: "163",
    domain: "163.com",
    imap: "imap.163.com",
    smtp: "smtp.163.com",
    idle: false,
    smallest_poll: 60,
    demands_id: true,
    unclear_login: false,
    per_minute: 10,
    per_day: 200,
    code: "授权码",
    menu: "设置 → POP3/SMTP/IMAP",
};

const QQ: Habits = Habits {
    name: "qq",
    domain: "qq.com",
    imap: "imap.qq.com",
    smtp: "smtp.qq.com",
    idle: true,
    smallest_poll: 120,
    demands_id: false,
    unclear_login: true,
    per_minute: 6,
    per_day: 100,
    code: "授权码",
    menu: "设置 → 账号 → POP3/IMAP/SMTP/Exchange/CardDAV/CalDAV 服务",
};

const EXMAIL: Habits = Habits {
    name: "exmail",
    domain: "exmail.qq.com",
    imap: "imap.exmail.qq.com",
    smtp: "smtp.exmail.qq.com",
    per_minute: 10,
    per_day: 200,
    code: "客户端专用密码",
    menu: "设置 → 客户端设置；专用密码在“设置 → 账户 → 安全登录”",
    ..QQ
};

const GENERIC: Habits = Habits {
    name: "generic",
    domain: "",
    imap: "",
    smtp: "",
    idle: true,
    smallest_poll: 1,
    demands_id: false,
    unclear_login: false,
    per_minute: 20,
    per_day: 0,
    code: "授权码",
    menu: "设置 → POP3/SMTP/IMAP",
};

impl Provider {
    pub fn habits(self) -> Habits {
        match self {
            Self::Netease163 => NETEASE,
            Self::Netease126 => {
                Habits { name: "126", domain: "126.com", imap: "imap.126.com", smtp: "smtp.126.com", ..NETEASE }
            }
            Self::NeteaseYeah => {
                Habits { name: "yeah", domain: "yeah.net", imap: "imap.yeah.net", smtp: "smtp.yeah.net", ..NETEASE }
            }
            Self::Qq => QQ,
            Self::Exmail => EXMAIL,
            Self::Generic => GENERIC,
        }
    }

    /// Whose server this is, as far as the name tells; the longest domain counts (`imap.exmail.qq.com`).
    pub fn of_host(host: &str) -> Self {
        let host = host.trim_end_matches('.').to_lowercase();
        let under = |domain: &str| {
            let rest = if domain.is_empty() { None } else { host.strip_suffix(domain) };
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let known = ALL.into_iter().filter(|provider| under(provider.habits().domain));
        known.max_by_key(|provider| provider.habits().domain.len()).unwrap_or_default()
    }

    pub fn is_netease(self) -> bool {
        matches!(self, Self::Netease163 | Self::Netease126 | Self::NeteaseYeah)
    }

    pub fn is_tencent(self) -> bool {
        matches!(self, Self::Qq | Self::Exmail)
    }
}

const ALL: [Provider; 6] = [
    Provider::Netease163,
    Provider::Netease126,
    Provider::NeteaseYeah,
    Provider::Qq,
    Provider::Exmail,
    Provider::Generic,
];

impl FromStr for Provider {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || ALL.map(|p| format!("\"{}\"", p.habits().name)).join(", ");
        let found = ALL.into_iter().find(|p| p.habits().name == text);
        found.ok_or_else(|| format!("`{text}` is unknown; allowed: {}", names()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_its_provider_and_its_own_servers() {
        for provider in ALL {
            let habits = provider.habits();
            assert_eq!(habits.name.parse(), Ok(provider));
            assert_eq!(habits.imap.replacen("imap", "smtp", 1), habits.smtp);
        }
        let error = "sina".parse::<Provider>().unwrap_err();
        assert!(error.contains("`sina` is unknown") && error.contains("\"126\", \"yeah\", \"qq\""), "{error}");
    }

    #[test]
    fn a_servers_name_tells_whose_it_is() {
        for provider in ALL {
            assert_eq!(Provider::of_host(provider.habits().imap), provider);
            assert_eq!(Provider::of_host(provider.habits().smtp), provider);
        }
        assert_eq!(Provider::of_host("HWIMAP.exmail.qq.com."), Provider::Exmail);
        assert_eq!(Provider::of_host("imap.vip.163.com"), Provider::Netease163);
        for other in ["", "127.0.0.1", "imap.mail.example", "my163.com", "imap.qq.com.example"] {
            assert_eq!(Provider::of_host(other), Provider::Generic, "{other}");
        }
    }
}
