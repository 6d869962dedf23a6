use std::fmt;
use std::mem;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use redis::Value;
use tokio::sync::watch;

use super::Verdict;
use crate::Error;

/// How far a transaction is.
#[derive(Debug)]
pub(super) enum Phase {
    Collecting,
    Sent,
    Done(Verdict),
    Dropped,
}

impl Phase {
    /// Nothing more will happen to it.
    pub(super) fn end(&mut self, endpoint: Arc<str>) {
        *self = match mem::replace(self, Self::Dropped) {
            Self::Sent => Self::Done(Err(Error::Lost { endpoint, command: "EXEC".to_owned() })),
            Self::Collecting | Self::Dropped => Self::Dropped,
            done @ Self::Done(_) => done,
        };
    }
}

/// One command of a [`Transaction`](super::Transaction). Awaited after the transaction it is the reply.
///
/// It fails with [`Error::Invalid`] while the transaction is not executed, and if it never was; with
/// [`Error::Lost`] if it was not executed to its end; and with whatever failed the transaction.
#[derive(Clone)]
pub struct Queued {
    name: String,
    place: usize,
    phase: watch::Receiver<Phase>,
}

impl Queued {
    pub(super) fn new(name: String, place: usize, phase: watch::Receiver<Phase>) -> Self {
        Self { name, place, phase }
    }

    async fn reply(mut self) -> Result<Value, Error> {
        let (command, place) = (self.name, self.place);
        // The sender ends with `Dropped` or `Done`.
        let _ = self.phase.wait_for(|phase| !matches!(phase, Phase::Sent)).await;
        let problem = match &*self.phase.borrow() {
            Phase::Done(Err(error)) => return Err(error.clone()),
            Phase::Done(Ok(replies)) => match replies.get(place) {
                Some(reply) => return reply.clone(),
                None => "Redis did not answer it",
            },
            Phase::Collecting | Phase::Sent => "Command is not finalized yet",
            Phase::Dropped => "Multiple command aborted",
        };
        Err(Error::Invalid { command, problem: problem.into() })
    }
}

impl IntoFuture for Queued {
    type Output = Result<Value, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.reply())
    }
}

/// Without the replies.
impl fmt::Debug for Queued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queued").field("name", &self.name).finish_non_exhaustive()
    }
}
