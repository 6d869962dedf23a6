// Land, borders, lakes and the names of cities, from Natural Earth.

/** What the finer layers were cut to; the cut edges are no coasts. */
const EUROPE = [-25, 33.5, 46, 72];
const ALPS = [4.5, 44.5, 17, 50];
/** From this zoom the finest layer is drawn, and up to that one the coarsest. */
const [ALPS_FROM, WORLD_TO] = [6.5, 6.5];
/** Below this zoom a place of that size has no name yet; index is the size. */
const NAMED_FROM = [99, 8.6, 7.4, 6, 4.4];

export class Background {
  async load() {
    const read = async name => (await fetch(`/demo/${name}.json`)).json();
    const [world, europe, alps, lakes, places] = await Promise.all(['world', 'europe', 'alps', 'lakes', 'places'].map(read));
    this.topologies = [world, europe, alps, lakes].map(decode);
    this.places = places;
  }

  /** Prepares the paths, which are then drawn in units of the projection. */
  project(projection) {
    if (!this.topologies || this.projection === projection) return;
    this.projection = projection;
    const [world, europe, alps, lakes] = this.topologies.map(topology => paths(topology, projection));
    const frames = [EUROPE, ALPS].map(frame => framePath(frame, projection));
    Object.assign(this, { world, europe, alps, lakes, frames });
    this.names = this.places.map(([name, lon, lat, size]) => ({ name, size, at: projection.forward(lon, lat) }));
  }

  draw(context, view, ratio, palette) {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = palette.sea;
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
    if (!this.topologies) return;
    view.transform(context, ratio);
    context.lineJoin = 'round';
    const clear = frame => {
      context.fillStyle = palette.sea;
      context.fill(frame);
    };
    if (view.zoom < WORLD_TO) {
      drawLayer(context, view, this.world, palette);
      clear(this.frames[0]);
    }
    drawLayer(context, view, this.europe, palette);
    if (view.zoom >= ALPS_FROM) {
      clear(this.frames[1]);
      drawLayer(context, view, this.alps, palette);
    }
    drawLayer(context, view, this.lakes, { ...palette, land: palette.sea });
  }

  drawNames(context, view, ratio, palette) {
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, view.width, view.height);
    if (!this.names) return;
    const [zoom, taken] = [view.zoom, []];
    Object.assign(context, { textBaseline: 'middle', lineJoin: 'round', strokeStyle: palette.halo, fillStyle: palette.name });
    for (const { name, size, at } of this.names) {
      if (zoom < NAMED_FROM[size]) continue;
      const [x, y] = view.toScreen(...at);
      if (x < -60 || y < -10 || x > view.width + 10 || y > view.height + 10) continue;
      const height = size > 3 ? 14 : size > 2 ? 13 : 12;
      context.font = `${size > 2 ? 620 : 520} ${height}px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif`;
      const box = [x + 4, y - height, x + 10 + context.measureText(name).width, y + 3];
      if (taken.some(other => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) continue;
      taken.push(box);
      context.lineWidth = 3.5;
      context.strokeText(name, x + 6, y - height / 2 + 2);
      context.fillText(name, x + 6, y - height / 2 + 2);
    }
  }
}

/** TopoJSON: arcs as points, polygons as rings of arcs, and how often each arc is used: twice is a border. */
function decode({ arcs, objects, transform: { scale, translate } }) {
  const lines = arcs.map(arc => {
    let [x, y] = [0, 0];
    return arc.map(([dx, dy]) => [(x += dx) * scale[0] + translate[0], (y += dy) * scale[1] + translate[1]]);
  });
  const polygons = Object.values(objects).flatMap(object => object.geometries).flatMap(({ type, arcs: of }) =>
    type === 'Polygon' ? [of] : type === 'MultiPolygon' ? of : []);
  const uses = lines.map(() => 0);
  for (const index of polygons.flat(2)) uses[index < 0 ? ~index : index]++;
  const rings = polygons.map(polygon => polygon.map(ring => ring.flatMap((index, i) => {
    const arc = index < 0 ? lines[~index].toReversed() : lines[index];
    return i ? arc.slice(1) : arc;
  })));
  return { lines, rings, uses };
}

/** One path and its bounds for each polygon and arc, so that what is out of view costs nothing. */
function paths({ lines, rings, uses }, projection) {
  const [west, south, east, north] = projection.box;
  const isShown = ([lon, lat]) => lon >= west - 25 && lon <= east + 25 && lat >= south - 5 && lat <= north + 5;
  const project = points => points.map(([lon, lat]) => projection.forward(lon, lat));
  const land = rings.filter(polygon => polygon.every(ring => ring.every(isShown))).map(polygon => {
    const projected = polygon.map(project);
    const path = new Path2D();
    for (const ring of projected) { trace(path, ring); path.closePath(); }
    return { path, bounds: boundsOf(projected[0]) };
  });
  const strokes = lines.map((line, index) => {
    const path = new Path2D();
    for (const part of withoutCuts(line)) trace(path, project(part));
    return { path, bounds: boundsOf(project(line)), isBorder: uses[index] > 1, isShown: line.every(isShown) };
  }).filter(stroke => stroke.isShown);
  return { land, coasts: strokes.filter(stroke => !stroke.isBorder), borders: strokes.filter(stroke => stroke.isBorder) };
}

function trace(path, points) {
  points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
}

/** The parts of a line between its pieces on the edges of the cut and at the antimeridian. */
function withoutCuts(line) {
  const on = (a, b, edge) => Math.abs(a - edge) < 0.01 && Math.abs(b - edge) < 0.01;
  const parts = [[line[0]]];
  for (let i = 1; i < line.length; i++) {
    const [[ax, ay], [bx, by]] = [line[i - 1], line[i]];
    const isCut = [EUROPE, ALPS].some(([west, south, east, north]) =>
      on(ax, bx, west) || on(ax, bx, east) || on(ay, by, south) || on(ay, by, north)) || on(Math.abs(ax), Math.abs(bx), 180);
    if (isCut) parts.push([line[i]]);
    else parts.at(-1).push(line[i]);
  }
  return parts.filter(part => part.length > 1);
}

/** The edge of a layer, with enough points to bend, and a little inside so that no seam is left. */
function framePath(frame, projection) {
  const [west, south, east, north] = frame.map((side, i) => side + (i < 2 ? 0.03 : -0.03));
  const corners = [[west, south], [east, south], [east, north], [west, north], [west, south]];
  const path = new Path2D();
  trace(path, corners.slice(1).flatMap(([bx, by], i) => Array.from({ length: 40 }, (_, step) => {
    const [ax, ay] = corners[i];
    return projection.forward(ax + ((bx - ax) * step) / 40, ay + ((by - ay) * step) / 40);
  })));
  path.closePath();
  return path;
}

export function boundsOf(points) {
  const bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    bounds[0] = Math.min(bounds[0], x);
    bounds[1] = Math.min(bounds[1], y);
    bounds[2] = Math.max(bounds[2], x);
    bounds[3] = Math.max(bounds[3], y);
  }
  return bounds;
}

export function overlaps(a, b) {
  return a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
}

function drawLayer(context, view, layer, palette) {
  const seen = items => items.filter(item => overlaps(item.bounds, view.bounds));
  context.fillStyle = palette.land;
  for (const { path } of seen(layer.land)) context.fill(path, 'evenodd');
  for (const [items, color, width] of [[layer.borders, palette.border, 1], [layer.coasts, palette.coast, 0.8]]) {
    Object.assign(context, { strokeStyle: color, lineWidth: width * view.resolution });
    for (const { path } of seen(items)) context.stroke(path);
  }
}
