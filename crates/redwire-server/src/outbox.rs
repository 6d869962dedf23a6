use std::io::{self, ErrorKind, IoSlice};
use std::iter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use redwire_protocol::{Limits, Pace, Subject};
use tokio::time::Instant;

use crate::websocket::{Compression, Frame, Lingering, Stream, WRITE, write};
use crate::{Close, gathered};

mod queue;

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

/// When the frames that wait should leave.
#[derive(Debug, PartialEq)]
enum Due {
    Now,
    At(Instant),
    Never,
}

/// The socket is gone.
#[derive(Debug)]
pub(crate) struct Gone;

/// Frames wait for others to be gathered with at most for so long: a time that every clock can add.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Frames that are left waiting for others at most.
const MANY: usize = 256;

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

    /// What a frame that was just queued needs. The connection's task is woken if it is to write it,
    /// or to start its timer.
    fn flush_for(&self, mut queue: MutexGuard<'_, Queue>) -> Flush {
        if queue.is_blocked || queue.is_held {
            return Flush::No;
        }
        let is_due = queue.pace == Pace::AtOnce || self.due(&queue) == Due::Now;
        if queue.direct.is_none() || !is_due {
            if is_due || queue.frames.len() == 1 {
                drop(queue);
                self.task.wake();
            }
            return Flush::No;
        }
        let is_much = queue.bytes >= WRITE.min(self.limits.outbox_bytes / 2)
            || queue.frames.len()
                >= MANY.min(self.limits.outbox_messages / 2).min(self.limits.outbox_subjects / 2);
        match std::mem::replace(&mut queue.is_scheduled, true) {
            _ if is_much => Flush::Now,
            true => Flush::No,
            false => Flush::Soon,
        }
    }

    /// Writes what is due into the socket; what the socket does not take is left to the connection's
    /// task.
    pub(crate) fn flush(&self) {
        let mut queue = self.queue();
        queue.is_scheduled = false;
        if queue.is_blocked {
            return;
        }
        let Some(direct) = queue.direct.take() else { return };
        let written = self.write_due(&mut queue, |slices| direct.try_write(slices));
        queue.direct = Some(direct);
        queue.is_blocked = written.is_err();
        let was_replay_taken = queue.take_replay();
        // What is left waits for the socket, or for a time that only the task can wait for.
        let is_left = !queue.frames.is_empty();
        drop(queue);
        if is_left || was_replay_taken {
            self.task.wake();
        }
    }

    /// The same from the connection's task: ready when nothing that is due is left. `draining` hears
    /// that a socket that was full has taken some.
    pub(crate) fn poll_flush(
        &self,
        context: &mut Context<'_>,
        stream: &mut Stream,
        draining: impl FnOnce(),
    ) -> Poll<Result<(), Gone>> {
        let mut queue = self.queue();
        queue.is_scheduled = false;
        let (was_blocked, mut taken) = (queue.is_blocked, 0);
        let written =
            self.write_due(&mut queue, |slices| match stream.poll_write(context, slices) {
                Poll::Ready(written) => written.inspect(|written| taken += written),
                Poll::Pending => Err(ErrorKind::WouldBlock.into()),
            });
        queue.is_blocked = written.is_err();
        queue.take_replay();
        if was_blocked && taken > 0 {
            draining();
        }
        match written {
            Ok(()) => stream.poll_flush(context).map_err(|_| Gone),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
            Err(_) => Poll::Ready(Err(Gone)),
        }
    }

    fn write_due(
        &self,
        queue: &mut Queue,
        mut socket: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<()> {
        loop {
            if queue.begun == 0 {
                self.gather(queue);
                queue.admit_controls();
            }
            match queue.ready() {
                0 => return Ok(()),
                ready => {
                    let frames = queue.frames.iter().take(ready).map(|waiting| &waiting.frame);
                    let written = write(frames, queue.begun, &mut socket)?;
                    queue.advance(written);
                }
            }
        }
    }

    /// Makes one frame of pushes that are due together.
    fn gather(&self, queue: &mut Queue) {
        let Pace::Gathered { count, .. } = queue.pace else { return };
        if !queue.is_held && queue.ready() == 0 && self.due(queue) == Due::Now {
            let frames = queue.take_pushes(count, self.limits.buffer_bytes);
            queue.put_back(self.frame(gathered::encode(&frames)));
        }
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

    /// When what is being gathered has waited long enough, which may have come to be since the task has
    /// last flushed. Nothing is gathered while the socket is full.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let queue = self.queue();
        if queue.pace == Pace::AtOnce || queue.is_blocked || queue.is_held {
            return None;
        }
        match self.due(&queue) {
            Due::At(time) => Some(time),
            Due::Now => Some(Instant::now()),
            Due::Never => None,
        }
    }

    fn due(&self, queue: &Queue) -> Due {
        if queue.frames.is_empty() {
            return Due::Never;
        }
        let Pace::Gathered { wait, count } = queue.pace else { return Due::Now };
        // What is gathered must not be what fills the queue.
        let is_enough = queue.frames.len() >= count
            || queue.bytes >= self.limits.buffer_bytes.min(self.limits.outbox_bytes / 2)
            || queue.messages >= self.limits.outbox_messages / 2;
        if is_enough || queue.replies > 0 || queue.pressed || queue.close.is_some() {
            return Due::Now;
        }
        let now = Instant::now();
        match queue.since.map(|since| since + wait) {
            Some(time) if now < time => Due::At(time),
            _ => Due::Now,
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
