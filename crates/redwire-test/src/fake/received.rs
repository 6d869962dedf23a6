use std::fmt;

/// One command that a [`FakeServer`](crate::FakeServer) received.
///
/// It compares with its text, arguments parted by blanks: `assert_eq!(fake.commands(), ["SET a b"])`.
#[derive(Clone)]
#[non_exhaustive]
pub struct Received {
    /// Which connection, from 0, in the order in which they were accepted.
    pub connection: usize,
    /// Which read of that connection completed it, from 0. Commands of one write come in one read as long
    /// as they are few; commands of two writes come in two, unless the second follows at once.
    pub read: usize,
    /// The name and the arguments.
    pub args: Vec<Vec<u8>>,
    pub(super) scripted: bool,
}

impl Received {
    /// Whether this is the command's name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.args.first().is_some_and(|first| first.eq_ignore_ascii_case(name.as_bytes()))
    }

    fn text(&self) -> String {
        let args = self.args.iter().map(|arg| String::from_utf8_lossy(arg));
        args.collect::<Vec<_>>().join(" ")
    }
}

impl PartialEq<&str> for Received {
    fn eq(&self, text: &&str) -> bool {
        self.text() == **text
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (connection {}, read {})", self.text(), self.connection, self.read)
    }
}
