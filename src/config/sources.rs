//! The files that a configuration was read from, as they were read: by these the ledger came to be, so a seal names their
//! digests and a backup holds them. They hold no secrets: `load` takes a password's whereabouts only.

use sha2::{Digest, Sha256};

/// Texts and bytes as they lay on the disk.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The configuration itself.
    pub settings: String,
    /// The registry: its file's name, and the file.
    pub registry: (String, Vec<u8>),
    /// The form files by name; none where those that are built in are used.
    pub forms: Vec<(String, String)>,
}

impl Sources {
    /// SHA-256 of the form files, the registry and the settings.
    pub fn digests(&self) -> [String; 3] {
        let forms = self.forms.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]);
        [digest(forms), digest([self.registry.1.as_slice()]), digest([self.settings.as_bytes()])]
    }
}

/// Each part counts with its length, so that none can run into the next.
fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}
