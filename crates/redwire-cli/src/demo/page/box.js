// A second viewer on the same map: a box that can be dragged, with a connection and a counter of its own.

import { Feed } from './feed.js';
import { bytesPerSecond, number } from './hud.js';
import { Vehicles, position, spriteRadius } from './vehicles.js';

export class SecondViewer {
  /** @param element the frame, with a .bar to drag it by, a .corner, and a .count */
  constructor(element, view) {
    Object.assign(this, { element, view, vehicles: new Vehicles(), feed: null });
    this.drag(element.querySelector('.bar'), (dx, dy) => this.move(dx, dy, 0, 0));
    this.drag(element.querySelector('.corner'), (dx, dy) => this.move(0, 0, dx, dy));
    element.addEventListener('keydown', event => {
      const [dx, dy] = { ArrowLeft: [-20, 0], ArrowRight: [20, 0], ArrowUp: [0, -20], ArrowDown: [0, 20] }[event.key] ?? [];
      if (dx === undefined) return;
      event.preventDefault();
      if (event.shiftKey) this.move(0, 0, dx, dy); else this.move(dx, dy, 0, 0);
    });
  }

  get isOn() { return this.feed !== null; }

  /** Comes with a box in this part of the screen: pixels. */
  open({ left, top, right, bottom }) {
    const [a, b] = [this.view.toMap(left, bottom), this.view.toMap(right, top)];
    this.bounds = [...a, ...b];
    this.code = this.view.code;
    this.feed = new Feed({
      vehicle: feature => this.vehicles.receive(feature, performance.now()),
      deleted: id => this.vehicles.remove(id),
      gap: () => this.vehicles.clear(),
    });
    this.element.hidden = false;
    this.moved();
    this.feed.connect();
  }

  close() {
    this.feed?.close();
    this.feed = null;
    this.vehicles.clear();
    this.element.hidden = true;
  }

  /** The map has moved or has another projection: the box stays where it is on the ground, or on the screen. */
  viewChanged() {
    if (!this.isOn) return;
    if (this.code !== this.view.code) {
      // Not offsetLeft and offsetTop, which know nothing of the transform that places it.
      const [left, top] = this.corner;
      const { offsetWidth: width, offsetHeight: height } = this.element;
      this.bounds = [...this.view.toMap(left, top + height), ...this.view.toMap(left + width, top)];
      this.code = this.view.code;
      this.vehicles.clear();
      this.moved();
    }
    this.place();
  }

  move(dx, dy, dw, dh) {
    const unit = this.view.resolution;
    const [left, bottom, right, top] = this.bounds;
    const [x, y] = [left + dx * unit, top - dy * unit];
    const [width, height] = [right - left + dw * unit, top - bottom + dh * unit].map(side => Math.max(60 * unit, side));
    this.bounds = [x, y - height, x + width, y];
    this.moved();
  }

  moved() {
    this.place();
    this.vehicles.prune(performance.now(), this.bounds);
    const { code, projection, zoom } = this.view;
    this.feed.lookAt({ code, decimals: projection.decimals, bounds: this.bounds, zoom });
  }

  place() {
    const [left, top] = this.view.toScreen(this.bounds[0], this.bounds[3]);
    const [right, bottom] = this.view.toScreen(this.bounds[2], this.bounds[1]);
    this.corner = [left, top];
    const { style } = this.element;
    style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
    [style.width, style.height] = [`${Math.round(right - left)}px`, `${Math.round(bottom - top)}px`];
    // Its handle stays within reach when the box is larger than the screen.
    const bar = this.element.querySelector('.bar');
    const x = Math.max(8, Math.min(this.view.width - bar.offsetWidth - 8, left)) - left;
    const y = Math.max(8, Math.min(this.view.height - 40, top - bar.offsetHeight - 4)) - top;
    bar.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }

  tick(now) {
    if (!this.isOn) return;
    this.vehicles.prune(now, this.bounds);
    const text = `${number(this.vehicles.size)} vehicles · ${bytesPerSecond(this.feed.rates().bytes)}`;
    this.element.querySelector('.count').textContent = this.feed.live ? text : 'connecting';
  }

  /** A halo behind each vehicle that this viewer has been sent. */
  draw(context, ratio, color, now) {
    if (!this.isOn) return;
    const radius = (spriteRadius(this.view.zoom) * 1.15 + 3) * ratio;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.beginPath();
    for (const vehicle of this.vehicles.byId.values()) {
      const [x, y] = this.view.toScreen(...position(vehicle, now));
      context.moveTo(x * ratio + radius, y * ratio);
      context.arc(x * ratio, y * ratio, radius, 0, 2 * Math.PI);
    }
    Object.assign(context, { fillStyle: color, globalCompositeOperation: 'destination-over' });
    context.fill();
    context.globalCompositeOperation = 'source-over';
  }

  drag(handle, move) {
    let last = null;
    handle.addEventListener('pointerdown', event => {
      handle.setPointerCapture(event.pointerId);
      last = [event.clientX, event.clientY];
      event.stopPropagation();
    });
    handle.addEventListener('pointermove', event => {
      if (!last) return;
      move(event.clientX - last[0], event.clientY - last[1]);
      last = [event.clientX, event.clientY];
    });
    for (const end of ['pointerup', 'pointercancel']) handle.addEventListener(end, () => { last = null; });
  }
}
