// Which part of the world the map shows: a centre and a resolution, in units of the projection.

import { PROJECTIONS, inverse, unitsPerMetre } from './projections.js';

/** Metres in a pixel at zoom 0 of the web's tiles, on the equator. */
const ZOOM_0 = 156543.03392804097;
const [MIN_ZOOM, MAX_ZOOM] = [3, 16];

export class View {
  /** @param onChange called after every change, with the view */
  constructor(onChange) {
    this.onChange = onChange;
    [this.width, this.height] = [1, 1];
    [this.code, this.lonLat] = ['3857', [8.25, 46.85]];
    this.centre = this.projection.forward(...this.lonLat);
    this.resolution = 1;
  }

  get projection() { return PROJECTIONS[this.code]; }

  /** As the web counts zooms at this latitude, whatever the projection. */
  get zoom() {
    const metres = this.resolution / unitsPerMetre(this.projection, this.lonLat);
    return Math.log2((ZOOM_0 * Math.cos((this.lonLat[1] * Math.PI) / 180)) / metres);
  }

  /** [left, bottom, right, top] */
  get bounds() {
    const [x, y] = this.centre;
    const [w, h] = [(this.width / 2) * this.resolution, (this.height / 2) * this.resolution];
    return [x - w, y - h, x + w, y + h];
  }

  resize(width, height) {
    [this.width, this.height] = [width, height];
    this.onChange(this);
  }

  showAt(lonLat, zoom) {
    this.lonLat = lonLat;
    this.centre = this.projection.forward(...lonLat);
    this.resolution = this.resolutionAt(zoom);
    this.onChange(this);
  }

  project(code) {
    const zoom = this.zoom;
    this.code = code;
    this.showAt(this.lonLat, zoom);
  }

  pan(dx, dy) {
    this.moveTo([this.centre[0] - dx * this.resolution, this.centre[1] + dy * this.resolution]);
    this.onChange(this);
  }

  /** Zooms by so many levels; what is at this pixel stays there. */
  zoomBy(levels, x = this.width / 2, y = this.height / 2) {
    const fixed = this.toMap(x, y);
    const zoom = Math.max(MIN_ZOOM, Math.min(MAX_ZOOM, this.zoom + levels));
    this.resolution = this.resolutionAt(zoom);
    const [px, py] = this.toMap(x, y);
    this.moveTo([this.centre[0] + fixed[0] - px, this.centre[1] + fixed[1] - py]);
    this.onChange(this);
  }

  toMap(x, y) {
    return [this.centre[0] + (x - this.width / 2) * this.resolution, this.centre[1] - (y - this.height / 2) * this.resolution];
  }

  toScreen(x, y) {
    return [this.width / 2 + (x - this.centre[0]) / this.resolution, this.height / 2 - (y - this.centre[1]) / this.resolution];
  }

  /** Has the context draw in units of the projection. */
  transform(context, ratio) {
    const scale = ratio / this.resolution;
    const [x, y] = this.centre;
    context.setTransform(scale, 0, 0, -scale, (ratio * this.width) / 2 - scale * x, (ratio * this.height) / 2 + scale * y);
  }

  resolutionAt(zoom) {
    const metres = (ZOOM_0 * Math.cos((this.lonLat[1] * Math.PI) / 180)) / 2 ** zoom;
    return metres * unitsPerMetre(this.projection, this.lonLat);
  }

  moveTo(centre) {
    const [lon, lat] = inverse(this.projection, centre, this.lonLat);
    const [west, south, east, north] = this.projection.box;
    this.lonLat = [Math.max(west, Math.min(east, lon)), Math.max(south, Math.min(north, lat))];
    const isInside = lon === this.lonLat[0] && lat === this.lonLat[1];
    this.centre = isInside ? centre : this.projection.forward(...this.lonLat);
  }
}
