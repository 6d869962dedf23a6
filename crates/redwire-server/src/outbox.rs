use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use redwire_protocol::Limits;
use tokio::sync::Notify;

use crate::Close;

/// A connection's bounded queue of ready frames.
///
/// The rule for a full one: whoever cannot keep up is closed with [`Close::TooSlow`], what waited is
/// freed at once, and nobody else notices.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    filled: Notify,
    closed: Notify,
    max_bytes: usize,
    max_messages: usize,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
    close: Option<Close>,
}

impl Outbox {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            queue: Mutex::default(),
            filled: Notify::new(),
            closed: Notify::new(),
            max_bytes: limits.outbox_bytes,
            max_messages: limits.outbox_messages,
        }
    }

    /// Queues a push, or closes the connection if there is no room for it.
    pub(crate) fn push(&self, frame: Bytes) {
        if self.put(frame, 1).is_err() {
            self.close(Close::TooSlow);
        }
    }

    /// Queues a reply, or gives it back: replies take only half of the room, so that a client that
    /// reads a large one is not closed for what is published meanwhile.
    pub(crate) fn offer(&self, reply: Bytes) -> Result<(), Bytes> {
        self.put(reply, 2)
    }

    /// Queues a frame if it fits into one `part`th of the room. A closed outbox swallows it.
    fn put(&self, frame: Bytes, part: usize) -> Result<(), Bytes> {
        let mut queue = self.queue();
        if queue.close.is_some() {
            return Ok(());
        }
        // A first frame of any size is taken: the bound is on what waits behind it.
        if let Some(first) = queue.frames.front() {
            let bytes = queue.bytes - first.len() + frame.len();
            if bytes > self.max_bytes / part || queue.frames.len() >= self.max_messages / part {
                return Err(frame);
            }
        }
        queue.bytes += frame.len();
        queue.frames.push_back(frame);
        drop(queue);
        self.filled.notify_one();
        Ok(())
    }

    pub(crate) fn pop(&self) -> Option<Bytes> {
        let mut queue = self.queue();
        let frame = queue.frames.pop_front()?;
        queue.bytes -= frame.len();
        if queue.frames.is_empty() {
            // A burst's capacity is not kept for the rest of an idle connection's life.
            queue.frames = VecDeque::new();
        }
        Some(frame)
    }

    /// Asks the connection to end; the first reason counts.
    pub(crate) fn close(&self, close: Close) {
        let mut queue = self.queue();
        queue.close.get_or_insert(close);
        if close == Close::TooSlow {
            queue.frames = VecDeque::new();
            queue.bytes = 0;
        }
        drop(queue);
        self.closed.notify_one();
    }

    /// Waits until there is something to pop. Cancel-safe.
    pub(crate) async fn filled(&self) {
        while self.queue().frames.is_empty() {
            self.filled.notified().await;
        }
    }

    /// Waits until the connection has to end. Cancel-safe.
    pub(crate) async fn closed(&self) -> Close {
        loop {
            let close = self.queue().close;
            match close {
                Some(close) => return close,
                None => self.closed.notified().await,
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(outbox_bytes: usize, outbox_messages: usize) -> Outbox {
        Outbox::new(&Limits { outbox_bytes, outbox_messages, ..Limits::default() })
    }

    #[test]
    fn frames_come_out_in_order() {
        let outbox = outbox(100, 10);
        outbox.push(Bytes::from_static(b"a"));
        outbox.push(Bytes::from_static(b"b"));
        assert_eq!(outbox.pop().unwrap(), "a");
        assert_eq!(outbox.pop().unwrap(), "b");
        assert_eq!(outbox.pop(), None);
    }

    #[tokio::test]
    async fn too_many_bytes_behind_the_first_frame_close_and_free_it() {
        let outbox = outbox(10, 10);
        (0..3).for_each(|_| outbox.push(Bytes::from_static(b"123456")));
        assert_eq!(outbox.closed().await, Close::TooSlow);
        assert_eq!(outbox.pop(), None);
    }

    #[tokio::test]
    async fn too_many_frames_close_it() {
        let outbox = outbox(10, 2);
        (0..3).for_each(|_| outbox.push(Bytes::from_static(b"1")));
        assert_eq!(outbox.closed().await, Close::TooSlow);
    }

    #[test]
    fn a_first_frame_of_any_size_is_taken_and_leaves_the_room_behind_it() {
        let outbox = outbox(10, 10);
        outbox.push(Bytes::from(vec![0; 1000]));
        outbox.push(Bytes::from_static(b"1234567890"));
        assert_eq!(outbox.pop().unwrap().len(), 1000);
        assert_eq!(outbox.pop().unwrap(), "1234567890");
    }

    #[test]
    fn replies_leave_half_of_the_room_to_pushes() {
        let outbox = outbox(10, 10);
        outbox.push(Bytes::from_static(b"a"));
        assert_eq!(outbox.offer(Bytes::from_static(b"12345")), Ok(()));
        assert_eq!(outbox.offer(Bytes::from_static(b"6")), Err(Bytes::from_static(b"6")));
        outbox.push(Bytes::from_static(b"67890"));
        assert_eq!(outbox.pop().unwrap(), "a");
        assert_eq!(outbox.pop().unwrap(), "12345");
        assert_eq!(outbox.pop().unwrap(), "67890");
    }
}
