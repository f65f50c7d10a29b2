//! A write transaction that seals what it has touched when it commits.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use anyhow::Result;
use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::seal::{self, Basis};
use crate::clock::Clock;

/// Dropped, it is rolled back.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Sqlite>,
    /// `None`: nothing is sealed.
    basis: Option<Arc<Basis>>,
}

impl Tx {
    pub(super) fn new(inner: Transaction<'static, Sqlite>, basis: Option<Arc<Basis>>) -> Self {
        Self { inner, basis }
    }

    /// Seals and commits.
    ///
    /// # Errors
    /// The ledger cannot be written; then nothing of it was.
    pub async fn commit(mut self) -> Result<()> {
        if let Some(basis) = &self.basis {
            // When something was written is a fact, also in a rehearsal.
            seal::touched(&mut self.inner, basis, Clock::System.now()).await?;
        }
        Ok(self.inner.commit().await?)
    }
}

impl Deref for Tx {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.inner
    }
}
