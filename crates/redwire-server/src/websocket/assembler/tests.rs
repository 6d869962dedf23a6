use super::*;

/// A client's frame, masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | len as u8),
        len @ 126..65536 => {
            frame.push(0x80 | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// What is understood of bytes that come so many at a time.
fn read(bytes: &[u8], at_a_time: usize) -> Result<Vec<Message>, Unreadable> {
    read_with(Assembler::new(100_000, false), bytes, at_a_time)
}

fn read_with(
    mut assembler: Assembler,
    bytes: &[u8],
    at_a_time: usize,
) -> Result<Vec<Message>, Unreadable> {
    let (mut messages, mut pending) = (Vec::new(), Vec::new());
    for some in bytes.chunks(at_a_time) {
        pending.extend_from_slice(some);
        let mut rest = &pending[..];
        while let Some(message) = assembler.read(&mut rest)? {
            messages.push(message);
        }
        pending = rest.to_vec();
    }
    assert!(pending.is_empty(), "{} bytes are left", pending.len());
    Ok(messages)
}

#[test]
fn messages_are_put_together_however_their_bytes_come() {
    let large = "l".repeat(70_000);
    let stream = [
        frame(0x81, "GET a".as_bytes()),
        frame(0x01, "in ".as_bytes()),
        frame(0x89, b"ping"),
        frame(0x00, "p\u{e4}".as_bytes()),
        frame(0x80, b"rts"),
        frame(0x82, &[0xff]),
        frame(0x8a, b""),
        frame(0x81, large.as_bytes()),
        frame(0x81, b""),
        frame(0x88, &[0x03, 0xe8, b'b']),
    ]
    .concat();
    for at_a_time in [1, 2, 3, 7, 1000, usize::MAX] {
        let messages = read(&stream, at_a_time).unwrap();
        let expected = [
            Message::Text("GET a".into()),
            Message::Ping("ping".into()),
            Message::Text("in p\u{e4}rts".into()),
            Message::Binary(vec![0xff]),
            Message::Pong,
            Message::Text(large.clone()),
            Message::Text(String::new()),
            Message::Close(Some((1000, "b".into()))),
        ];
        assert!(messages == expected, "{at_a_time} at a time");
    }
}

#[test]
fn frames_that_break_the_rules_are_refused() {
    let unmasked = vec![0x81, 1, b'a'];
    let broken = [
        unmasked,
        frame(0xc1, b"reserved bit"),
        frame(0x83, b"reserved opcode"),
        frame(0x80, b"continues nothing"),
        [frame(0x01, b"begun"), frame(0x81, b"and begun anew")].concat(),
        frame(0x09, b"a ping in parts"),
        frame(0x89, &[b'p'; 126]),
        frame(0x88, &[0x03]),
        frame(0x88, &1005u16.to_be_bytes()),
    ];
    for stream in broken {
        assert_eq!(read(&stream, 1), Err(Unreadable::Broken), "{stream:?}");
    }
}

#[test]
fn a_text_is_refused_as_soon_as_it_cannot_be_utf8() {
    assert_eq!(read(&frame(0x81, b"\xff"), 1), Err(Unreadable::NotUtf8));
    assert_eq!(read(&frame(0x81, b"cut \xc3"), 1), Err(Unreadable::NotUtf8));
    let mut begun = frame(0x01, b"a\xff and more");
    begun.truncate(8);
    assert_eq!(read(&begun, 1), Err(Unreadable::NotUtf8));
    assert_eq!(read(&frame(0x88, b"\x03\xe8\xff"), 1), Err(Unreadable::NotUtf8));
}

#[test]
fn a_message_that_is_too_large_is_refused_by_its_header() {
    let mut large = frame(0x81, &[b'l'; 100_001]);
    large.truncate(14);
    assert_eq!(read(&large, 1), Err(Unreadable::TooLarge));
    let in_parts = [frame(0x01, &[b'l'; 99_999]), frame(0x80, b"12")].concat();
    assert_eq!(read(&in_parts, 1000), Err(Unreadable::TooLarge));
}

#[test]
fn frames_without_bytes_count_but_for_the_one_that_ends_a_message() {
    let empty = || frame(0x00, b"");
    let most = [frame(0x01, &[b'l'; 99_998]), empty(), empty(), frame(0x80, b"")].concat();
    assert_eq!(read(&most, 1_000).unwrap().len(), 1);
    let more = [frame(0x01, &[b'l'; 99_998]), empty(), empty(), empty()].concat();
    assert_eq!(read(&more, 1_000), Err(Unreadable::TooLarge));
    assert_eq!(read(&most.repeat(2), 1_000).unwrap().len(), 2, "counted anew");
}

/// What is understood if compression was agreed upon.
fn inflated(bytes: &[u8], at_a_time: usize) -> Result<Vec<Message>, Unreadable> {
    read_with(Assembler::new(100_000, true), bytes, at_a_time)
}

#[test]
fn messages_are_inflated_if_their_first_frame_says_that_they_are_compressed() {
    // RFC 7692, sections 7.2.3.1 and 7.2.3.2.
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let stream = [
        frame(0xc1, &hello),
        frame(0x41, &hello[..3]),
        frame(0x89, b"ping"),
        frame(0x80, &hello[3..]),
        frame(0x81, b"plain"),
        frame(0xc2, &hello),
        frame(0xc1, b""),
    ]
    .concat();
    for at_a_time in [1, 3, usize::MAX] {
        let messages = inflated(&stream, at_a_time).unwrap();
        let expected = [
            Message::Text("Hello".into()),
            Message::Ping("ping".into()),
            Message::Text("Hello".into()),
            Message::Text("plain".into()),
            Message::Binary(b"Hello".to_vec()),
            Message::Text(String::new()),
        ];
        assert!(messages == expected, "{at_a_time} at a time: {messages:?}");
    }
}

#[test]
fn only_the_first_frame_of_a_message_may_say_that_it_is_compressed() {
    for stream in [
        frame(0xc9, b"a ping"),
        frame(0xc8, b""),
        [frame(0x41, &[0xf2, 0x48]), frame(0xc0, &[0x05, 0x00])].concat(),
        [frame(0x01, b"plain"), frame(0xc0, &[0x05, 0x00])].concat(),
        frame(0xa1, b"another reserved bit"),
    ] {
        assert_eq!(inflated(&stream, 1), Err(Unreadable::Broken), "{stream:x?}");
    }
}

#[test]
fn what_does_not_inflate_to_a_text_of_the_right_size_is_refused() {
    let compressed = |text: &[u8]| frame(0xc1, &super::super::deflate::deflate(text, 15).unwrap());
    assert_eq!(inflated(&frame(0xc1, &[0xff; 9]), 1), Err(Unreadable::NotDeflated));
    assert_eq!(inflated(&compressed(&[0xff; 999]), 1), Err(Unreadable::NotUtf8));
    assert_eq!(inflated(&compressed(&[b'a'; 100_001]), 1), Err(Unreadable::TooLarge));
    assert_eq!(inflated(&compressed(&[b'a'; 100_000]), 1).map(|read| read.len()), Ok(1));
}
