use serde_json::{Value, json};

/// A train that goes back and forth between two stations for ever.
pub(super) struct Train {
    pub(super) line: &'static str,
    from: &'static str,
    to: &'static str,
    /// Turns that one way takes.
    turns: u64,
    /// How far it is at the beginning, in turns.
    offset: u64,
    /// Cruising speed in km/h.
    speed: u64,
    /// Minutes.
    delay: u64,
}

/// A departure to announce.
pub(super) struct Departure {
    pub(super) train: &'static str,
    pub(super) station: &'static str,
    pub(super) platform: u8,
}

#[rustfmt::skip]
pub(super) const TRAINS: &[Train] = &[
    Train { line: "IC 5", from: "Zürich", to: "Genève", turns: 60, offset: 12, speed: 140, delay: 2 },
    Train { line: "IC 8", from: "Brig", to: "Romanshorn", turns: 75, offset: 40, speed: 125, delay: 0 },
    Train { line: "EC 317", from: "Zürich", to: "Milano", turns: 90, offset: 55, speed: 160, delay: 7 },
    Train { line: "IR 15", from: "Luzern", to: "Lausanne", turns: 50, offset: 3, speed: 110, delay: 1 },
    Train { line: "RE 33", from: "Annecy", to: "Genève", turns: 35, offset: 20, speed: 90, delay: 0 },
    Train { line: "S 3", from: "Aarau", to: "Wetzikon", turns: 30, offset: 9, speed: 75, delay: 4 },
    Train { line: "S 12", from: "Brugg", to: "Wil", turns: 40, offset: 31, speed: 80, delay: 0 },
    Train { line: "ICE 71", from: "Chur", to: "Hamburg", turns: 110, offset: 66, speed: 200, delay: 18 },
];

#[rustfmt::skip]
pub(super) const DEPARTURES: &[Departure] = &[
    Departure { train: "IC 5", station: "Bern", platform: 7 },
    Departure { train: "EC 317", station: "Arth-Goldau", platform: 3 },
    Departure { train: "S 3", station: "Lenzburg", platform: 2 },
    Departure { train: "ICE 71", station: "Basel SBB", platform: 11 },
    Departure { train: "IR 15", station: "Fribourg", platform: 4 },
];

impl Train {
    /// The line without its space: no word of a command can hold one.
    pub(super) fn id(&self) -> String {
        self.line.replace(' ', "")
    }

    /// The train as it is published after so many turns.
    pub(super) fn at(&self, turn: u64) -> Value {
        let way = (turn + self.offset) % (2 * self.turns);
        let returning = way >= self.turns;
        let (from, to) = if returning { (self.to, self.from) } else { (self.from, self.to) };
        let done = way % self.turns;
        json!({
            "id": self.id(),
            "line": self.line,
            "from": from,
            "to": to,
            "position": (done as f64 / self.turns as f64 * 1000.0).round() / 1000.0,
            "speed": self.speed_at(done),
            "delay": self.delay,
        })
    }

    /// Slow near its ends, and a little uneven on the way.
    fn speed_at(&self, done: u64) -> u64 {
        let from_end = done.min(self.turns - done);
        (self.speed * (from_end + 1) / 4).min(self.speed - done % 3 * 4)
    }
}
