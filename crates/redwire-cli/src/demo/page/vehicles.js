// What moves: where each vehicle is at any moment, and how it is drawn.

/** Drawn in this order, the fastest on top. */
export const KINDS = ['bus', 'tram', 'subway', 'regional', 'rail'];
/** A vehicle that nothing was heard of for so long is gone. */
const STALE_AFTER_MS = 7000;
const HEADINGS = 32;
const MAX_VEHICLES = 100_000;

export class Vehicles {
  constructor() {
    this.byId = new Map();
    this.sprites = new Map();
  }

  get size() { return this.byId.size; }

  clear() { this.byId.clear(); }

  remove(id) { this.byId.delete(id); }

  /** Glides from where it is shown to its new position, for as long as its last two messages were apart. */
  receive(feature, now) {
    const [x, y] = feature?.geometry?.coordinates ?? [];
    if (!Number.isFinite(x) || !Number.isFinite(y) || feature.id == null) return;
    const known = this.byId.get(feature.id);
    if (!known) {
      if (this.byId.size >= MAX_VEHICLES) return;
      const { type, heading = 0 } = feature.properties ?? {};
      const turn = (Math.PI / 2) - (heading * Math.PI) / 180;
      const kind = Math.max(0, KINDS.indexOf(type));
      this.byId.set(feature.id, { id: feature.id, kind, x0: x, y0: y, x1: x, y1: y, t0: now, t1: now + 1, seen: now, turn, properties: feature.properties });
      return;
    }
    const passed = now - known.seen;
    Object.assign(known, { seen: now, properties: feature.properties });
    if (x === known.x1 && y === known.y1) return;
    const [px, py] = position(known, now);
    if (Math.hypot(x - px, y - py) > 0) known.turn = Math.atan2(y - py, x - px);
    Object.assign(known, { x0: px, y0: py, x1: x, y1: y, t0: now, t1: now + Math.max(150, Math.min(4000, passed)) });
  }

  /** Forgets what is stale and, given bounds, what has left them. */
  prune(now, bounds) {
    for (const vehicle of this.byId.values()) {
      const isOut = bounds && !isInside(position(vehicle, now), bounds) && !isInside([vehicle.x1, vehicle.y1], bounds);
      if (isOut || now - vehicle.seen > STALE_AFTER_MS) this.byId.delete(vehicle.id);
    }
  }

  /** @returns how many were in view, of each kind */
  draw(context, view, ratio, palette, now) {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    const size = spriteRadius(view.zoom);
    const layers = KINDS.map(() => []);
    const [left, bottom, right, top] = view.bounds;
    for (const vehicle of this.byId.values()) {
      const part = Math.min(1, (now - vehicle.t0) / (vehicle.t1 - vehicle.t0));
      const x = vehicle.x0 + (vehicle.x1 - vehicle.x0) * part;
      const y = vehicle.y0 + (vehicle.y1 - vehicle.y0) * part;
      if (x < left || x > right || y < bottom || y > top) continue;
      layers[vehicle.kind].push(vehicle, ((x - left) / view.resolution) * ratio, ((top - y) / view.resolution) * ratio);
    }
    for (const [kind, layer] of layers.entries()) {
      const sprites = this.spritesOf(kind, size, ratio, palette);
      for (let i = 0; i < layer.length; i += 3) {
        const sprite = sprites[Math.round((layer[i].turn / (2 * Math.PI)) * HEADINGS + HEADINGS) % HEADINGS];
        context.drawImage(sprite, Math.round(layer[i + 1] - sprite.width / 2), Math.round(layer[i + 2] - sprite.height / 2));
      }
    }
    return layers.map(layer => layer.length / 3);
  }

  /** The one that is drawn nearest to a pixel, if any is within reach. */
  nearest(view, x, y, reach, now) {
    let [best, distance] = [null, reach];
    for (const vehicle of this.byId.values()) {
      const [px, py] = view.toScreen(...position(vehicle, now));
      const away = Math.hypot(px - x, py - y);
      if (away < distance) [best, distance] = [vehicle, away];
    }
    return best;
  }

  spritesOf(kind, size, ratio, palette) {
    const key = `${kind} ${size} ${ratio} ${palette[KINDS[kind]]}`;
    if (!this.sprites.has(key)) {
      if (this.sprites.size > 60) this.sprites.clear();
      const turns = Array.from({ length: HEADINGS }, (_, i) => (i / HEADINGS) * 2 * Math.PI);
      this.sprites.set(key, turns.map(turn => sprite(size * ratio * (kind > 2 ? 1.15 : 1), ratio, turn, palette[KINDS[kind]], palette.rim)));
    }
    return this.sprites.get(key);
  }
}

export function position(vehicle, now) {
  const part = Math.min(1, (now - vehicle.t0) / (vehicle.t1 - vehicle.t0));
  return [vehicle.x0 + (vehicle.x1 - vehicle.x0) * part, vehicle.y0 + (vehicle.y1 - vehicle.y0) * part];
}

function isInside([x, y], [left, bottom, right, top]) {
  return x >= left && x <= right && y >= bottom && y <= top;
}

/** Radius in pixels: in half steps, so that few sprites are made while one zooms. */
export function spriteRadius(zoom) {
  return Math.round(Math.max(2, Math.min(7, 2 + (zoom - 6.5) * 0.72)) * 2) / 2;
}

/** A dot from far, a drop that points ahead from near. */
function sprite(radius, ratio, turn, color, rim) {
  const side = Math.ceil(radius * 3.4 + 4 * ratio);
  const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
  const context = canvas.getContext('2d');
  context.translate(side / 2, side / 2);
  context.rotate(-turn);
  const isDot = radius < 4 * ratio;
  context.beginPath();
  if (isDot) {
    context.arc(0, 0, radius, 0, 2 * Math.PI);
  } else {
    context.arc(0, 0, radius, 0.7, 2 * Math.PI - 0.7);
    context.lineTo(radius * 1.65, 0);
    context.closePath();
  }
  Object.assign(context, { strokeStyle: rim, lineWidth: ratio * (isDot ? 1.5 : 2.5), fillStyle: color, lineJoin: 'round' });
  context.stroke();
  context.fill();
  return canvas;
}
