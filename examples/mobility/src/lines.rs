/// A line of public transport.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    /// As the client knows them: `rail`, `tram`, `bus`…
    pub(crate) mode: &'static str,
    pub(crate) color: &'static str,
    pub(crate) text_color: &'static str,
    /// Metres of EPSG:3857 in a second: faster than in life, so that one sees it from afar.
    pub(crate) speed: f64,
    pub(crate) vehicles: usize,
    /// Longitude and latitude.
    pub(crate) stops: &'static [[f64; 2]],
}

const BASEL: [f64; 2] = [7.59, 47.55];
const BELLINZONA: [f64; 2] = [9.03, 46.20];
const BERN: [f64; 2] = [7.44, 46.95];
const BIEL: [f64; 2] = [7.24, 47.13];
const BRIG: [f64; 2] = [7.99, 46.32];
const CHUR: [f64; 2] = [9.53, 46.85];
const FRIBOURG: [f64; 2] = [7.15, 46.80];
const GENEVA: [f64; 2] = [6.14, 46.21];
const GOLDAU: [f64; 2] = [8.55, 47.05];
const LAUSANNE: [f64; 2] = [6.63, 46.52];
const LUCERNE: [f64; 2] = [8.31, 47.05];
const LUGANO: [f64; 2] = [8.95, 46.01];
const MARTIGNY: [f64; 2] = [7.08, 46.11];
const NEUCHATEL: [f64; 2] = [6.94, 46.99];
const OLTEN: [f64; 2] = [7.91, 47.35];
const SARGANS: [f64; 2] = [9.45, 47.04];
const SCHAFFHAUSEN: [f64; 2] = [8.63, 47.70];
const SION: [f64; 2] = [7.36, 46.23];
const ST_GALLEN: [f64; 2] = [9.37, 47.42];
const THUN: [f64; 2] = [7.63, 46.75];
const VISP: [f64; 2] = [7.88, 46.29];
const WINTERTHUR: [f64; 2] = [8.72, 47.50];
const ZURICH: [f64; 2] = [8.54, 47.38];

const fn rail(name: &'static str, stops: &'static [[f64; 2]]) -> Line {
    let (color, text_color) = ("#eb0000", "#ffffff");
    Line { name, mode: "rail", color, text_color, speed: 400.0, vehicles: 8, stops }
}

const fn tram(name: &'static str, color: &'static str, stops: &'static [[f64; 2]]) -> Line {
    Line { name, mode: "tram", color, text_color: "#ffffff", speed: 15.0, vehicles: 4, stops }
}

const fn bus(name: &'static str, color: &'static str, stops: &'static [[f64; 2]]) -> Line {
    Line { name, mode: "bus", color, text_color: "#000000", speed: 12.0, vehicles: 4, stops }
}

/// Invented timetables between real places.
pub(crate) const LINES: &[Line] = &[
    rail("IC 1", &[GENEVA, LAUSANNE, FRIBOURG, BERN, OLTEN, ZURICH, WINTERTHUR, ST_GALLEN]),
    rail("IC 2", &[ZURICH, GOLDAU, BELLINZONA, LUGANO]),
    rail("IC 3", &[BASEL, OLTEN, ZURICH, SARGANS, CHUR]),
    rail("IC 5", &[LAUSANNE, NEUCHATEL, BIEL, OLTEN, ZURICH, ST_GALLEN]),
    rail("IC 6", &[BASEL, OLTEN, BERN, THUN, VISP, BRIG]),
    rail("IR 15", &[GENEVA, LAUSANNE, FRIBOURG, BERN, LUCERNE]),
    rail("IR 26", &[BASEL, OLTEN, LUCERNE, GOLDAU, BELLINZONA]),
    rail("IR 90", &[GENEVA, LAUSANNE, MARTIGNY, SION, VISP, BRIG]),
    rail("S 9", &[SCHAFFHAUSEN, WINTERTHUR, ZURICH, LUCERNE]),
    tram("3", "#ee7f00", &[[7.415, 46.935], [7.428, 46.943], [7.440, 46.948], [7.470, 46.943]]),
    tram("6", "#006fba", &[[7.395, 46.930], [7.428, 46.943], [7.440, 46.948], [7.505, 46.932]]),
    tram("9", "#008c3a", &[[7.452, 46.930], [7.440, 46.948], [7.455, 46.962], [7.475, 46.965]]),
    bus("10", "#78c2ff", &[[7.430, 46.925], [7.438, 46.945], [7.447, 46.958], [7.480, 46.972]]),
    bus("12", "#ffd500", &[[7.425, 46.958], [7.440, 46.948], [7.458, 46.948], [7.472, 46.952]]),
    bus("20", "#9ad0a0", &[[7.440, 46.948], [7.448, 46.955], [7.455, 46.967]]),
    tram("4", "#1c2f6b", &[[8.505, 47.392], [8.540, 47.378], [8.545, 47.367], [8.562, 47.353]]),
    tram("11", "#00893e", &[[8.535, 47.412], [8.540, 47.378], [8.538, 47.366], [8.580, 47.355]]),
    bus("31", "#c5a3ff", &[[8.480, 47.380], [8.530, 47.377], [8.548, 47.372], [8.585, 47.358]]),
];
