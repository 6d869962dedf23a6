use std::iter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use redwire_protocol::{Limits, Pace, Subject};
use tokio::time::Instant;

use crate::Close;
use crate::websocket::{Compression, Frame, Lingering, write};

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

/// What has to be done for a frame that was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Flush {
    /// Somebody else does it.
    No,
    /// [`Outbox::flush`], when there is nothing more to queue.
    Soon,
    /// [`Outbox::flush`], before more is queued.
    Now,
    /// Nothing: it has been written.
    Done,
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

    /// The frame of a text that only this connection gets.
    pub(crate) fn frame(&self, text: Bytes) -> Frame {
        match &self.compression {
            Some(compression) => compression.frame(text),
            None => Frame::text(text),
        }
    }

    /// Queues a push, or closes the connection if there is no room for it.
    pub(crate) fn push(&self, frame: Frame, subject: Option<Subject>) -> Flush {
        match subject {
            Some(subject) => self.put_about(subject, frame),
            None => self.put(frame, Kind::Push, 1).unwrap_or_else(|_| self.too_slow()),
        }
    }

    /// The same for a push that nothing is to leave together with: where nothing waits, it is written
    /// without being queued.
    pub(crate) fn push_through(&self, frame: Frame, subject: Option<Subject>) -> Flush {
        let mut queue = self.queue();
        let Some(direct) = queue.idle() else {
            drop(queue);
            return self.push(frame, subject);
        };
        let written = write(iter::once(&frame), 0, |slices| direct.try_write(slices));
        if !written.as_ref().is_ok_and(|written| *written == frame.wire_len()) {
            queue.append(frame, subject.map_or(Kind::Push, Kind::About));
            queue.advance(written.unwrap_or(0));
            queue.is_blocked = true;
            drop(queue);
            self.task.wake();
        }
        Flush::Done
    }

    /// Queues a word about the connection itself, which is never gathered.
    pub(crate) fn push_status(&self, text: Bytes) -> Flush {
        self.put(Frame::text(text), Kind::Reply, 1).unwrap_or_else(|_| self.too_slow())
    }

    /// Queues a reply, or gives it back: replies take only half of the room, so that a client that
    /// reads a large one is not closed for what is published meanwhile.
    pub(crate) fn offer(&self, reply: Frame) -> Result<Flush, Frame> {
        self.put(reply, Kind::Reply, 2).inspect_err(|_| self.queue().pressed = true)
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

    /// Queues a frame if it fits into one `part`th of the room. A closed outbox swallows it.
    fn put(&self, frame: Frame, kind: Kind, part: usize) -> Result<Flush, Frame> {
        let mut queue = self.queue();
        if queue.is_over() {
            return Ok(Flush::No);
        }
        // A first frame of any size is taken: the bound is on what waits behind it.
        if queue.messages > 0 {
            let bytes = queue.bytes - queue.first + frame.payload.len();
            if bytes > self.limits.outbox_bytes / part
                || queue.messages >= self.limits.outbox_messages / part
            {
                return Err(frame);
            }
        }
        queue.append(frame, kind);
        Ok(self.flush_for(queue))
    }

    /// Queues a frame in the place of an older one about the same.
    fn put_about(&self, subject: Subject, frame: Frame) -> Flush {
        let mut queue = self.queue();
        if queue.is_over() {
            return Flush::No;
        }
        let Err(frame) = queue.replace(subject, frame) else { return Flush::No };
        if queue.subjects.len() >= self.limits.outbox_subjects {
            drop(queue);
            return self.too_slow();
        }
        queue.append(frame, Kind::About(subject));
        self.flush_for(queue)
    }

    fn too_slow(&self) -> Flush {
        self.close(Close::TooSlow);
        Flush::No
    }

    /// Asks the connection to end; the first reason counts.
    pub(crate) fn close(&self, close: Close) {
        let mut queue = self.queue();
        queue.close.get_or_insert(close);
        if close == Close::TooSlow && !queue.is_finished {
            queue.drop_waiting();
        }
        drop(queue);
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
