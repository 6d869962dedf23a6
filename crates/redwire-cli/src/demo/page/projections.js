// The forward formulas of the projections on offer, in closed form. Vehicles come projected from the
// server; these are for the background, which is stored in longitude and latitude.

const RADIANS = Math.PI / 180;

/** The web's Mercator, on a sphere. */
function webMercator(lon, lat) {
  const radius = 6378137;
  const clamped = Math.max(-85.06, Math.min(85.06, lat));
  return [radius * lon * RADIANS, radius * Math.log(Math.tan(Math.PI / 4 + (clamped * RADIANS) / 2))];
}

/** Lambert's azimuthal equal-area projection on an ellipsoid (EPSG guidance note 7-2, 3.4.2). */
function equalAreaEurope() {
  const [a, e] = [6378137, 0.0818191910428158]; // GRS 1980
  const [lon0, lat0, east, north] = [10 * RADIANS, 52 * RADIANS, 4321000, 3210000];
  const q = sine => (1 - e * e) * (sine / (1 - (e * sine) ** 2) - Math.log((1 - e * sine) / (1 + e * sine)) / (2 * e));
  const pole = q(1);
  const beta0 = Math.asin(q(Math.sin(lat0)) / pole);
  const [sin0, cos0, radius] = [Math.sin(beta0), Math.cos(beta0), a * Math.sqrt(pole / 2)];
  const stretch = (a * Math.cos(lat0)) / Math.sqrt(1 - (e * Math.sin(lat0)) ** 2) / (radius * cos0);
  return (lon, lat) => {
    const sine = Math.max(-1, Math.min(1, q(Math.sin(lat * RADIANS)) / pole));
    const [cosine, turn] = [Math.sqrt(1 - sine * sine), lon * RADIANS - lon0];
    const scale = radius * Math.sqrt(2 / Math.max(1e-6, 1 + sin0 * sine + cos0 * cosine * Math.cos(turn)));
    return [
      east + scale * stretch * cosine * Math.sin(turn),
      north + (scale / stretch) * (cos0 * sine - sin0 * cosine * Math.cos(turn)),
    ];
  };
}

/** From WGS 84 to Bessel's ellipsoid as it lies under Switzerland, by swisstopo's three parameters. */
function toBessel(lon, lat) {
  const [a, e2] = [6378137, 0.00669437999014];
  const [sine, cosine] = [Math.sin(lat * RADIANS), Math.cos(lat * RADIANS)];
  const normal = a / Math.sqrt(1 - e2 * sine * sine);
  const x = normal * cosine * Math.cos(lon * RADIANS) - 674.374;
  const y = normal * cosine * Math.sin(lon * RADIANS) - 15.056;
  const z = normal * (1 - e2) * sine - 405.346;
  const [bessel, f2, p] = [6377397.155, 0.006674372230614, Math.hypot(x, y)];
  let phi = Math.atan2(z, p * (1 - f2));
  for (let i = 0; i < 4; i++) {
    const n = bessel / Math.sqrt(1 - f2 * Math.sin(phi) ** 2);
    phi = Math.atan2(z + f2 * n * Math.sin(phi), p);
  }
  return [Math.atan2(y, x), phi];
}

/** Switzerland's oblique Mercator (swisstopo, Formulas and constants for the calculation of the Swiss
 *  conformal cylindrical projection, 3.2). */
function swissGrid() {
  const [a, e2, e] = [6377397.155, 0.006674372230614, Math.sqrt(0.006674372230614)];
  const [lon0, lat0] = [(7 + 26 / 60 + 22.5 / 3600) * RADIANS, (46 + 57 / 60 + 8.66 / 3600) * RADIANS];
  const radius = (a * Math.sqrt(1 - e2)) / (1 - e2 * Math.sin(lat0) ** 2);
  const alpha = Math.sqrt(1 + (e2 / (1 - e2)) * Math.cos(lat0) ** 4);
  const b0 = Math.asin(Math.sin(lat0) / alpha);
  const isometric = phi => Math.log(Math.tan(Math.PI / 4 + phi / 2));
  const flatten = phi => alpha * (isometric(phi) - (e / 2) * Math.log((1 + e * Math.sin(phi)) / (1 - e * Math.sin(phi))));
  const constant = isometric(b0) - flatten(lat0);
  return (lon, lat) => {
    const [lambda, phi] = toBessel(lon, lat);
    const b = 2 * Math.atan(Math.exp(flatten(phi) + constant)) - Math.PI / 2;
    const l = alpha * (lambda - lon0);
    const turned = Math.atan2(Math.sin(l), Math.sin(b0) * Math.tan(b) + Math.cos(b0) * Math.cos(l));
    const height = Math.cos(b0) * Math.sin(b) - Math.sin(b0) * Math.cos(b) * Math.cos(l);
    return [2600000 + radius * turned, 1200000 + (radius / 2) * Math.log((1 + height) / (1 - height))];
  };
}

/** `box`: what of the world can be shown, in degrees; `decimals`: of a coordinate in a command. */
export const PROJECTIONS = {
  3857: { name: 'Web Mercator', forward: webMercator, box: [-180, -80, 180, 84], decimals: 0 },
  3035: { name: 'Europe, equal area', forward: equalAreaEurope(), box: [-80, -50, 110, 89], decimals: 0 },
  2056: { name: 'Swiss grid LV95', forward: swissGrid(), box: [-20, 30, 36, 66], decimals: 0 },
  4326: { name: 'Longitude, latitude', forward: (lon, lat) => [lon, lat], box: [-180, -85, 180, 85], decimals: 5 },
};

/** Newton's method, started where one is: no projection here needs formulas of its own for the way back. */
export function inverse({ forward }, [x, y], [lon, lat] = [8, 47]) {
  for (let i = 0; i < 30; i++) {
    const step = 1e-4;
    const [px, py] = forward(lon, lat);
    const [east, north] = [forward(lon + step, lat), forward(lon, lat + step)];
    const [a, b, c, d] = [east[0] - px, north[0] - px, east[1] - py, north[1] - py].map(delta => delta / step);
    const determinant = a * d - b * c;
    const [dlon, dlat] = [(d * (x - px) - b * (y - py)) / determinant, (a * (y - py) - c * (x - px)) / determinant];
    lon += Math.max(-20, Math.min(20, dlon));
    lat = Math.max(-84, Math.min(84, lat + Math.max(-10, Math.min(10, dlat))));
    if (Math.abs(dlon) + Math.abs(dlat) < 1e-9) break;
  }
  return [lon, lat];
}

/** Units of the projection in a metre on the ground, northwards. */
export function unitsPerMetre({ forward }, [lon, lat]) {
  const [a, b] = [forward(lon, lat - 0.005), forward(lon, lat + 0.005)];
  return Math.hypot(b[0] - a[0], b[1] - a[1]) / (0.01 * 111195);
}
