// Numbers and words beside the map.

import { KINDS } from './vehicles.js';

export const NAMES = { rail: 'Intercity', regional: 'Regional', subway: 'Subway', tram: 'Tram', bus: 'Bus' };

export const byId = id => document.getElementById(id);

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function number(value) {
  return Math.round(value).toLocaleString('en');
}

export function bytesPerSecond(bytes) {
  if (bytes < 999_500) return `${(bytes / 1e3).toFixed(bytes < 9_950 ? 1 : 0)} kB/s`;
  return `${(bytes / 1e6).toFixed(1)} MB/s`;
}

export class Hud {
  constructor() {
    this.published = null;
    this.counts = Object.fromEntries(KINDS.toReversed().map(kind => [kind, this.legendEntry(kind)]));
  }

  legendEntry(kind) {
    const [item, count] = [document.createElement('li'), document.createElement('b')];
    item.className = kind;
    item.append(NAMES[kind], ' ', count);
    byId('legend').append(item);
    return count;
  }

  state(state, text) {
    byId('status').dataset.state = state;
    setText(byId('status'), text);
  }

  roundTrip(ms) { setText(byId('round-trip'), `${ms.toFixed(1)} ms`); }

  /** @param stats what the server publishes on demo.stats */
  stats(stats) {
    if (Number.isFinite(stats?.vehicles) && Number.isFinite(stats?.bytes_per_second)) this.published = stats;
  }

  counter(received, rates, total) {
    const all = this.published;
    setText(byId('received'), number(received));
    setText(byId('vehicles'), all ? number(all.vehicles) : '…');
    setText(byId('bytes'), bytesPerSecond(rates.bytes));
    setText(byId('all-bytes'), all ? bytesPerSecond(all.bytes_per_second) : '…');
    setText(byId('total'), number(total));
    const share = all ? Math.min(1, rates.bytes / Math.max(1, all.bytes_per_second)) : 0;
    byId('share').style.transform = `scaleX(${Math.max(0.004, share)})`;
  }

  legend(shown) {
    KINDS.forEach((kind, i) => setText(this.counts[kind], number(shown[i])));
  }

  frames(perSecond, milliseconds) {
    const node = byId('frames');
    Object.assign(node.dataset, { perSecond: perSecond.toFixed(1), milliseconds: milliseconds.toFixed(2) });
    setText(node, `${Math.round(perSecond)} fps, ${milliseconds.toFixed(1)} ms a frame`);
  }
}

/** What is said of one vehicle, beside it. */
export class Tip {
  constructor(element) {
    this.element = element;
    this.vehicle = null;
  }

  show(vehicle, isPinned) {
    Object.assign(this, { vehicle, isPinned: Boolean(vehicle && isPinned), shown: null });
    this.element.hidden = !vehicle;
  }

  place(x, y, view) {
    const { properties = {} } = this.vehicle;
    if (properties !== this.shown) { this.fill(properties); this.shown = properties; }
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const left = Math.max(8, Math.min(view.width - width - 8, x - width / 2));
    const top = y - height - 14 < 8 ? y + 16 : y - height - 14;
    this.element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  fill({ type, line, from = '', to = '', speed = 0, delay = 0, train_id: id = '' }) {
    const kind = KINDS.includes(type) ? type : 'bus';
    const part = name => this.element.querySelector(`.${name}`);
    part('badge').className = `badge ${kind}`;
    setText(part('badge'), String(line?.name ?? id));
    setText(part('kind'), NAMES[kind]);
    setText(part('way'), `${from} → ${to}`);
    const late = delay >= 60 ? `+${Math.round(delay / 60)} min` : 'on time';
    setText(part('facts'), `${speed ? `${Math.round(speed)} km/h` : 'at a stop'} · ${late} · id ${id}`);
  }
}
