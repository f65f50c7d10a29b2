//! Waiting for news: IDLE (RFC 2177) where it is wanted and offered, else sleep.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Session;
use crate::mailbox::Wake;
use crate::mailbox::answer::Item;
use crate::mailbox::dial::within;
use crate::mailbox::failure::{Fault, Kind, Step};
use crate::mailbox::wire::bye;

/// IDLE is renewed before the 29 minutes after which a server may hang up (RFC 2177 §3).
const RENEW: Duration = Duration::from_secs(28 * 60);

impl Session {
    /// Waits for news until `until` or until cancelled, by IDLE (RFC 2177) where it is wanted and offered, else asleep.
    /// Dropped half-way, the session must be dropped too; cancelled, it can be used again.
    pub async fn wait(&mut self, until: Instant, cancel: &CancellationToken) -> Result<Wake, Fault> {
        while !self.news && !cancel.is_cancelled() && Instant::now() < until {
            if !(self.idle && self.has("IDLE")) {
                tokio::select! {
                    () = sleep_until(until) => {}
                    () = cancel.cancelled() => {}
                }
                continue;
            }
            let Some(tag) = self.begin_idle().await? else {
                self.idle = false;
                continue;
            };
            self.hear(until.min(Instant::now() + RENEW), cancel).await?;
            let answer = within(self.wire.limit(), "DONE", async {
                self.wire.send("DONE").await?;
                self.wire.finish(&tag, "IDLE", Step::Other).await
            });
            let answer = answer.await?;
            self.note(&answer.items);
        }
        Ok(match self.news {
            true => Wake::News,
            false if cancel.is_cancelled() => Wake::Cancelled,
            false => Wake::Poll,
        })
    }

    /// `None`: the server refuses to idle, whatever it advertises.
    async fn begin_idle(&mut self) -> Result<Option<String>, Fault> {
        let limit = self.wire.limit();
        within(limit, "IDLE", async {
            let tag = self.wire.start("IDLE").await?;
            loop {
                for item in self.next().await? {
                    match item {
                        Item::Continue => return Ok(Some(tag)),
                        Item::Done(done) if done.tag == tag => return Ok(None),
                        _ => {}
                    }
                }
            }
        })
        .await
    }

    /// Listens until there is news, `until` has come, or it is cancelled.
    async fn hear(&mut self, until: Instant, cancel: &CancellationToken) -> Result<(), Fault> {
        while !self.news {
            tokio::select! {
                items = self.next() => drop(items?),
                () = sleep_until(until) => break,
                () = cancel.cancelled() => break,
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Vec<Item>, Fault> {
        let items = self.wire.next().await?;
        self.note(&items);
        match items.iter().find_map(bye) {
            Some(text) => Err(Fault::new(Kind::Network, format!("the server hung up: {text}"))),
            None => Ok(items),
        }
    }
}
