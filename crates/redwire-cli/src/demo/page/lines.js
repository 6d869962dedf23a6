// What the vehicles run on. The server holds it in hashes of GeoJSON lines; GET gives those that cross the
// viewport, in the projection asked for, as it does for everything else.

import { boundsOf, overlaps } from './background.js';

/** Urban lines are shown, and asked for, from this zoom. */
const URBAN_FROM = 9.3;
const MAX_LINES = 5000;

export class Lines {
  constructor() { this.byId = new Map(); }

  clear() { this.byId.clear(); }

  hashes(zoom) { return zoom < URBAN_FROM ? ['lines.rail'] : ['lines.rail', 'lines.urban']; }

  /** @returns whether it is a new one */
  receive(feature) {
    const points = feature?.geometry?.coordinates;
    if (!Array.isArray(points) || this.byId.has(feature.id) || this.byId.size >= MAX_LINES) return false;
    const path = new Path2D();
    points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
    this.byId.set(feature.id, { path, type: feature.properties?.type, bounds: boundsOf(points) });
    return true;
  }

  draw(context, view, ratio, palette) {
    view.transform(context, ratio);
    const [bounds, zoom] = [view.bounds, view.zoom];
    const width = Math.max(0.8, Math.min(2.6, (zoom - 5) * 0.42));
    for (const { path, type, bounds: own } of this.byId.values()) {
      const isRail = type === 'rail';
      if ((!isRail && zoom < URBAN_FROM) || !overlaps(own, bounds)) continue;
      context.lineWidth = (isRail ? width : width * 0.8) * view.resolution;
      context.strokeStyle = isRail ? palette.track : palette[type] ?? palette.track;
      context.globalAlpha = isRail ? 1 : 0.3;
      context.stroke(path);
    }
    context.globalAlpha = 1;
  }
}
