//! Tests against mail servers: real ones (Dovecot and Exim) and a scripted one that plays their oddities.
//!
//! A test that needs a server fails if it is missing; `scripts/test` installs them.

#[path = "../office/mod.rs"]
mod office;
#[path = "../support/mod.rs"]
mod support;

mod balance;
mod bounce;
mod branch;
mod confirm;
mod copies;
mod crash;
mod cutter;
mod mailbox_daemon;
mod mailbox_dovecot;
mod mailbox_scripted;
mod mailbox_take;
mod provider_dialogue;
mod provider_office;
mod providers;
mod tokens;
mod whole_way;
