use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use redwire_protocol::{Limits, Pace, Subject};
use tokio::time::Instant;

use crate::Close;
use crate::websocket::{Compression, Frame, Lingering};

mod leaving;
mod queue;

use leaving::Due;
pub(crate) use leaving::Gone;
use queue::{Kind, Queue};

/// A connection's bounded queue of ready frames, and the way out of it.
///
/// The rule for a full one: whoever cannot keep up is closed with [`Close::TooSlow`], what waited is
/// freed at once, and nobody else notices. Frames with a [`Subject`] do not fill it: a newer one takes
/// the older one's place.
///
/// Whoever queues a frame is told what has to be done for it to leave. Nobody is woken for that: the
/// hub writes into the socket itself, and the connection's task takes over when the socket is full.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    /// The connection's task.
    task: AtomicWaker,
    pub(crate) compression: Option<Compression>,
    limits: Arc<Limits>,
}

/// A frame that the client did not ask for.
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) frame: Frame,
    pub(crate) subject: Option<Subject>,
}

/// What has to be done for frames that were queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub(crate) enum Flush {
    /// Nothing: somebody else does it.
    No,
    /// Nothing: some have been written, and somebody else does the rest.
    Done,
    /// [`Outbox::flush`], when there is nothing more to queue.
    Soon,
}

/// Frames wait for others to be gathered with at most for so long: a time that every clock can add.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

impl Outbox {
    /// An outbox for whatever is under the connection: `direct` if that is a socket.
    pub(crate) fn new(
        limits: &Arc<Limits>,
        direct: Option<Arc<Lingering>>,
        compression: Option<Compression>,
    ) -> Self {
        Self {
            queue: Mutex::new(Queue::new(direct)),
            task: AtomicWaker::new(),
            compression,
            limits: Arc::clone(limits),
        }
    }

    /// Queues bytes that have to leave before any frame.
    pub(crate) fn begin_with(&self, answer: Bytes) {
        if !answer.is_empty() {
            self.queue().append(Frame::ready(answer), Kind::Leaving);
        }
    }

    /// The frame of a text that only this connection gets.
    pub(crate) fn frame(&self, text: Bytes) -> Frame {
        match &self.compression {
            Some(compression) => compression.frame(text),
            None => Frame::text(text),
        }
    }

    /// Queues a push, or closes the connection if there is no room for it.
    pub(crate) fn push(&self, push: Push) -> Flush {
        self.put(&mut self.queue(), push)
    }

    /// The same for several at once. If they `leave`, nothing is to leave together with them: then they
    /// are written, and where nothing waits without having been queued.
    pub(crate) fn push_all(&self, pushes: &mut Vec<Push>, leave: bool) -> Flush {
        let mut queue = self.queue();
        let mut flush = if leave { self.write_through(&mut queue, pushes) } else { Flush::No };
        for push in pushes.drain(..) {
            flush = flush.max(self.put(&mut queue, push));
        }
        if leave && flush == Flush::Soon {
            self.flush_queue(&mut queue);
            flush = Flush::Done;
        }
        flush
    }

    /// Queues a word about the connection itself, which is never gathered.
    pub(crate) fn push_status(&self, text: Bytes) -> Flush {
        let (mut queue, frame) = (self.queue(), Frame::text(text));
        if queue.is_over() {
            return Flush::No;
        }
        if !self.has_room(&queue, &frame, 1) {
            return self.too_slow(&mut queue);
        }
        queue.append(frame, Kind::Reply);
        self.flush_for(&mut queue)
    }

    /// Queues a reply, or gives it back: replies take only half of the room, so that a client that
    /// reads a large one is not closed for what is published meanwhile. A closed outbox swallows it.
    pub(crate) fn offer(&self, reply: Frame) -> Result<Flush, Frame> {
        let mut queue = self.queue();
        if queue.is_over() {
            return Ok(Flush::No);
        }
        if !self.has_room(&queue, &reply, 2) {
            queue.pressed = true;
            return Err(reply);
        }
        queue.append(reply, Kind::Reply);
        Ok(self.flush_for(&mut queue))
    }

    /// Queues a ping or a pong before all that waits.
    pub(crate) fn control(&self, frame: Frame) {
        self.queue().keep_control(frame);
    }

    /// Queues the last frame of all: nothing may follow a close frame (RFC 6455, section 5.5.1).
    pub(crate) fn finish(&self, frame: Frame) {
        let mut queue = self.queue();
        // A replay that is being made will not be read.
        (queue.is_finished, queue.is_held) = (true, false);
        queue.append(frame, Kind::Reply);
    }

    /// Drops the states that wait: a replay says all that still holds of them.
    pub(crate) fn forget_states(&self) {
        self.queue().forget_states();
    }

    /// What was queued up to here since [`forget_states`](Self::forget_states) is a replay.
    pub(crate) fn replayed(&self) {
        let mut queue = self.queue();
        queue.after_replay = Some(queue.next_number());
    }

    /// Whether the client has taken the last replay, or nothing is due: to send it another one before
    /// would only be work. The task is woken when it has.
    pub(crate) fn is_taken(&self) -> bool {
        let queue = self.queue();
        queue.after_replay.is_none() || self.due(&queue) != Due::Now
    }

    /// Whether pushes wait, whatever comes; replies do not.
    pub(crate) fn hold(&self, is_held: bool) {
        self.queue().is_held = is_held;
    }

    /// How pushes leave from now on.
    pub(crate) fn set_pace(&self, pace: Pace) {
        // A command of the user's own may say anything.
        let pace = match pace {
            Pace::Gathered { wait, count } => {
                Pace::Gathered { wait: wait.min(LONGEST_WAIT), count: count.max(1) }
            }
            pace => pace,
        };
        let mut queue = self.queue();
        if queue.pace != pace {
            queue.pace = pace;
            queue.since = (!queue.frames.is_empty()).then(Instant::now);
        }
    }

    /// Queues a push, in the place of an older one about the same.
    fn put(&self, queue: &mut Queue, Push { frame, subject }: Push) -> Flush {
        if queue.is_over() {
            return Flush::No;
        }
        let (frame, kind) = match subject {
            None if self.has_room(queue, &frame, 1) => (frame, Kind::Push),
            None => return self.too_slow(queue),
            Some(subject) => match queue.replace(subject, frame) {
                Ok(()) => return Flush::No,
                Err(frame) if queue.subjects.len() < self.limits.outbox_subjects => {
                    (frame, Kind::About(subject))
                }
                Err(_) => return self.too_slow(queue),
            },
        };
        queue.append(frame, kind);
        self.flush_for(queue)
    }

    /// Whether it fits into one `part`th of the room. A first frame of any size does: the bound is on
    /// what waits behind it.
    fn has_room(&self, queue: &Queue, frame: &Frame, part: usize) -> bool {
        queue.messages == 0
            || queue.bytes - queue.first + frame.payload.len() <= self.limits.outbox_bytes / part
                && queue.messages < self.limits.outbox_messages / part
    }

    fn too_slow(&self, queue: &mut Queue) -> Flush {
        self.close_queue(queue, Close::TooSlow);
        Flush::No
    }

    /// Asks the connection to end; the first reason counts.
    pub(crate) fn close(&self, close: Close) {
        self.close_queue(&mut self.queue(), close);
    }

    fn close_queue(&self, queue: &mut Queue, close: Close) {
        queue.close.get_or_insert(close);
        if close == Close::TooSlow && !queue.is_finished {
            queue.drop_waiting();
        }
        self.task.wake();
    }

    /// Lets go of the socket, which closes when the connection does.
    pub(crate) fn hang_up(&self) {
        self.queue().direct = None;
    }

    /// Why the connection has to end.
    pub(crate) fn closing(&self) -> Option<Close> {
        self.queue().close
    }

    /// Whether the socket is full.
    pub(crate) fn is_blocked(&self) -> bool {
        self.queue().is_blocked
    }

    /// The task to wake when there is something for it to do.
    pub(crate) fn register(&self, context: &Context<'_>) {
        self.task.register(context.waker());
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
