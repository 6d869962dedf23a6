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

    /// Queues a frame, or closes the connection if there is no room for it.
    pub(crate) fn push(&self, frame: Bytes) {
        let mut queue = self.queue();
        if queue.close.is_some() {
            return;
        }
        if !self.fits(&queue, &frame) {
            drop(queue);
            return self.close(Close::TooSlow);
        }
        queue.bytes += frame.len();
        queue.frames.push_back(frame);
        drop(queue);
        self.filled.notify_one();
    }

    pub(crate) fn has_room_for(&self, frame: &Bytes) -> bool {
        self.fits(&self.queue(), frame)
    }

    /// An empty outbox takes a frame of any size: the bound is on what waits behind it.
    fn fits(&self, queue: &Queue, frame: &Bytes) -> bool {
        queue.frames.is_empty()
            || (queue.bytes + frame.len() <= self.max_bytes
                && queue.frames.len() < self.max_messages)
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
    async fn too_many_bytes_close_and_free_it() {
        let outbox = outbox(10, 10);
        outbox.push(Bytes::from_static(b"123456"));
        outbox.push(Bytes::from_static(b"123456"));
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
    fn one_frame_of_any_size_fits_into_an_empty_one() {
        let outbox = outbox(10, 10);
        outbox.push(Bytes::from(vec![0; 1000]));
        assert_eq!(outbox.pop().unwrap().len(), 1000);
    }
}
