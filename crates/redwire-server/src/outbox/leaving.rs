//! How frames leave an [`Outbox`]: when they are due, through whoever has the socket.

use std::io::{self, ErrorKind, IoSlice};
use std::task::{Context, Poll};

use redwire_protocol::Pace;
use tokio::time::Instant;

use super::queue::{Kind, Queue};
use super::{Flush, Outbox, Push};
use crate::gathered;
use crate::websocket::{Stream, WRITE, write};

/// When the frames that wait should leave.
#[derive(Debug, PartialEq)]
pub(super) enum Due {
    Now,
    At(Instant),
    Never,
}

/// The socket is gone.
#[derive(Debug)]
pub(crate) struct Gone;

/// Frames that are left waiting for others at most.
const MANY: usize = 256;

impl Outbox {
    /// What a frame that was just queued needs. If there is much to write already, it is written. The
    /// connection's task is woken if it is to write it, or to start its timer.
    pub(super) fn flush_for(&self, queue: &mut Queue) -> Flush {
        if queue.is_blocked || queue.is_held {
            return Flush::No;
        }
        let is_due = self.due(queue) == Due::Now;
        if queue.direct.is_none() || !is_due {
            if is_due || queue.frames.len() == 1 {
                self.task.wake();
            }
            return Flush::No;
        }
        let is_much = queue.bytes >= WRITE.min(self.limits.outbox_bytes / 2)
            || queue.frames.len()
                >= MANY.min(self.limits.outbox_messages / 2).min(self.limits.outbox_subjects / 2);
        if is_much {
            self.flush_queue(queue);
            return Flush::Done;
        }
        match std::mem::replace(&mut queue.is_scheduled, true) {
            true => Flush::No,
            false => Flush::Soon,
        }
    }

    /// Writes pushes past an empty queue; those that did not leave stay in `pushes`, but for one that
    /// has begun to.
    pub(super) fn write_through(&self, queue: &mut Queue, pushes: &mut Vec<Push>) -> Flush {
        // Of two about the same only the later one is wanted: the queue finds them.
        let is_plain = pushes.len() == 1 || pushes.iter().all(|push| push.subject.is_none());
        if !is_plain || !queue.is_idle() {
            return Flush::No;
        }
        let Some(direct) = queue.direct.take() else { return Flush::No };
        let (mut first, mut begun) = (0, 0);
        queue.is_blocked = loop {
            let left = pushes.get(first..).unwrap_or_default();
            if left.is_empty() {
                break false;
            }
            let frames = left.iter().map(|push| &push.frame);
            match write(frames, begun, |slices| direct.try_write(slices)) {
                Ok(written) => begun += written,
                Err(_) => break true,
            }
            while let Some(len) = pushes.get(first).map(|push| push.frame.wire_len())
                && begun >= len
            {
                (first, begun) = (first + 1, begun - len);
            }
        };
        queue.direct = Some(direct);
        let is_left = usize::from(queue.is_blocked);
        if let Some(Push { frame, subject }) = pushes.drain(..first + is_left).nth(first) {
            queue.append(frame, subject.map_or(Kind::Push, Kind::About));
            queue.advance(begun);
            self.task.wake();
        }
        Flush::Done
    }

    /// Writes what is due into the socket; what the socket does not take is left to the connection's
    /// task.
    pub(crate) fn flush(&self) {
        self.flush_queue(&mut self.queue());
    }

    pub(super) fn flush_queue(&self, queue: &mut Queue) {
        queue.is_scheduled = false;
        if queue.is_blocked {
            return;
        }
        let Some(direct) = queue.direct.take() else { return };
        let written = self.write_due(queue, |slices| direct.try_write(slices));
        queue.direct = Some(direct);
        queue.is_blocked = written.is_err();
        let was_replay_taken = queue.take_replay();
        // What is left waits for the socket, or for a time that only the task can wait for.
        if !queue.frames.is_empty() || was_replay_taken {
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

    pub(super) fn write_due(
        &self,
        queue: &mut Queue,
        mut socket: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<()> {
        loop {
            if !queue.is_leaving() {
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

    pub(super) fn due(&self, queue: &Queue) -> Due {
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
}
