//! The registry (`units`): who owes returns, and which addresses speak for whom.

#[derive(Clone, Debug, Default)]
pub struct Registry {
    pub units: Vec<Unit>,
}

/// A unit (填报单位).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    pub name: String,
    pub aliases: Vec<String>,
    /// `street`, `town`, `zone`, `bureau`
    pub kind: String,
    /// Stream keys that the unit owes returns for.
    pub streams: Vec<String>,
    /// Whole addresses, lower case.
    pub addresses: Vec<String>,
    /// Whole domains, lower case, written in the file without `@`.
    pub domains: Vec<String>,
    pub supervisor: Option<String>,
    /// New party organisations wanted, by stream key.
    pub quotas: Vec<(String, u32)>,
}

impl Registry {
    pub fn unit(&self, name: &str) -> Option<&Unit> {
        self.units.iter().find(|u| u.name == name)
    }
}

impl Unit {
    pub fn quota(&self, stream: &str) -> Option<u32> {
        self.quotas.iter().find(|(s, _)| s == stream).map(|(_, n)| *n)
    }
}
