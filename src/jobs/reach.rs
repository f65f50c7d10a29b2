//! Reach: the address of a unit that mail of our own accord goes to.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::SqliteConnection;

use crate::config::Unit;
use crate::ledger::store;
use crate::message::sender::Cause;
use crate::outbox::bounced;

/// What there is to choose from.
pub struct Directory {
    /// Address and unit that people have decided to trust, oldest first.
    trusted: Vec<(String, String)>,
    /// What stands against addresses.
    avoided: BTreeMap<String, Cause>,
}

/// How a unit is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    pub address: Option<String>,
    /// Its addresses that do not exist any more.
    pub dead: Vec<String>,
}

impl Directory {
    pub async fn load(conn: &mut SqliteConnection) -> Result<Self> {
        let trusted = store::trusted(&mut *conn).await?.into_iter().map(|t| (t.address, t.unit)).collect();
        Ok(Self { trusted, avoided: bounced::avoided(conn).await? })
    }

    /// The registered addresses in their order, then the trusted ones: the first that nothing stands against, else one
    /// whose mailbox is full, or that sent mail back without a reason. Never one that does not exist: such a unit is told to the department instead. That a mail
    /// was refused says nothing about an address.
    pub fn reach(&self, unit: &Unit) -> Reach {
        let trusted = self.trusted.iter().filter(|(_, of)| *of == unit.name).map(|(address, _)| address);
        let all: Vec<&String> = unit.addresses.iter().chain(trusted).collect();
        let address = self.best(&all);
        let dead = all.iter().filter(|a| self.avoided.get(**a) == Some(&Cause::NoSuchAddress));
        let mut dead: Vec<String> = dead.map(|a| (*a).clone()).collect();
        dead.dedup();
        Reach { address, dead }
    }

    /// The registered address that may speak for a unit. One that is only trusted may not vouch for others.
    pub fn registered(&self, unit: &Unit) -> Option<String> {
        self.best(&unit.addresses.iter().collect::<Vec<_>>())
    }

    fn best(&self, all: &[&String]) -> Option<String> {
        let with = |cause: Option<Cause>| all.iter().find(|a| self.avoided.get(**a).copied() == cause);
        let causes = [None, Some(Cause::Full), Some(Cause::Unsaid)];
        causes.into_iter().find_map(with).map(|a| (*a).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(addresses: &[&str], trusted: &[&str], avoided: &[(&str, Cause)]) -> Option<String> {
        let unit = Unit {
            name: "云岭街道".into(),
            addresses: addresses.iter().map(|a| (*a).to_owned()).collect(),
            ..Unit::default()
        };
        let directory = Directory {
            trusted: trusted.iter().map(|a| ((*a).to_owned(), unit.name.clone())).collect(),
            avoided: avoided.iter().map(|(a, c)| ((*a).to_owned(), *c)).collect(),
        };
        directory.reach(&unit).address
    }

    #[test]
    fn mail_turns_from_addresses_that_do_not_exist_or_are_full_and_from_no_others() {
        let both = ["a@x.test", "b@x.test"];
        let dead = ("a@x.test", Cause::NoSuchAddress);
        assert_eq!(reach(&both, &[], &[]).as_deref(), Some("a@x.test"));
        assert_eq!(reach(&both, &[], &[dead]).as_deref(), Some("b@x.test"));
        assert_eq!(reach(&both, &[], &[("a@x.test", Cause::Full)]).as_deref(), Some("b@x.test"));
        assert_eq!(reach(&both, &[], &[("a@x.test", Cause::Unsaid)]).as_deref(), Some("b@x.test"));
        assert_eq!(reach(&["a@x.test"], &[], &[("a@x.test", Cause::Unsaid)]).as_deref(), Some("a@x.test"));
        assert_eq!(reach(&both, &["c@x.test"], &[dead, ("b@x.test", Cause::Full)]).as_deref(), Some("c@x.test"));
        assert_eq!(reach(&both, &[], &[dead, ("b@x.test", Cause::Full)]).as_deref(), Some("b@x.test"));
        assert_eq!(reach(&["a@x.test"], &[], &[dead]), None);
        assert_eq!(reach(&[], &["c@x.test"], &[]).as_deref(), Some("c@x.test"));
        assert_eq!(reach(&[], &[], &[]), None);
    }
}
