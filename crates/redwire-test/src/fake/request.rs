//! Commands out of the bytes of a connection.

/// The bytes of a connection that are no whole command yet.
#[derive(Default)]
pub(super) struct Requests {
    buffer: Vec<u8>,
}

impl Requests {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole command.
    ///
    /// # Panics
    ///
    /// If what came is no array of bulk strings, which is all that a client may send.
    pub(super) fn next(&mut self) -> Option<Vec<Vec<u8>>> {
        let mut rest = self.buffer.as_slice();
        let count = number(&mut rest, b'*')?;
        let mut args = Vec::new();
        for _ in 0..count {
            let length = number(&mut rest, b'$')?;
            let (arg, after) = rest.split_at_checked(length)?;
            let (end, after) = after.split_at_checked(2)?;
            assert_eq!(end, b"\r\n", "a client sent an argument without its end");
            args.push(arg.to_vec());
            rest = after;
        }
        self.buffer = rest.to_vec();
        Some(args)
    }
}

/// Takes one line such as `*3\r\n` off the front, and returns its number.
fn number(rest: &mut &[u8], kind: u8) -> Option<usize> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let (line, after) = rest.split_at_checked(end)?;
    *rest = after.get(2..)?;
    let digits = line.strip_prefix(&[kind]).and_then(|digits| str::from_utf8(digits).ok());
    let number = digits.and_then(|digits| digits.parse().ok());
    Some(number.unwrap_or_else(|| {
        panic!("a client sent {:?}, which is not RESP", String::from_utf8_lossy(line))
    }))
}
