use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::task::consume_budget;

use super::assembler::Assembler;
use super::socket::Stream;
use super::{Message, Unreadable};

/// The reading half of a connection. A client that is silent has no buffer.
#[derive(Debug)]
pub(crate) struct Reader {
    assembler: Assembler,
    /// What has come and is not understood yet, from `read` on.
    pending: Vec<u8>,
    read: usize,
}

/// Why nothing more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Unreadable(Unreadable),
    Gone,
}

impl Reader {
    /// Reads messages of at most `max` bytes, compressed ones if it `inflates`; `early` has come
    /// already.
    pub(crate) fn new(max: usize, inflates: bool, early: &Bytes) -> Self {
        Self { assembler: Assembler::new(max, inflates), pending: early.to_vec(), read: 0 }
    }

    /// The next message of those that have come.
    pub(crate) fn next(&mut self) -> Result<Option<Message>, Ended> {
        let mut rest = self.pending.get(self.read..).unwrap_or_default();
        let message = self.assembler.read(&mut rest).map_err(Ended::Unreadable);
        self.read = self.pending.len() - rest.len();
        if rest.is_empty() {
            (self.pending, self.read) = (Vec::new(), 0);
        }
        message
    }

    pub(crate) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        stream: &mut Stream,
    ) -> Poll<Result<Message, Ended>> {
        loop {
            // As tokio's own streams do: whoever sends without an end does not keep its thread, and
            // its deadlines are looked at.
            ready!(pin!(consume_budget()).poll(context));
            if let Some(message) = self.next()? {
                return Poll::Ready(Ok(message));
            }
            let pending = &mut self.pending;
            pending.drain(..self.read);
            self.read = 0;
            let taken = stream.poll_read(context, |bytes| pending.extend_from_slice(bytes));
            match ready!(taken) {
                Ok(0) | Err(_) => return Poll::Ready(Err(Ended::Gone)),
                Ok(_) => {}
            }
        }
    }
}
