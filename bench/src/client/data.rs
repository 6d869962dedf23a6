use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Result;

/// A key with a value of its own, so that a reply to somebody else shows.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: Vec<u8>,
}

impl Entry {
    pub(crate) const COUNT: usize = 64;

    pub(crate) fn all() -> Vec<Self> {
        (0..Self::COUNT).map(Self::of).collect()
    }

    /// Keys of 8 bytes and values of 32.
    pub(crate) fn of(number: usize) -> Self {
        let number = number % Self::COUNT;
        Self { key: format!("bench:{number:02}"), value: format!("{number:032}").into_bytes() }
    }

    pub(crate) fn check(&self, value: &[u8]) -> Result<()> {
        if value == self.value {
            return Ok(());
        }
        Err(format!("GET {} answered {:?}", self.key, String::from_utf8_lossy(value)).into())
    }
}

/// What waiters wait for.
pub(crate) const LISTS: [&str; 8] = [
    "bench:list:0",
    "bench:list:1",
    "bench:list:2",
    "bench:list:3",
    "bench:list:4",
    "bench:list:5",
    "bench:list:6",
    "bench:list:7",
];

/// The last element of a list, and the last message of a channel.
pub(crate) const END: &[u8] = b"end";

/// Bytes of a message: its number, then as many of [`FILLING`].
pub(crate) const MESSAGE: usize = 200;
const FILLING: u8 = b'.';

/// The message of this number.
pub(crate) fn message(number: u64) -> [u8; MESSAGE] {
    let mut message = [FILLING; MESSAGE];
    if let Some(head) = message.first_chunk_mut() {
        *head = number.to_le_bytes();
    }
    message
}

/// Where a subscriber puts its messages: they are checked, counted, and forgotten.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    count: u64,
    /// For the publisher, who does not run too far ahead.
    taken: Arc<AtomicU64>,
    is_complete: bool,
}

impl Inbox {
    pub(crate) fn taken(&self) -> Arc<AtomicU64> {
        self.taken.clone()
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Whether the last message was there.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// # Errors
    ///
    /// If it is another message than the next one.
    pub(crate) fn put(&mut self, message: &[u8]) -> Result<()> {
        if message == END {
            self.is_complete = true;
            return Ok(());
        }
        let is_next = message.first_chunk() == Some(&self.count.to_le_bytes())
            && message.len() == MESSAGE
            && message.iter().skip(8).all(|&byte| byte == FILLING);
        if !is_next {
            let number = message.first_chunk().map(|head| u64::from_le_bytes(*head));
            return Err(format!("instead of message {} came {number:?}", self.count).into());
        }
        self.count += 1;
        self.taken.store(self.count, Ordering::Relaxed);
        Ok(())
    }
}
