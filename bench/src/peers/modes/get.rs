use std::time::{Duration, Instant};

use super::SIZE;
use crate::Result;
use crate::peers::bout::{Bout, Extent, Figure, micros};
use crate::peers::load::stamp::Stamp;

const CLIENTS: u32 = 64;
const KEY: &str = "hash";

/// Everybody asks for a field of a hash of their own, and asks again when the answer has come.
pub(super) fn measure(bout: &Bout<'_>, extent: Extent) -> Result<Vec<Figure>> {
    let dialect = bout.contender.dialect;
    let mut questions = Vec::new();
    for number in 0..CLIENTS {
        let value = Stamp { sent: 0, number, channel: 0 }.payload(SIZE);
        bout.redis(&[b"HSET", KEY.as_bytes(), number.to_string().as_bytes(), &value]);
        questions.push(dialect.get(KEY, number).ok_or("it has no GET")?);
    }
    let mut clients = bout.open(CLIENTS, |_| dialect.connect())?;
    for (client, (question, _)) in questions.iter().enumerate() {
        clients.send(client, question)?;
    }
    let mut waiting = Vec::new();
    let mut ask_for = |time: Duration| -> Result<u64> {
        let (began, mut answers, mut wrong) = (Instant::now(), 0, false);
        while began.elapsed() < time {
            clients.turn(Duration::from_millis(100), |client, frame| {
                let number = frame.stamp.map(|stamp| stamp.number);
                wrong |= number != questions.get(client).map(|(_, number)| *number);
                waiting.push(client);
            })?;
            answers += waiting.len() as u64;
            for client in waiting.drain(..) {
                let (question, _) = questions.get(client).ok_or("an answer to nobody")?;
                clients.send(client, question)?;
            }
        }
        if wrong { Err("a value is another than it should be".into()) } else { Ok(answers) }
    };
    ask_for(extent.warm_up)?;
    let (before, began) = (bout.cpu()?, Instant::now());
    let answers = ask_for(extent.turn)?;
    let (spent, taken) = (bout.cpu()?.saturating_sub(before), began.elapsed());
    if answers == 0 {
        return Err("no answers to GET".into());
    }
    let what = "GET of a hash field, 64 connections";
    Ok(vec![
        Figure::cost(format!("{what}: CPU µs each"), micros(spent, answers)),
        Figure::rate(format!("{what}: a second"), answers as f64 / taken.as_secs_f64()),
    ])
}
