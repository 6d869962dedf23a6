// The demo: a map whose vehicles come over one WebSocket, those in view and no others.

import { Background } from './background.js';
import { SecondViewer } from './box.js';
import { Console } from './console.js';
import { Feed } from './feed.js';
import { attachGestures } from './gestures.js';
import { Hud, Tip, byId } from './hud.js';
import { Lines } from './lines.js';
import { PROJECTIONS } from './projections.js';
import { KINDS, Vehicles, position } from './vehicles.js';
import { View } from './view.js';

/** The box is a little wider than the screen, so that vehicles do not appear half. */
const MARGIN_PX = 12;
const LINES_AFTER_MS = 400;

const [ground, traffic, names] = ['ground', 'traffic', 'names'].map(byId);
const [groundContext, trafficContext, namesContext] = [ground, traffic, names].map(canvas => canvas.getContext('2d'));
const [background, lines, vehicles, hud, tip] = [new Background(), new Lines(), new Vehicles(), new Hud(), new Tip(byId('tip'))];
let [ratio, palette, isGroundStale, linesTimer, linesFor] = [1, {}, true, 0, ''];

const view = new View(viewChanged);
const second = new SecondViewer(byId('box'), view);
const feed = new Feed({
  vehicle: feature => vehicles.receive(feature, performance.now()),
  deleted: id => vehicles.remove(id),
  gap: () => vehicles.clear(),
  state: (state, text) => hud.state(state, text),
  roundTrip: ms => hud.roundTrip(ms),
  frame: (kind, text) => log.add(kind, text),
  ready() {
    feed.send('SUB demo.stats');
    feed.send('GET demo.stats now');
    linesFor = '';
    askForLines();
  },
  other(source, content) {
    if (source.startsWith('demo.stats')) hud.stats(content);
    else if (source.startsWith('lines.') && lines.receive(content)) isGroundStale = true;
  },
});
const log = new Console(line => feed.send(line));

// ---- What to show ----

function viewChanged() {
  isGroundStale = true;
  const [left, bottom, right, top] = view.bounds;
  const margin = MARGIN_PX * view.resolution;
  const bounds = byId('filter').checked ? [left - margin, bottom - margin, right + margin, top + margin] : null;
  feed.lookAt({ code: view.code, decimals: view.projection.decimals, bounds, zoom: view.zoom });
  second.viewChanged();
  clearTimeout(linesTimer);
  linesTimer = setTimeout(askForLines, LINES_AFTER_MS);
}

/** Once the map has come to rest; everything would be too much. */
function askForLines() {
  const wanted = `${view.code} ${view.bounds}`;
  if (!feed.live || !byId('filter').checked || wanted === linesFor) return;
  linesFor = wanted;
  for (const hash of lines.hashes(view.zoom)) feed.send(`GET ${hash}`);
}

function changeProjection() {
  vehicles.clear();
  lines.clear();
  tip.show(null);
  view.project(byId('projection').value);
  background.project(view.projection);
}

function pointAt(x, y, isTap) {
  if (x === null) { tip.show(null); return; }
  if (!isTap && tip.isPinned) return;
  const vehicle = vehicles.nearest(view, x, y, isTap ? 22 : 10, performance.now());
  if (vehicle !== tip.vehicle || isTap) tip.show(vehicle, isTap);
  traffic.classList.toggle('pointing', Boolean(vehicle));
}

/** As the style sheet has it: the panel is below the map. */
const isNarrow = () => view.width <= 720;

function toggleSecond() {
  if (!byId('second').checked) { second.close(); return; }
  const [width, height] = [Math.min(300, view.width * 0.5), Math.min(210, view.height * 0.24)];
  const [left, top] = [view.width * (isNarrow() ? 0.25 : 0.58), view.height * (isNarrow() ? 0.2 : 0.2)];
  second.open({ left, top, right: left + width, bottom: top + height });
}

// ---- Drawing ----

const frames = { count: 0, spent: 0, since: performance.now() };

function draw(now) {
  const started = performance.now();
  if (isGroundStale) {
    isGroundStale = false;
    background.draw(groundContext, view, ratio, palette);
    lines.draw(groundContext, view, ratio, palette);
    background.drawNames(namesContext, view, ratio, palette);
  }
  frames.shown = vehicles.draw(trafficContext, view, ratio, palette, now);
  second.draw(trafficContext, ratio, palette.ring, now);
  if (tip.vehicle) {
    if (vehicles.byId.has(tip.vehicle.id)) tip.place(...view.toScreen(...position(tip.vehicle, now)), view);
    else tip.show(null);
  }
  frames.count++;
  frames.spent += performance.now() - started;
  requestAnimationFrame(draw);
}

function tick() {
  const now = performance.now();
  const [left, bottom, right, top] = view.bounds;
  const margin = 2 * MARGIN_PX * view.resolution;
  vehicles.prune(now, byId('filter').checked ? [left - margin, bottom - margin, right + margin, top + margin] : null);
  hud.counter(vehicles.size, feed.rates(), feed.messages);
  if (frames.shown) hud.legend(frames.shown);
  second.tick(now);
  if (now - frames.since < 1000) return;
  hud.frames((frames.count * 1000) / (now - frames.since), frames.spent / Math.max(1, frames.count));
  Object.assign(frames, { count: 0, spent: 0, since: now });
}

function resize() {
  ratio = Math.min(3, devicePixelRatio || 1);
  const { clientWidth: width, clientHeight: height } = byId('stage');
  for (const canvas of [ground, traffic, names]) Object.assign(canvas, { width: width * ratio, height: height * ratio });
  view.resize(width, height);
}

/** The colours of the style sheet, which follow the system's scheme. */
function readPalette() {
  const style = getComputedStyle(document.documentElement);
  const wanted = ['sea', 'land', 'border', 'coast', 'name', 'halo', 'track', 'rim', 'ring', ...KINDS];
  palette = Object.fromEntries(wanted.map(name => [name, style.getPropertyValue(`--${name}`).trim()]));
  isGroundStale = true;
}

for (const [code, { name }] of Object.entries(PROJECTIONS).sort((a, b) => (b[0] === '3857') - (a[0] === '3857'))) {
  byId('projection').append(new Option(`${name} (EPSG:${code})`, code));
}
byId('projection').addEventListener('change', changeProjection);
byId('filter').addEventListener('change', viewChanged);
byId('second').addEventListener('change', toggleSecond);
byId('zoom-in').addEventListener('click', () => view.zoomBy(1));
byId('zoom-out').addEventListener('click', () => view.zoomBy(-1));
attachGestures(traffic, view, pointAt);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', readPalette);
addEventListener('resize', resize);

readPalette();
resize();
view.showAt([8.25, 46.85], Math.max(6.9, Math.min(8.4, Math.log2(view.width / 4.2))));
if (isNarrow()) view.pan(0, -document.querySelector('.panel').offsetHeight / 2);
else view.pan(100, 0);
background.load().then(() => { background.project(view.projection); isGroundStale = true; });
feed.connect();
setInterval(tick, 250);
requestAnimationFrame(draw);
