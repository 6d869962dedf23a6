use serde::{Deserialize, Serialize};

/// Kinds of vehicles; what a map would colour them by.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Rail,
    Regional,
    Subway,
    Tram,
    Bus,
}

/// How vehicles of a kind run. Speeds are means between stops.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    pub(super) metres_per_second: f64,
    pub(super) metres_between_stops: f64,
    pub(super) seconds_at_stops: f64,
    /// When there are ten thousand vehicles.
    pub(super) metres_between_vehicles: f64,
    pub(super) color: &'static str,
}

impl Kind {
    #[rustfmt::skip]
    pub(super) fn habits(self) -> Habits {
        let (metres_per_second, metres_between_stops, seconds_at_stops, metres_between_vehicles, color) = match self {
            Self::Rail     => (36.0, 45_000.0, 90.0, 42_000.0, "#d1263a"),
            Self::Regional => (19.0,  6_000.0, 40.0,  4_200.0, "#2b6cb8"),
            Self::Subway   => (11.0,    900.0, 25.0,  1_300.0, "#7a4cb8"),
            Self::Tram     => ( 7.0,    500.0, 20.0,  1_250.0, "#0e857a"),
            Self::Bus      => ( 7.5,    450.0, 20.0,  1_400.0, "#b87a0c"),
        };
        Habits { metres_per_second, metres_between_stops, seconds_at_stops, metres_between_vehicles, color }
    }
}
