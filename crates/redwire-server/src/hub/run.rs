use redwire_protocol::Message;

/// Messages of a run, a bit for each.
pub(super) type Mask = u64;

/// Messages of one channel that came one after the other, and are handed out together: as many as a
/// mask has bits, and not for longer than somebody else may wait for a member.
#[derive(Debug, Default)]
pub(super) struct Run {
    messages: Vec<Message>,
    bytes: usize,
}

/// The bytes of a run, unless it is one message.
const BYTES: usize = 256 * 1024;

impl Run {
    pub(super) fn push(&mut self, message: Message) {
        self.bytes += size(&message);
        self.messages.push(message);
    }

    /// Whether it goes on with this message.
    pub(super) fn takes(&self, next: &Message) -> bool {
        let is_same = self.messages.first().is_some_and(|first| first.source() == next.source());
        let has_room = self.messages.len() < Mask::BITS as usize;
        is_same && has_room && self.bytes + size(next) <= BYTES
    }

    pub(super) fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The messages whose bits are set.
    pub(super) fn chosen(&self, mask: Mask) -> impl Iterator<Item = &Message> {
        let is_chosen = move |place: &usize| mask >> place & 1 > 0;
        let messages = self.messages.iter().enumerate();
        messages.filter(move |(place, _)| is_chosen(place)).map(|(_, message)| message)
    }

    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.bytes = 0;
    }
}

fn size(message: &Message) -> usize {
    message.content().text().len()
}
