use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use redwire_protocol::{Pace, Subject};
use tokio::time::Instant;

use crate::Close;
use crate::websocket::{Frame, Lingering};

/// The frames of an [`Outbox`](super::Outbox), in the order in which they leave.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) frames: VecDeque<Waiting>,
    /// Bytes of the first frame that have left.
    pub(super) begun: usize,
    /// Pings and pongs, which do not wait behind frames.
    pub(super) controls: VecDeque<Frame>,
    /// How many frames were taken from the front, less those that were put there: a frame's number
    /// less this is its place.
    gone: i64,
    /// The number of the frame that waits for each subject.
    pub(super) subjects: HashMap<u64, i64>,
    /// What the bounds are on: pushes and replies without a subject.
    pub(super) bytes: usize,
    pub(super) messages: usize,
    /// The length of the first of those.
    pub(super) first: usize,
    /// The number of the first frame after a replay that has not been taken yet.
    pub(super) after_replay: Option<i64>,
    /// Frames that are not to be gathered.
    pub(super) replies: usize,
    pub(super) pace: Pace,
    /// When the frames that are being gathered began to.
    pub(super) since: Option<Instant>,
    /// Somebody waits for room.
    pub(super) pressed: bool,
    pub(super) close: Option<Close>,
    /// The last frame of all is there.
    pub(super) is_finished: bool,
    /// What is written into, if it is a socket.
    pub(super) direct: Option<Arc<Lingering>>,
    /// Whoever was told to flush has not done so yet.
    pub(super) is_scheduled: bool,
    /// Pushes wait for a replay that is being made.
    pub(super) is_held: bool,
    /// The socket is full, and the connection's task waits for it.
    pub(super) is_blocked: bool,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) frame: Frame,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Reply,
    Push,
    About(Subject),
    /// Not replaced, not dropped and not counted any more: it is leaving.
    Leaving,
}

/// Pings and pongs that wait at most.
const MAX_CONTROLS: usize = 16;

impl Queue {
    pub(super) fn new(direct: Option<Arc<Lingering>>) -> Self {
        Self { direct, ..Self::default() }
    }

    /// Whether nothing waits for the socket, and nothing has to.
    pub(super) fn is_idle(&self) -> bool {
        let is_empty = self.frames.is_empty() && self.controls.is_empty() && !self.is_over();
        is_empty && self.pace == Pace::AtOnce && !self.is_held && !self.is_blocked
    }

    pub(super) fn next_number(&self) -> i64 {
        self.gone + self.frames.len() as i64
    }

    pub(super) fn append(&mut self, frame: Frame, kind: Kind) {
        match kind {
            Kind::Reply | Kind::Push => {
                if self.messages == 0 {
                    self.first = frame.payload.len();
                }
                self.bytes += frame.payload.len();
                self.messages += 1;
                self.replies += usize::from(kind == Kind::Reply);
            }
            Kind::About(subject) => {
                self.subjects.insert(subject.name(), self.next_number());
            }
            Kind::Leaving => {}
        }
        if self.since.is_none() && self.pace != Pace::AtOnce {
            self.since = Some(Instant::now());
        }
        self.frames.push_back(Waiting { frame, kind });
    }

    /// Puts a frame in the place of the one about the same, or gives it back.
    pub(super) fn replace(&mut self, subject: Subject, frame: Frame) -> Result<(), Frame> {
        let number = self.subjects.get(&subject.name());
        let place = number.map(|number| (number - self.gone) as usize);
        match place.and_then(|place| self.frames.get_mut(place)) {
            Some(older) => *older = Waiting { frame, kind: Kind::About(subject) },
            None => return Err(frame),
        }
        Ok(())
    }

    pub(super) fn forget_states(&mut self) {
        let is_state = |kind| matches!(kind, Kind::About(Subject::State(_)));
        self.frames.retain(|waiting| !is_state(waiting.kind));
        (self.gone, self.after_replay) = (0, None);
        self.subjects = (0..)
            .zip(&self.frames)
            .filter_map(|(number, waiting)| match waiting.kind {
                Kind::About(subject) => Some((subject.name(), number)),
                _ => None,
            })
            .collect();
        if self.frames.is_empty() {
            self.since = None;
        }
    }

    /// Whether the last frame of a replay has left since this was last asked.
    pub(super) fn take_replay(&mut self) -> bool {
        self.after_replay.take_if(|after| self.gone >= *after).is_some()
    }

    /// Whether the first frame has to leave before anything else does.
    pub(super) fn is_leaving(&self) -> bool {
        self.begun > 0 || self.frames.front().is_some_and(|first| first.kind == Kind::Leaving)
    }

    /// How many frames at the front may leave as they are.
    pub(super) fn ready(&self) -> usize {
        let is_whole = |waiting: &&Waiting| matches!(waiting.kind, Kind::Reply | Kind::Leaving);
        match self.pace {
            _ if self.is_leaving() && !self.controls.is_empty() => 1,
            Pace::AtOnce if !self.is_held => self.frames.len(),
            // Half a frame is followed by its other half, whatever may leave now.
            _ => self.frames.iter().take_while(is_whole).count().max(usize::from(self.begun > 0)),
        }
    }

    /// Keeps a ping or pong until the frame that is leaving has left. Of too many, the oldest goes: a
    /// client may be told of its last pings only (RFC 6455, section 5.5.3).
    pub(super) fn keep_control(&mut self, frame: Frame) {
        if self.controls.len() >= MAX_CONTROLS {
            self.controls.pop_front();
        }
        self.controls.push_back(frame);
    }

    /// Puts pings and pongs at the front.
    pub(super) fn admit_controls(&mut self) {
        while let Some(frame) = self.controls.pop_back() {
            self.put_back(frame);
        }
        self.controls = VecDeque::new();
    }

    pub(super) fn put_back(&mut self, frame: Frame) {
        self.gone -= 1;
        self.frames.push_front(Waiting { frame, kind: Kind::Leaving });
    }

    /// Takes pushes from the front, up to the next reply.
    pub(super) fn take_pushes(&mut self, count: usize, max_bytes: usize) -> Vec<Bytes> {
        let (mut pushes, mut bytes) = (Vec::new(), 0);
        while let Some(Waiting { frame, kind }) = self.frames.front()
            && matches!(kind, Kind::Push | Kind::About(_))
            && pushes.len() < count
            && (pushes.is_empty() || bytes + frame.payload.len() <= max_bytes)
        {
            bytes += frame.payload.len();
            pushes.extend(self.pop());
        }
        pushes
    }

    /// So many more bytes have left.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.begun += bytes;
        while let Some(first) = self.frames.front()
            && let len = first.frame.wire_len()
            && self.begun >= len
        {
            self.begun -= len;
            self.pop();
        }
        if self.begun > 0
            && let Some(Waiting { kind, .. }) = self.frames.front_mut()
            && let Kind::About(subject) = *kind
        {
            *kind = Kind::Leaving;
            self.subjects.remove(&subject.name());
        }
    }

    fn pop(&mut self) -> Option<Bytes> {
        let Waiting { frame, kind } = self.frames.pop_front()?;
        self.gone += 1;
        match kind {
            Kind::Reply | Kind::Push => {
                self.bytes -= frame.payload.len();
                self.messages -= 1;
                self.replies -= usize::from(kind == Kind::Reply);
                let is_counted =
                    |waiting: &&Waiting| matches!(waiting.kind, Kind::Reply | Kind::Push);
                let next = self.frames.iter().find(is_counted);
                self.first = next.map_or(0, |next| next.frame.payload.len());
            }
            Kind::About(subject) => {
                self.subjects.remove(&subject.name());
            }
            Kind::Leaving => {}
        }
        if self.frames.is_empty() {
            self.pressed = false;
            // No room is kept for the rest of an idle connection's life.
            self.frames = VecDeque::new();
            if self.subjects.capacity() > 0 {
                self.subjects = HashMap::new();
            }
        }
        // What is left begins to wait anew; a ping is no reason to.
        if kind != Kind::Leaving || self.frames.is_empty() {
            self.since = (!self.frames.is_empty() && self.pace != Pace::AtOnce).then(Instant::now);
        }
        Some(frame.payload)
    }

    /// Whether nothing is taken any more.
    pub(super) fn is_over(&self) -> bool {
        self.close.is_some() || self.is_finished
    }

    /// Drops all but what has begun to leave.
    pub(super) fn drop_waiting(&mut self) {
        let leaving = self.is_leaving().then(|| self.frames.pop_front()).flatten();
        let frames = leaving.map(|waiting| Waiting { kind: Kind::Leaving, ..waiting });
        *self = Self {
            frames: frames.into_iter().collect(),
            begun: self.begun,
            close: self.close,
            is_finished: self.is_finished,
            direct: self.direct.take(),
            is_scheduled: self.is_scheduled,
            is_blocked: self.is_blocked,
            is_held: self.is_held,
            ..Self::default()
        };
    }
}
