use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use redwire_protocol::{Limits, Pace, Subject};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::{Close, gathered};

/// A connection's bounded queue of ready frames.
///
/// The rule for a full one: whoever cannot keep up is closed with [`Close::TooSlow`], what waited is
/// freed at once, and nobody else notices. Frames with a [`Subject`] do not fill it: a newer one takes
/// the older one's place.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    filled: Notify,
    replayed: Notify,
    closed: Notify,
    max_bytes: usize,
    max_messages: usize,
    max_subjects: usize,
    max_gathered: usize,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Waiting>,
    /// How many frames were taken or dropped from the front: a frame's number less this is its place.
    gone: u64,
    /// The number of the frame that waits for each subject.
    subjects: HashMap<u64, u64>,
    /// What the bounds are on: the frames without a subject.
    bytes: usize,
    messages: usize,
    /// The length of the first of those.
    first: usize,
    /// The number of the first frame after the last replay.
    after_replay: u64,
    /// Frames that are not to be gathered.
    replies: usize,
    pace: Pace,
    /// When the frames that are being gathered began to.
    since: Option<Instant>,
    /// Somebody waits for room.
    pressed: bool,
    close: Option<Close>,
}

#[derive(Debug)]
struct Waiting {
    frame: Bytes,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Reply,
    Push,
    About(Subject),
}

/// When the frames that wait should leave.
#[derive(Debug, PartialEq)]
enum Due {
    Now,
    At(Instant),
    Never,
}

impl Outbox {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            queue: Mutex::default(),
            filled: Notify::new(),
            replayed: Notify::new(),
            closed: Notify::new(),
            max_bytes: limits.outbox_bytes,
            max_messages: limits.outbox_messages,
            max_subjects: limits.outbox_subjects,
            max_gathered: limits.buffer_bytes,
        }
    }

    /// Queues a push, or closes the connection if there is no room for it.
    pub(crate) fn push(&self, frame: Bytes, subject: Option<Subject>) {
        let fits = match subject {
            Some(subject) => self.put_about(subject, frame),
            None => self.put(frame, Kind::Push, 1).is_ok(),
        };
        if !fits {
            self.close(Close::TooSlow);
        }
    }

    /// Queues a word about the connection itself, which is never gathered.
    pub(crate) fn push_status(&self, frame: Bytes) {
        if self.put(frame, Kind::Reply, 1).is_err() {
            self.close(Close::TooSlow);
        }
    }

    /// Queues a reply, or gives it back: replies take only half of the room, so that a client that
    /// reads a large one is not closed for what is published meanwhile.
    pub(crate) fn offer(&self, reply: Bytes) -> Result<(), Bytes> {
        self.put(reply, Kind::Reply, 2).inspect_err(|_| self.queue().pressed = true)
    }

    /// Drops the states that wait: a replay says all that still holds of them.
    pub(crate) fn forget_states(&self) {
        let mut queue = self.queue();
        let is_state = |kind| matches!(kind, Kind::About(Subject::State(_)));
        queue.frames.retain(|waiting| !is_state(waiting.kind));
        (queue.gone, queue.after_replay) = (0, 0);
        queue.subjects = (0..)
            .zip(&queue.frames)
            .filter_map(|(number, waiting)| Some((waiting.kind.subject()?, number)))
            .collect();
        if queue.frames.is_empty() {
            queue.since = None;
        }
    }

    /// What was queued up to here since [`forget_states`](Self::forget_states) is a replay.
    pub(crate) fn replayed(&self) {
        let mut queue = self.queue();
        queue.after_replay = queue.gone + queue.frames.len() as u64;
    }

    /// Waits until the client has taken the last replay, or nothing is due: to send it another one
    /// before would only be work. Cancel-safe.
    pub(crate) async fn taken(&self) {
        loop {
            {
                let queue = self.queue();
                if queue.gone >= queue.after_replay || self.due(&queue) != Due::Now {
                    return;
                }
            }
            self.replayed.notified().await;
        }
    }

    /// How pushes leave from now on.
    pub(crate) fn set_pace(&self, pace: Pace) {
        let mut queue = self.queue();
        if queue.pace != pace {
            queue.pace = pace;
            queue.since = (!queue.frames.is_empty()).then(Instant::now);
            drop(queue);
            self.filled.notify_one();
        }
    }

    /// Queues a frame if it fits into one `part`th of the room. A closed outbox swallows it.
    fn put(&self, frame: Bytes, kind: Kind, part: usize) -> Result<(), Bytes> {
        let mut queue = self.queue();
        if queue.close.is_some() {
            return Ok(());
        }
        // A first frame of any size is taken: the bound is on what waits behind it.
        if queue.messages > 0 {
            let bytes = queue.bytes - queue.first + frame.len();
            if bytes > self.max_bytes / part || queue.messages >= self.max_messages / part {
                return Err(frame);
            }
        }
        queue.append(frame, kind);
        self.wake(queue);
        Ok(())
    }

    /// Queues a frame in the place of an older one about the same; whether there was room.
    fn put_about(&self, subject: Subject, frame: Bytes) -> bool {
        let mut queue = self.queue();
        if queue.close.is_some() {
            return true;
        }
        let (name, kind) = (subject.name(), Kind::About(subject));
        let place = queue.subjects.get(&name).map(|number| (number - queue.gone) as usize);
        if let Some(older) = place.and_then(|place| queue.frames.get_mut(place)) {
            *older = Waiting { frame, kind };
            return true;
        }
        if queue.subjects.len() >= self.max_subjects {
            return false;
        }
        let number = queue.gone + queue.frames.len() as u64;
        queue.subjects.insert(name, number);
        queue.append(frame, kind);
        self.wake(queue);
        true
    }

    /// Wakes the connection if it has something to do: to send, or to start its timer.
    fn wake(&self, queue: MutexGuard<'_, Queue>) {
        // Without gathering it waits only while there is nothing.
        let gathers = queue.pace != Pace::AtOnce;
        let wakes = queue.frames.len() == 1 || (gathers && self.due(&queue) == Due::Now);
        drop(queue);
        if wakes {
            self.filled.notify_one();
        }
    }

    /// The next frame that is due.
    pub(crate) fn pop(&self) -> Option<Bytes> {
        let mut queue = self.queue();
        if self.due(&queue) != Due::Now {
            return None;
        }
        let Pace::Gathered { count, .. } = queue.pace else {
            let frame = queue.pop();
            self.tell_of_replay(&queue);
            return frame;
        };
        if queue.frames.front()?.kind == Kind::Reply {
            return queue.pop();
        }
        let (mut frames, mut bytes) = (Vec::new(), 0);
        while let Some(Waiting { frame, kind }) = queue.frames.front()
            && *kind != Kind::Reply
            && frames.len() < count
            && (frames.is_empty() || bytes + frame.len() <= self.max_gathered)
        {
            bytes += frame.len();
            frames.extend(queue.pop());
        }
        self.tell_of_replay(&queue);
        drop(queue);
        Some(gathered::encode(&frames))
    }

    fn tell_of_replay(&self, queue: &Queue) {
        if queue.gone >= queue.after_replay && queue.after_replay > 0 {
            self.replayed.notify_one();
        }
    }

    /// Asks the connection to end; the first reason counts.
    pub(crate) fn close(&self, close: Close) {
        let mut queue = self.queue();
        queue.close.get_or_insert(close);
        if close == Close::TooSlow {
            let close = queue.close;
            *queue = Queue { close, ..Queue::default() };
        }
        drop(queue);
        self.closed.notify_one();
    }

    /// Waits until there is something to pop. Cancel-safe.
    pub(crate) async fn filled(&self) {
        loop {
            let due = self.due(&self.queue());
            match due {
                Due::Now => return,
                Due::At(time) => {
                    tokio::select! { () = sleep_until(time) => {}, () = self.filled.notified() => {} }
                }
                Due::Never => self.filled.notified().await,
            }
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

    fn due(&self, queue: &Queue) -> Due {
        if queue.frames.is_empty() {
            return Due::Never;
        }
        let Pace::Gathered { wait, count } = queue.pace else { return Due::Now };
        // What is gathered must not be what fills the queue.
        let is_enough = queue.frames.len() >= count
            || queue.bytes >= self.max_gathered.min(self.max_bytes / 2)
            || queue.messages >= self.max_messages / 2;
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

impl Queue {
    fn append(&mut self, frame: Bytes, kind: Kind) {
        if kind.subject().is_none() {
            if self.messages == 0 {
                self.first = frame.len();
            }
            self.bytes += frame.len();
            self.messages += 1;
        }
        self.replies += usize::from(kind == Kind::Reply);
        if self.since.is_none() && self.pace != Pace::AtOnce {
            self.since = Some(Instant::now());
        }
        self.frames.push_back(Waiting { frame, kind });
    }

    fn pop(&mut self) -> Option<Bytes> {
        let Waiting { frame, kind } = self.frames.pop_front()?;
        self.gone += 1;
        match kind.subject() {
            Some(name) => {
                self.subjects.remove(&name);
            }
            None => {
                self.bytes -= frame.len();
                self.messages -= 1;
                let next = self.frames.iter().find(|waiting| waiting.kind.subject().is_none());
                self.first = next.map_or(0, |next| next.frame.len());
            }
        }
        self.replies -= usize::from(kind == Kind::Reply);
        if self.frames.is_empty() {
            // A burst's capacity is not kept for the rest of an idle connection's life.
            self.frames = VecDeque::new();
            self.subjects = HashMap::new();
            self.pressed = false;
        }
        // What is left begins to wait anew.
        self.since = (!self.frames.is_empty() && self.pace != Pace::AtOnce).then(Instant::now);
        Some(frame)
    }
}

impl Kind {
    fn subject(self) -> Option<u64> {
        match self {
            Self::About(subject) => Some(subject.name()),
            Self::Reply | Self::Push => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn outbox(outbox_bytes: usize, outbox_messages: usize) -> Outbox {
        Outbox::new(&Limits { outbox_bytes, outbox_messages, ..Limits::default() })
    }

    #[test]
    fn frames_come_out_in_order() {
        let outbox = outbox(100, 10);
        outbox.push(Bytes::from_static(b"a"), None);
        outbox.push(Bytes::from_static(b"b"), None);
        assert_eq!(outbox.pop().unwrap(), "a");
        assert_eq!(outbox.pop().unwrap(), "b");
        assert_eq!(outbox.pop(), None);
    }

    #[tokio::test]
    async fn too_many_bytes_behind_the_first_frame_close_and_free_it() {
        let outbox = outbox(10, 10);
        (0..3).for_each(|_| outbox.push(Bytes::from_static(b"123456"), None));
        assert_eq!(outbox.closed().await, Close::TooSlow);
        assert_eq!(outbox.pop(), None);
    }

    #[tokio::test]
    async fn too_many_frames_close_it() {
        let outbox = outbox(10, 2);
        (0..3).for_each(|_| outbox.push(Bytes::from_static(b"1"), None));
        assert_eq!(outbox.closed().await, Close::TooSlow);
    }

    #[test]
    fn a_first_frame_of_any_size_is_taken_and_leaves_the_room_behind_it() {
        let outbox = outbox(10, 10);
        outbox.push(Bytes::from(vec![0; 1000]), None);
        outbox.push(Bytes::from_static(b"1234567890"), None);
        assert_eq!(outbox.pop().unwrap().len(), 1000);
        assert_eq!(outbox.pop().unwrap(), "1234567890");
    }

    #[test]
    fn replies_leave_half_of_the_room_to_pushes() {
        let outbox = outbox(10, 10);
        outbox.push(Bytes::from_static(b"a"), None);
        assert_eq!(outbox.offer(Bytes::from_static(b"12345")), Ok(()));
        assert_eq!(outbox.offer(Bytes::from_static(b"6")), Err(Bytes::from_static(b"6")));
        outbox.push(Bytes::from_static(b"67890"), None);
        assert_eq!(outbox.pop().unwrap(), "a");
        assert_eq!(outbox.pop().unwrap(), "12345");
        assert_eq!(outbox.pop().unwrap(), "67890");
    }

    fn state(subject: u64) -> Option<Subject> {
        Some(Subject::State(subject))
    }

    #[test]
    fn a_newer_state_takes_the_place_of_the_older_one() {
        let outbox = outbox(100, 10);
        outbox.push(Bytes::from_static(b"train 1 at A"), state(1));
        outbox.push(Bytes::from_static(b"train 2 at A"), state(2));
        outbox.push(Bytes::from_static(b"train 1 at B"), state(1));
        assert_eq!(outbox.pop().unwrap(), "train 1 at B");
        outbox.push(Bytes::from_static(b"train 1 at C"), state(1));
        outbox.push(Bytes::from_static(b"train 2 has left"), Some(Subject::End(2)));
        assert_eq!(outbox.pop().unwrap(), "train 2 has left");
        assert_eq!(outbox.pop().unwrap(), "train 1 at C");
        assert_eq!(outbox.pop(), None);
    }

    #[tokio::test]
    async fn states_close_nobody_until_there_are_too_many_subjects() {
        let limits =
            Limits { outbox_bytes: 1, outbox_messages: 1, outbox_subjects: 3, ..Limits::default() };
        let outbox = Outbox::new(&limits);
        for round in 0..100 {
            (0..3).for_each(|train| outbox.push(Bytes::from(vec![round; 100]), state(train)));
        }
        (0..3).for_each(|_| assert_eq!(outbox.pop().unwrap(), vec![99; 100]));
        (0..4).for_each(|train| outbox.push(Bytes::from_static(b"1"), state(train)));
        assert_eq!(outbox.closed().await, Close::TooSlow);
    }

    #[test]
    fn states_that_a_replay_says_again_are_forgotten_and_all_else_is_kept() {
        let outbox = outbox(100, 10);
        outbox.push(Bytes::from_static(b"train 1 at A"), state(1));
        outbox.push(Bytes::from_static(b"news"), None);
        outbox.push(Bytes::from_static(b"train 2 has left"), Some(Subject::End(2)));
        outbox.forget_states();
        outbox.push(Bytes::from_static(b"train 2 is back"), state(2));
        assert_eq!(outbox.pop().unwrap(), "news");
        assert_eq!(outbox.pop().unwrap(), "train 2 is back");
        assert_eq!(outbox.pop(), None);
    }

    fn texts(frame: &Bytes) -> Vec<String> {
        let json: serde_json::Value = serde_json::from_slice(frame).unwrap();
        assert_eq!(json["source"], "buffer");
        json["content"].as_array().unwrap().iter().map(ToString::to_string).collect()
    }

    fn gathering(wait: Duration, count: usize) -> Outbox {
        let outbox = outbox(100, 10);
        outbox.set_pace(Pace::Gathered { wait, count });
        outbox
    }

    #[tokio::test(start_paused = true)]
    async fn pushes_are_gathered_until_the_first_has_waited_long_enough() {
        let outbox = gathering(Duration::from_millis(100), 10);
        let start = Instant::now();
        outbox.push(Bytes::from_static(b"1"), None);
        outbox.push(Bytes::from_static(b"2"), None);
        assert_eq!(outbox.pop(), None);
        outbox.filled().await;
        assert_eq!(start.elapsed(), Duration::from_millis(100));
        assert_eq!(texts(&outbox.pop().unwrap()), ["1", "2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn enough_pushes_leave_at_once() {
        let outbox = gathering(Duration::from_millis(100), 2);
        let start = Instant::now();
        (0..5).for_each(|_| outbox.push(Bytes::from_static(b"1"), None));
        assert_eq!(texts(&outbox.pop().unwrap()), ["1", "1"]);
        assert_eq!(texts(&outbox.pop().unwrap()), ["1", "1"]);
        assert_eq!(outbox.pop(), None, "the fifth waits for others");
        outbox.filled().await;
        assert_eq!(start.elapsed(), Duration::from_millis(100));
        assert_eq!(texts(&outbox.pop().unwrap()), ["1"]);
    }

    #[test]
    fn what_is_gathered_leaves_before_it_fills_the_queue() {
        let outbox = gathering(Duration::from_secs(3600), 1000);
        (0..4).for_each(|_| outbox.push(Bytes::from_static(b"1"), None));
        assert_eq!(outbox.pop(), None);
        outbox.push(Bytes::from_static(b"1"), None);
        assert_eq!(texts(&outbox.pop().unwrap()).len(), 5, "half of the messages");
        outbox.push(Bytes::from(vec![b'1'; 30]), None);
        assert_eq!(outbox.pop(), None);
        outbox.push(Bytes::from(vec![b'1'; 30]), None);
        assert_eq!(texts(&outbox.pop().unwrap()).len(), 2, "half of the bytes");
    }

    #[tokio::test]
    async fn a_large_frame_behind_a_state_leaves_the_room_behind_it() {
        let outbox = outbox(10, 10);
        outbox.push(Bytes::from_static(b"train 1 at A"), state(1));
        outbox.push(Bytes::from(vec![0; 1000]), None);
        outbox.push(Bytes::from_static(b"1234567890"), None);
        outbox.pop().unwrap();
        outbox.push(Bytes::from_static(b"train 1 at B"), state(1));
        assert_eq!(outbox.pop().unwrap().len(), 1000);
        assert_eq!(outbox.pop().unwrap(), "1234567890");
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_replay_waits_until_the_last_one_is_taken() {
        let outbox = outbox(100, 10);
        outbox.taken().await;
        outbox.push(Bytes::from_static(b"train 1"), state(1));
        outbox.push(Bytes::from_static(b"train 2"), state(2));
        outbox.replayed();
        outbox.push(Bytes::from_static(b"news"), None);
        for _ in 0..2 {
            let waited = tokio::time::timeout(Duration::from_secs(1), outbox.taken()).await;
            assert!(waited.is_err(), "a frame of it is still there");
            outbox.pop().unwrap();
        }
        outbox.taken().await;
    }

    #[test]
    fn a_reply_is_not_gathered_and_sends_what_was() {
        let outbox = gathering(Duration::from_secs(3600), 10);
        outbox.push(Bytes::from_static(b"1"), None);
        outbox.offer(Bytes::from_static(b"reply")).unwrap();
        outbox.push(Bytes::from_static(b"2"), None);
        assert_eq!(texts(&outbox.pop().unwrap()), ["1"]);
        assert_eq!(outbox.pop().unwrap(), "reply");
        assert_eq!(outbox.pop(), None);
    }
}
