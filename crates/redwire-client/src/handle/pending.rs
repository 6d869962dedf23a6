use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::future::BoxFuture;
use redis::{Cmd, Value};
use tokio::task::JoinHandle;

use super::Redis;
use crate::catalogue::name_of;
use crate::{Error, Outcome};

/// A command that was sent, as a future of its reply. Dropping it does not take the command back.
#[must_use = "without awaiting it nobody knows whether the command succeeded; `drop` it to say so"]
pub struct Pending(State);

enum State {
    Sent(BoxFuture<'static, Result<Value, Error>>),
    /// What cannot be sent at once: it blocks, or the server has to be asked what it is.
    Elsewhere(JoinHandle<Result<Value, Error>>, Cow<'static, str>),
}

impl Pending {
    pub(super) fn new(redis: &Redis, command: Cmd) -> Self {
        let name = name_of(&command);
        let redis = redis.clone();
        let since = Instant::now();
        let known = redis.known_flags(&name, &command);
        let sent = match &known {
            Ok(Some(flags)) if !flags.blocking => redis.send_now(&name, &command, flags.fast),
            Ok(_) => None,
            Err(error) => Some(Err(error.clone())),
        };
        let flags = known.ok().flatten().unwrap_or_default();
        let family = flags.family;
        Self(match sent {
            Some(Ok(pending)) if redis.inner.servers.redirects() => {
                // Also if nobody awaits it.
                let repeatable = redis.is_repeatable(flags);
                let task = tokio::spawn(async move {
                    let outcome = pending.reply().await;
                    if redis.inner.servers.is_elsewhere(&outcome, repeatable) {
                        let again = redis.command(&command).await;
                        return again.map_err(|error| match (error.outcome(), outcome) {
                            // The first attempt may have been carried out.
                            (Outcome::NotSent, Err(first))
                                if first.outcome() == Outcome::Unknown =>
                            {
                                first
                            }
                            _ => error,
                        });
                    }
                    redis.inner.observed.done(family, since, &outcome);
                    redis.refined(&name_of(&command), outcome?)
                });
                State::Elsewhere(task, name)
            }
            Some(Ok(pending)) => State::Sent(Box::pin(async move {
                let reply = pending.reply().await;
                redis.inner.observed.done(family, since, &reply);
                redis.refined(&name, reply?)
            })),
            Some(Err(error)) => State::Sent(Box::pin(std::future::ready(Err(error)))),
            None => {
                let task = tokio::spawn(async move { redis.command(&command).await });
                State::Elsewhere(task, name)
            }
        })
    }
}

impl Future for Pending {
    type Output = Result<Value, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Sent(reply) => reply.as_mut().poll(context),
            State::Elsewhere(task, name) => Pin::new(task).poll(context).map(|reply| {
                // The runtime ends, or redis-rs panicked.
                reply.unwrap_or_else(|_| Err(Error::Closed { command: name.to_string() }))
            }),
        }
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}
