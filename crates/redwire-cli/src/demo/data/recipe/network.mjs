// Writes lines.json and places.json: intercity lines as smooth curves through real places, and urban lines
// cut from the shapes of the sample GTFS feed, turned and placed in each city, where there is dry land.
// Usage: node network.mjs SHAPES.txt LAND.geojson LAKES.geojson OUT
import fs from 'node:fs';
import { places } from './places.mjs';
import { corridors } from './corridors.mjs';

const [shapesFile, landFile, lakesFile, out] = process.argv.slice(2);
const KM = 1 / 111.2; // a kilometre in degrees of latitude

// ---- Seeded numbers, so that the same recipe writes the same bytes (mulberry32). ----
let seed = 20_240_229;
function random() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

// ---- Dry land ----
function polygons(file) {
  const { geometries, features } = JSON.parse(fs.readFileSync(file));
  return (geometries ?? features.map(feature => feature.geometry)).flatMap(geometry =>
    geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : []
  ).map(rings => ({ rings, box: bounds(rings[0]) }));
}

function bounds(ring) {
  const [lons, lats] = [ring.map(p => p[0]), ring.map(p => p[1])];
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

function covers({ rings, box }, [x, y]) {
  if (x < box[0] || y < box[1] || x > box[2] || y > box[3]) return false;
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [[ax, ay], [bx, by]] = [ring[i], ring[j]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
  }
  return inside;
}

const [land, lakes] = [polygons(landFile), polygons(lakesFile)];
const isDry = point => land.some(p => covers(p, point)) && !lakes.some(p => covers(p, point));

/** The longest stretch of a line that does not get wet. */
function dryStretch(line) {
  let [best, run] = [[], []];
  for (const point of line) {
    run = isDry(point) ? [...run, point] : [];
    if (run.length > best.length) best = run;
  }
  return best;
}

// ---- Lines ----
const at = Object.fromEntries(places.map(place => [place.name, [place.lon, place.lat]]));
const squeeze = lat => Math.cos((lat * Math.PI) / 180);
const distance = ([ax, ay], [bx, by]) => Math.hypot((bx - ax) * squeeze((ay + by) / 2), by - ay) / KM;

/** A Catmull-Rom curve, a point about every four kilometres, winding a little between the places. */
function railway(via) {
  const points = via.map(name => at[name]);
  const line = [points[0]];
  for (let i = 0; i + 1 < points.length; i++) {
    const [p1, p2] = [points[i], points[i + 1]];
    const [p0, p3] = [points[i - 1] ?? p1, points[i + 2] ?? p2];
    const length = distance(p1, p2);
    const steps = Math.max(2, Math.round(length / 4));
    const [waves, phase, swing] = [Math.max(1, Math.round(length / 38)), random() * 6.28, Math.min(3.2, length / 22) * KM];
    for (let step = 1; step <= steps; step++) {
      const t = step / steps;
      const blend = k => 0.5 * (2 * p1[k] + (p2[k] - p0[k]) * t + (2 * p0[k] - 5 * p1[k] + 4 * p2[k] - p3[k]) * t ** 2
        + (3 * p1[k] - p0[k] - 3 * p2[k] + p3[k]) * t ** 3);
      const straight = k => p1[k] + (p2[k] - p1[k]) * t;
      const curve = k => 0.55 * blend(k) + 0.45 * straight(k);
      const off = Math.sin(Math.PI * t) * swing * (Math.sin(waves * Math.PI * t * 1.3 + phase) + 0.45 * Math.sin(waves * 8.7 * t + 2 * phase));
      const norm = Math.hypot(p2[0] - p1[0], p2[1] - p1[1]);
      const side = [-(p2[1] - p1[1]) / norm / squeeze(p1[1]), (p2[0] - p1[0]) / norm];
      const wound = [curve(0) + off * side[0], curve(1) + off * side[1]];
      line.push(step === steps ? p2 : isDry(wound) ? wound : [straight(0), straight(1)]);
    }
  }
  return line;
}

/** The feed's shapes in kilometres from their first point. */
const rowsByShape = {};
for (const row of fs.readFileSync(shapesFile, 'utf8').trim().split('\n').slice(1)) {
  const [shape, , lat, lon] = row.split(',');
  (rowsByShape[shape] ??= []).push([+lon, +lat]);
}
const templates = Object.values(rowsByShape).map(points =>
  points.map(([lon, lat]) => [(lon - points[0][0]) * squeeze(52.4) / KM, (lat - points[0][1]) / KM]));

/** So many kilometres of a shape, turned into a direction and laid through a city. */
function urban(city, length, angle, aside) {
  const template = templates[Math.floor(random() * templates.length)];
  const scale = length / 9 > 1 ? length / 9 : 1;
  const walked = [0];
  for (let i = 1; i < template.length; i++) {
    walked.push(walked[i - 1] + scale * Math.hypot(template[i][0] - template[i - 1][0], template[i][1] - template[i - 1][1]));
  }
  const from = random() * Math.max(0, walked.at(-1) - length);
  const piece = template.filter((_, i) => walked[i] >= from && walked[i] <= from + length);
  const [first, last] = [piece[0], piece.at(-1)];
  const [turn, mirror] = [angle - Math.atan2(last[1] - first[1], last[0] - first[0]), random() < 0.5 ? -1 : 1];
  const middle = piece[Math.floor(piece.length / 2)];
  const [cx, cy] = [-Math.sin(angle) * aside, Math.cos(angle) * aside];
  return piece.map(([x, y]) => {
    const [dx, dy] = [scale * (x - middle[0]), scale * (y - middle[1])];
    const [rx, ry] = [dx * Math.cos(turn) - dy * Math.sin(turn), dx * Math.sin(turn) + dy * Math.cos(turn)];
    const along = rx * Math.cos(angle) + ry * Math.sin(angle);
    const across = mirror * (ry * Math.cos(angle) - rx * Math.sin(angle));
    const [ex, ny] = [along * Math.cos(angle) - across * Math.sin(angle) + cx, along * Math.sin(angle) + across * Math.cos(angle) + cy];
    return [city.lon + (ex * KM) / squeeze(city.lat), city.lat + ny * KM];
  });
}

/** Douglas and Peucker's, in degrees. */
function simplify(line, tolerance) {
  if (line.length < 3) return line;
  const [[ax, ay], [bx, by]] = [line[0], line.at(-1)];
  const norm = Math.hypot(bx - ax, by - ay) || 1e-9;
  let [far, where] = [0, 0];
  line.forEach(([x, y], i) => {
    const off = Math.abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / norm;
    if (off > far) [far, where] = [off, i];
  });
  if (far < tolerance) return [line[0], line.at(-1)];
  return [...simplify(line.slice(0, where + 1), tolerance).slice(0, -1), ...simplify(line.slice(where), tolerance)];
}

/** Google's encoded polyline format, with four decimals (11 m). */
function encode(line) {
  let [text, before] = ['', [0, 0]];
  for (const point of line) {
    const now = point.map(degrees => Math.round(degrees * 1e4));
    for (const k of [0, 1]) {
      const delta = now[k] - before[k];
      let rest = delta < 0 ? ~(delta << 1) : delta << 1;
      for (; rest >= 0x20; rest >>= 5) text += String.fromCharCode((0x20 | (rest & 0x1f)) + 63);
      text += String.fromCharCode(rest + 63);
    }
    before = now;
  }
  return text;
}

const lines = corridors.map(({ name, via }) => ({
  name, type: 'rail', from: via[0], to: via.at(-1), points: encode(simplify(railway(via), 0.006)),
}));
const KINDS = { // lines by a city's size, kilometres, kilometres aside of the centre, how a line is called
  regional: { count: [0, 0, 1, 2, 4], length: [22, 34], aside: 1.5, name: n => `S ${n}` },
  subway: { count: [0, 0, 0, 1, 5], length: [9, 16], aside: 2.5, name: n => `U ${n}` },
  tram: { count: [0, 0, 2, 4, 7], length: [6, 11], aside: 2.5, name: n => `${n}` },
  bus: { count: [0, 0, 3, 5, 8], length: [5, 9], aside: 5, name: n => `${20 + 3 * n}` },
};
const WITHOUT_SUBWAY = ['Zürich', 'Bern', 'Basel', 'Genève', 'Dublin', 'Zagreb', 'Beograd', 'Leipzig', 'Dresden', 'Hannover', 'Bristol', 'Leeds'];
const ENDS = ['North', 'Northeast', 'East', 'Southeast', 'South', 'Southwest', 'West', 'Northwest'];
for (const city of places) {
  for (const [type, { count, length, aside, name }] of Object.entries(KINDS)) {
    const total = type === 'subway' && WITHOUT_SUBWAY.includes(city.name) ? 0 : count[city.size];
    for (let n = 1; n <= total; n++) {
      const angle = ((n - 1 + random() * 0.6) / total) * Math.PI + (type === 'tram' ? 0.35 : 0);
      const [km, off] = [length[0] + random() * (length[1] - length[0]), (random() * 2 - 1) * aside];
      const line = dryStretch(urban(city, km, angle, off));
      const dry = line.slice(1).reduce((sum, point, i) => sum + distance(line[i], point), 0);
      if (dry < 0.4 * km) continue;
      const [dx, dy] = [(line.at(-1)[0] - line[0][0]) * squeeze(city.lat), line.at(-1)[1] - line[0][1]];
      const towards = Math.round((Math.PI / 2 - Math.atan2(dy, dx)) / (Math.PI / 4)) & 7;
      lines.push({
        name: name(n), type, from: `${city.name} ${ENDS[(towards + 4) & 7]}`, to: `${city.name} ${ENDS[towards]}`,
        points: encode(simplify(line, 0.0006)),
      });
    }
  }
}

const rows = items => `[\n${items.map(item => JSON.stringify(item)).join(',\n')}\n]\n`;
fs.writeFileSync(`${out}/lines.json`, rows(lines.map(({ name, type, from, to, points }) => [name, type, from, to, points])));
fs.writeFileSync(`${out}/places.json`, rows(places.map(({ name, lon, lat, size }) => [name, lon, lat, size])));
