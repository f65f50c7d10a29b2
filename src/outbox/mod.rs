//! The outbox: mail that leaves. What it says ([`compose`]), how it is built ([`mail`]), the durable queue
//! ([`post`], [`store`]), what follows an attempt ([`retry`], [`refusal`]), the wire ([`transport`], [`smtp`]), and the worker's step ([`deliver`]).
//!
//! Invariant: a mail is queued in the transaction that decides on it, and dialled only after its attempt is recorded.

pub mod bounced;
pub mod budget;
pub mod compose;
pub mod deliver;
pub mod mail;
pub mod post;
pub mod refusal;
pub mod retry;
pub mod smtp;
pub mod store;
pub mod transport;

#[cfg(test)]
mod scripted_smtp;

pub use deliver::{Delivered, admitted, deliver_due};
pub use mail::{Attached, AutoSubmitted, Kind, Outgoing};
pub use post::{About, PostError, post};
pub use transport::Transport;
