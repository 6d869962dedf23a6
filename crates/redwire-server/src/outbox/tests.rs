use std::future::poll_fn;
use std::io::{Cursor, ErrorKind, IoSlice};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep_until;
use tungstenite::protocol::frame::FrameHeader;

use super::*;
use crate::websocket::Stream;

fn outbox(outbox_bytes: usize, outbox_messages: usize) -> Outbox {
    within(&Limits { outbox_bytes, outbox_messages, ..Limits::default() })
}

/// The outbox of a connection whose task writes, so that frames stay until they are popped.
fn within(limits: &Limits) -> Outbox {
    Outbox::new(&Arc::new(limits.clone()), None, None)
}

fn push(outbox: &Outbox, frame: impl Into<Bytes>, subject: Option<Subject>) {
    let _ = outbox.push(Push { frame: Frame::text(frame.into()), subject });
}

/// The payload of the next frame that is due, through a socket that takes one frame.
fn pop(outbox: &Outbox) -> Option<Bytes> {
    let mut queue = outbox.queue();
    let mut frame = None;
    let _ = outbox.write_due(&mut queue, |slices| {
        if frame.is_some() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let wire: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        let mut cursor = Cursor::new(&wire);
        let (_, len) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
        let (start, len) = (cursor.position() as usize, len as usize);
        frame = Some(Bytes::copy_from_slice(&wire[start..start + len]));
        Ok(start + len)
    });
    queue.take_replay();
    frame
}

#[test]
fn frames_come_out_in_order() {
    let outbox = outbox(100, 10);
    push(&outbox, &b"a"[..], None);
    push(&outbox, &b"b"[..], None);
    assert_eq!(pop(&outbox).unwrap(), "a");
    assert_eq!(pop(&outbox).unwrap(), "b");
    assert_eq!(pop(&outbox), None);
}

#[test]
fn too_many_bytes_behind_the_first_frame_close_and_free_it() {
    let outbox = outbox(10, 10);
    (0..3).for_each(|_| push(&outbox, &b"123456"[..], None));
    assert_eq!(outbox.closing(), Some(Close::TooSlow));
    assert_eq!(pop(&outbox), None);
}

#[test]
fn too_many_frames_close_it() {
    let outbox = outbox(10, 2);
    (0..3).for_each(|_| push(&outbox, &b"1"[..], None));
    assert_eq!(outbox.closing(), Some(Close::TooSlow));
}

#[test]
fn a_first_frame_of_any_size_is_taken_and_leaves_the_room_behind_it() {
    let outbox = outbox(10, 10);
    push(&outbox, vec![0; 1000], None);
    push(&outbox, &b"1234567890"[..], None);
    assert_eq!(pop(&outbox).unwrap().len(), 1000);
    assert_eq!(pop(&outbox).unwrap(), "1234567890");
}

#[test]
fn replies_leave_half_of_the_room_to_pushes() {
    let outbox = outbox(10, 10);
    push(&outbox, &b"a"[..], None);
    assert!(outbox.offer(Frame::text("12345".into())).is_ok());
    assert_eq!(outbox.offer(Frame::text("6".into())), Err(Frame::text("6".into())));
    push(&outbox, &b"67890"[..], None);
    assert_eq!(pop(&outbox).unwrap(), "a");
    assert_eq!(pop(&outbox).unwrap(), "12345");
    assert_eq!(pop(&outbox).unwrap(), "67890");
}

fn state(subject: u64) -> Option<Subject> {
    Some(Subject::State(subject))
}

#[test]
fn a_newer_state_takes_the_place_of_the_older_one() {
    let outbox = outbox(100, 10);
    push(&outbox, &b"train 1 at A"[..], state(1));
    push(&outbox, &b"train 2 at A"[..], state(2));
    push(&outbox, &b"train 1 at B"[..], state(1));
    assert_eq!(pop(&outbox).unwrap(), "train 1 at B");
    push(&outbox, &b"train 1 at C"[..], state(1));
    push(&outbox, &b"train 2 has left"[..], Some(Subject::End(2)));
    assert_eq!(pop(&outbox).unwrap(), "train 2 has left");
    assert_eq!(pop(&outbox).unwrap(), "train 1 at C");
    assert_eq!(pop(&outbox), None);
}

#[test]
fn states_close_nobody_until_there_are_too_many_subjects() {
    let limits =
        Limits { outbox_bytes: 1, outbox_messages: 1, outbox_subjects: 3, ..Limits::default() };
    let outbox = within(&limits);
    for round in 0..100 {
        (0..3).for_each(|train| push(&outbox, vec![round; 100], state(train)));
    }
    (0..3).for_each(|_| assert_eq!(pop(&outbox).unwrap(), vec![99; 100]));
    (0..4).for_each(|train| push(&outbox, &b"1"[..], state(train)));
    assert_eq!(outbox.closing(), Some(Close::TooSlow));
}

#[test]
fn states_that_a_replay_says_again_are_forgotten_and_all_else_is_kept() {
    let outbox = outbox(100, 10);
    push(&outbox, &b"train 1 at A"[..], state(1));
    push(&outbox, &b"news"[..], None);
    push(&outbox, &b"train 2 has left"[..], Some(Subject::End(2)));
    outbox.forget_states();
    push(&outbox, &b"train 2 is back"[..], state(2));
    assert_eq!(pop(&outbox).unwrap(), "news");
    assert_eq!(pop(&outbox).unwrap(), "train 2 is back");
    assert_eq!(pop(&outbox), None);
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
    push(&outbox, &b"1"[..], None);
    push(&outbox, &b"2"[..], None);
    assert_eq!(pop(&outbox), None);
    sleep_until(outbox.next_due().unwrap()).await;
    assert_eq!(start.elapsed(), Duration::from_millis(100));
    assert_eq!(texts(&pop(&outbox).unwrap()), ["1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn enough_pushes_leave_at_once() {
    let outbox = gathering(Duration::from_millis(100), 2);
    let start = Instant::now();
    (0..5).for_each(|_| push(&outbox, &b"1"[..], None));
    assert_eq!(texts(&pop(&outbox).unwrap()), ["1", "1"]);
    assert_eq!(texts(&pop(&outbox).unwrap()), ["1", "1"]);
    assert_eq!(pop(&outbox), None, "the fifth waits for others");
    sleep_until(outbox.next_due().unwrap()).await;
    assert_eq!(start.elapsed(), Duration::from_millis(100));
    assert_eq!(texts(&pop(&outbox).unwrap()), ["1"]);
}

#[test]
fn what_is_gathered_leaves_before_it_fills_the_queue() {
    let outbox = gathering(Duration::from_secs(3600), 1000);
    (0..4).for_each(|_| push(&outbox, &b"1"[..], None));
    assert_eq!(pop(&outbox), None);
    push(&outbox, &b"1"[..], None);
    assert_eq!(texts(&pop(&outbox).unwrap()).len(), 5, "half of the messages");
    push(&outbox, vec![b'1'; 30], None);
    assert_eq!(pop(&outbox), None);
    push(&outbox, vec![b'1'; 30], None);
    assert_eq!(texts(&pop(&outbox).unwrap()).len(), 2, "half of the bytes");
}

#[test]
fn a_large_frame_behind_a_state_leaves_the_room_behind_it() {
    let outbox = outbox(10, 10);
    push(&outbox, &b"train 1 at A"[..], state(1));
    push(&outbox, vec![0; 1000], None);
    push(&outbox, &b"1234567890"[..], None);
    pop(&outbox).unwrap();
    push(&outbox, &b"train 1 at B"[..], state(1));
    assert_eq!(pop(&outbox).unwrap().len(), 1000);
    assert_eq!(pop(&outbox).unwrap(), "1234567890");
}

#[test]
fn the_next_replay_waits_until_the_last_one_is_taken() {
    let outbox = outbox(100, 10);
    assert!(outbox.is_taken());
    push(&outbox, &b"train 1"[..], state(1));
    push(&outbox, &b"train 2"[..], state(2));
    outbox.replayed();
    push(&outbox, &b"news"[..], None);
    for _ in 0..2 {
        assert!(!outbox.is_taken(), "a frame of it is still there");
        pop(&outbox).unwrap();
    }
    assert!(outbox.is_taken());
}

#[test]
fn a_reply_is_not_gathered_and_sends_what_was() {
    let outbox = gathering(Duration::from_secs(3600), 10);
    push(&outbox, &b"1"[..], None);
    let _ = outbox.offer(Frame::text("reply".into())).unwrap();
    push(&outbox, &b"2"[..], None);
    assert_eq!(texts(&pop(&outbox).unwrap()), ["1"]);
    assert_eq!(pop(&outbox).unwrap(), "reply");
    assert_eq!(pop(&outbox), None);
}

/// As [`pop`], but the socket takes only so many bytes.
fn write(outbox: &Outbox, bytes: usize) {
    let mut room = Some(bytes);
    let mut queue = outbox.queue();
    let _ =
        outbox.write_due(&mut queue, |_| room.take().ok_or_else(|| ErrorKind::WouldBlock.into()));
}

#[test]
fn a_frame_that_has_begun_to_leave_is_neither_replaced_nor_dropped() {
    let outbox = outbox(100, 10);
    push(&outbox, &b"train 1 at A"[..], state(1));
    write(&outbox, 3);
    push(&outbox, &b"train 1 at B"[..], state(1));
    outbox.forget_states();
    push(&outbox, &b"train 1 at C"[..], state(1));
    outbox.control(Frame::ping());
    outbox.close(Close::TooSlow);
    outbox.finish(Frame::close(None));
    let mut rest = Vec::new();
    let all = |slices: &[IoSlice<'_>]| {
        slices.iter().for_each(|slice| rest.extend_from_slice(slice));
        Ok(slices.iter().map(|slice| slice.len()).sum())
    };
    outbox.write_due(&mut outbox.queue(), all).unwrap();
    assert_eq!(rest, b"rain 1 at A\x88\x00");
}

#[test]
fn a_ping_leaves_before_all_that_waits() {
    let outbox = outbox(100, 10);
    push(&outbox, &b"first"[..], None);
    push(&outbox, &b"train 1 at A"[..], state(1));
    write(&outbox, 1);
    outbox.control(Frame::ping());
    assert_eq!(outbox.queue().ready(), 1, "the rest of the first frame");
    write(&outbox, 6);
    push(&outbox, &b"train 1 at B"[..], state(1));
    assert_eq!(pop(&outbox).unwrap(), "");
    assert_eq!(pop(&outbox).unwrap(), "train 1 at B");
    assert_eq!(pop(&outbox), None);
}

#[test]
fn each_ping_is_answered_in_order_and_of_too_many_the_last_ones() {
    let outbox = outbox(100, 10);
    push(&outbox, &b"news"[..], None);
    (0..100).for_each(|ping| outbox.control(Frame::pong(vec![ping].into())));
    let answered: Vec<u8> = (0..16).map(|_| pop(&outbox).unwrap()[0]).collect();
    assert_eq!(answered, (84..100).collect::<Vec<u8>>());
    assert_eq!(pop(&outbox).unwrap(), "news");
    assert_eq!(pop(&outbox), None);
}

#[tokio::test]
async fn pongs_for_a_client_that_does_not_read_are_not_all_kept() {
    let (client, direct) = connected().await;
    let outbox = Outbox::new(&Arc::new(Limits::default()), Some(Arc::clone(&direct)), None);
    while direct.try_write(&[IoSlice::new(&[0; 1000])]).is_ok() {}
    let (mut context, mut stream) = (Context::from_waker(Waker::noop()), Stream::Tcp(direct));
    for _ in 0..1_000 {
        outbox.control(Frame::pong(Bytes::new()));
        assert!(outbox.poll_flush(&mut context, &mut stream, || ()).is_pending());
    }
    let queue = outbox.queue();
    let waiting = queue.frames.len() + queue.controls.len();
    assert!(waiting < 100, "{waiting} wait");
    drop(client);
}

#[test]
fn pongs_leave_in_the_order_of_their_pings_also_when_the_socket_is_full() {
    let outbox = outbox(100, 10);
    for ping in 0..3 {
        outbox.control(Frame::pong(vec![ping].into()));
        let full = |_: &[IoSlice<'_>]| Err(ErrorKind::WouldBlock.into());
        assert!(outbox.write_due(&mut outbox.queue(), full).is_err());
    }
    (0..3).for_each(|ping| assert_eq!(pop(&outbox).unwrap(), vec![ping]));
}

/// The wire, once it takes everything.
fn wire(outbox: &Outbox) -> Vec<u8> {
    let mut wire = Vec::new();
    let all = |slices: &[IoSlice<'_>]| {
        slices.iter().for_each(|slice| wire.extend_from_slice(slice));
        Ok(slices.iter().map(|slice| slice.len()).sum())
    };
    outbox.write_due(&mut outbox.queue(), all).unwrap();
    wire
}

#[test]
fn the_answer_to_the_handshake_comes_before_pongs() {
    let outbox = outbox(100, 10);
    outbox.begin_with("HTTP/1.1 101 ".into());
    push(&outbox, &b"greeting"[..], None);
    outbox.control(Frame::pong("a".into()));
    assert_eq!(wire(&outbox), b"HTTP/1.1 101 \x8a\x01a\x81\x08greeting");
}

#[test]
fn who_is_too_slow_before_the_answer_to_the_handshake_has_left_gets_it_still() {
    let outbox = outbox(10, 10);
    outbox.begin_with("HTTP/1.1 101 ".into());
    push(&outbox, &b"greeting"[..], None);
    push(&outbox, &b"more than there is room for"[..], None);
    assert_eq!(outbox.closing(), Some(Close::TooSlow));
    outbox.finish(Frame::close(None));
    assert_eq!(wire(&outbox), b"HTTP/1.1 101 \x88\x00");
}

#[test]
fn what_is_gathered_is_compressed_as_one() {
    let compression = Some(Compression::new(15, Counter::default()));
    let limits = Arc::new(Limits { outbox_bytes: 100_000, ..Limits::default() });
    let outbox = Outbox::new(&limits, None, compression);
    outbox.set_pace(Pace::Gathered { wait: Duration::from_secs(3600), count: 50 });
    let text = |train: u64| format!("{{\"line\":\"S1\",\"train\":{train},\"state\":\"driving\"}}");
    (0..50).for_each(|train| push(&outbox, text(train), None));
    let gathered = pop(&outbox).unwrap();
    assert!(gathered.len() < 50 * text(0).len() / 5, "{} bytes", gathered.len());
    assert_eq!(pop(&outbox), None);
}

/// How often the connection's task was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A client's end of a socket, and the server's, which takes something.
async fn connected() -> (TcpStream, Arc<Lingering>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let connected = TcpStream::connect(listener.local_addr().unwrap());
    let (client, server) = tokio::join!(connected, listener.accept());
    let (server, _) = server.unwrap();
    server.writable().await.unwrap();
    (client.unwrap(), Arc::new(Lingering::new(server, Duration::ZERO)))
}

fn pushes(frames: impl IntoIterator<Item = Bytes>, subject: Option<Subject>) -> Vec<Push> {
    frames.into_iter().map(|text| Push { frame: Frame::text(text), subject }).collect()
}

#[tokio::test]
async fn pushes_that_leave_at_once_and_do_not_fit_into_the_socket_wait_in_their_order() {
    let (mut client, direct) = connected().await;
    let large = Limits { outbox_bytes: usize::MAX, ..Limits::default() };
    let outbox = Outbox::new(&Arc::new(large), Some(Arc::clone(&direct)), None);
    const SIZE: usize = 1_000_000;
    let mut frames = pushes((0..64).map(|number| vec![number; SIZE].into()), None);
    assert_eq!(outbox.push_all(&mut frames, true), Flush::Done);
    assert!(frames.is_empty() && outbox.is_blocked());

    let mut stream = Stream::Tcp(direct);
    let write = poll_fn(|context| outbox.poll_flush(context, &mut stream, || ()));
    let read = async {
        let mut frame = vec![0; 10 + SIZE];
        for number in 0..64 {
            client.read_exact(&mut frame).await.unwrap();
            assert!(frame[10..].iter().all(|byte| *byte == number), "{number}");
        }
    };
    let (written, ()) = tokio::join!(write, read);
    written.unwrap();
    assert!(!outbox.is_blocked());
}

#[tokio::test]
async fn of_pushes_about_the_same_that_leave_at_once_the_last_one_does() {
    let (mut client, direct) = connected().await;
    let outbox = Outbox::new(&Arc::new(Limits::default()), Some(direct), None);
    let mut states = pushes(["at A", "at B", "at C"].map(Bytes::from), state(1));
    assert_eq!(outbox.push_all(&mut states, true), Flush::Done);
    let mut frame = [0; 6];
    client.read_exact(&mut frame).await.unwrap();
    assert_eq!(&frame[2..], b"at C");
    assert_eq!(outbox.due(&outbox.queue()), Due::Never);
}

#[tokio::test]
async fn pushes_that_others_may_follow_are_queued_and_leave_with_them() {
    let (mut client, direct) = connected().await;
    let outbox = Outbox::new(&Arc::new(Limits::default()), Some(direct), None);
    assert_eq!(outbox.push_all(&mut pushes(["a", "b"].map(Bytes::from), None), false), Flush::Soon);
    assert_eq!(outbox.push_all(&mut pushes(["c"].map(Bytes::from), None), true), Flush::No);
    assert_eq!(outbox.queue().frames.len(), 3);
    outbox.flush();
    let mut frames = [0; 9];
    client.read_exact(&mut frames).await.unwrap();
    assert_eq!(&frames, b"\x81\x01a\x81\x01b\x81\x01c");
}

#[tokio::test]
async fn who_flushes_wakes_the_task_for_what_may_not_leave_yet() {
    let (client, direct) = connected().await;
    let limits = Arc::new(Limits { buffer_bytes: 10, ..Limits::default() });
    let outbox = Outbox::new(&limits, Some(direct), None);
    outbox.set_pace(Pace::Gathered { wait: Duration::from_secs(3600), count: 10 });
    let woken = Arc::new(Woken::default());
    outbox.register(&Context::from_waker(&Waker::from(Arc::clone(&woken))));
    let push =
        |text: &'static str| outbox.push(Push { frame: Frame::text(text.into()), subject: None });
    assert_eq!(push("as much as may be gathered"), Flush::Soon);
    assert_eq!(push("short"), Flush::No);
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    outbox.flush();
    assert!(outbox.next_due().is_some(), "the short one waits for others");
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    drop(client);
}

#[test]
fn nothing_is_queued_behind_the_last_frame_of_all() {
    let outbox = outbox(100, 10);
    push(&outbox, &b"first"[..], None);
    outbox.finish(Frame::close(None));
    push(&outbox, &b"news"[..], None);
    push(&outbox, &b"train 1 at A"[..], state(1));
    assert_eq!(pop(&outbox).unwrap(), "first");
    assert_eq!(pop(&outbox).unwrap(), "", "the close frame");
    assert_eq!(pop(&outbox), None);
}

#[test]
fn the_last_frame_leaves_also_while_pushes_are_held() {
    let outbox = outbox(100, 10);
    outbox.hold(true);
    push(&outbox, &b"news"[..], None);
    assert_eq!(pop(&outbox), None);
    outbox.finish(Frame::close(None));
    assert_eq!(pop(&outbox).unwrap(), "news");
    assert_eq!(pop(&outbox).unwrap(), "", "the close frame");
}

#[test]
fn a_push_that_has_begun_to_leave_leaves_also_when_pushes_are_gathered_or_held() {
    for stop in [
        |outbox: &Outbox| outbox.set_pace(Pace::Gathered { wait: Duration::ZERO, count: 10 }),
        |outbox: &Outbox| outbox.hold(true),
    ] {
        let outbox = outbox(100, 10);
        push(&outbox, &b"news"[..], None);
        write(&outbox, 1);
        stop(&outbox);
        assert_eq!(outbox.queue().ready(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn pings_do_not_put_off_what_is_gathered() {
    let outbox = gathering(Duration::from_millis(1_000), 10);
    push(&outbox, &b"1"[..], None);
    push(&outbox, &b"2"[..], None);
    sleep_until(Instant::now() + Duration::from_millis(600)).await;
    outbox.control(Frame::pong("ping".into()));
    assert_eq!(pop(&outbox).unwrap(), "ping");
    sleep_until(Instant::now() + Duration::from_millis(600)).await;
    outbox.control(Frame::pong("ping".into()));
    assert_eq!(pop(&outbox).unwrap(), "ping");
    assert_eq!(texts(&pop(&outbox).unwrap()), ["1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn what_has_become_due_since_the_last_flush_is_due_now() {
    let outbox = gathering(Duration::from_millis(100), 10);
    push(&outbox, &b"1"[..], None);
    assert_eq!(pop(&outbox), None);
    sleep_until(Instant::now() + Duration::from_millis(200)).await;
    assert_eq!(outbox.next_due(), Some(Instant::now()));
    outbox.queue().is_blocked = true;
    assert_eq!(outbox.next_due(), None, "the socket's turn comes first");
}

#[tokio::test(start_paused = true)]
async fn a_pace_that_makes_no_sense_is_one_that_does() {
    let outbox = outbox(100, 10);
    outbox.set_pace(Pace::Gathered { wait: Duration::MAX, count: 0 });
    push(&outbox, &b"1"[..], None);
    assert_eq!(texts(&pop(&outbox).unwrap()), ["1"]);
    assert_eq!(pop(&outbox), None);
    outbox.set_pace(Pace::Gathered { wait: Duration::MAX, count: 2 });
    push(&outbox, &b"2"[..], None);
    assert!(outbox.next_due().is_some());
}

#[test]
fn who_is_too_slow_hears_the_last_word_if_it_has_been_said() {
    let outbox = outbox(100, 10);
    outbox.finish(Frame::close(None));
    outbox.close(Close::TooSlow);
    assert_eq!(pop(&outbox).unwrap(), "", "the close frame");
}
