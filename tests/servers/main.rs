//! Tests against mail servers: real ones (Dovecot and Exim) and a scripted one that plays their oddities.
//!
//! A test that needs a server fails if it is missing; `scripts/test` installs them.

#[path = "../support/mod.rs"]
mod support;

mod mailbox_dovecot;
mod mailbox_scripted;
mod mailbox_take;
