// Mouse, wheel, fingers and keys, turned into movements of the view.

const CLICK_WITHIN_PX = 6;

/**
 * @param surface the element that is touched
 * @param view what moves
 * @param point told where the pointer rests, point(x, y, isTap), or point(null) when it has left
 */
export function attachGestures(surface, view, point) {
  const pointers = new Map();
  let [moved, pinch] = [0, null];
  const local = event => {
    const box = surface.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  surface.addEventListener('pointerdown', event => {
    if (event.pointerType === 'mouse' && event.button !== 0) return;
    surface.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, local(event));
    [moved, pinch] = [pointers.size > 1 ? Infinity : 0, null];
    surface.classList.add('grabbed');
  });

  surface.addEventListener('pointermove', event => {
    const now = local(event);
    const before = pointers.get(event.pointerId);
    if (!before) { point(...now, false); return; }
    pointers.set(event.pointerId, now);
    if (pointers.size > 1) { pinchTo([...pointers.values()]); return; }
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (moved > CLICK_WITHIN_PX) view.pan(now[0] - before[0], now[1] - before[1]);
  });

  function pinchTo([a, b]) {
    const now = { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2, span: Math.max(20, Math.hypot(a[0] - b[0], a[1] - b[1])) };
    if (pinch) {
      view.pan(now.x - pinch.x, now.y - pinch.y);
      view.zoomBy(Math.log2(now.span / pinch.span), now.x, now.y);
    }
    pinch = now;
  }

  for (const end of ['pointerup', 'pointercancel']) {
    surface.addEventListener(end, event => {
      if (!pointers.delete(event.pointerId)) return;
      pinch = null;
      if (!pointers.size) surface.classList.remove('grabbed');
      if (end === 'pointerup' && moved <= CLICK_WITHIN_PX) point(...local(event), true);
    });
  }
  surface.addEventListener('pointerleave', () => { if (!pointers.size) point(null); });

  surface.addEventListener('wheel', event => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
    const strength = event.ctrlKey ? 100 : 320; // a touchpad's pinch comes as a wheel with the control key
    view.zoomBy(Math.max(-1, Math.min(1, (-event.deltaY * lines) / strength)), ...local(event));
  }, { passive: false });
  surface.addEventListener('dblclick', event => view.zoomBy(event.shiftKey ? -1 : 1, ...local(event)));

  surface.addEventListener('keydown', event => {
    const step = event.shiftKey ? 240 : 80;
    const move = {
      ArrowLeft: () => view.pan(step, 0), ArrowRight: () => view.pan(-step, 0),
      ArrowUp: () => view.pan(0, step), ArrowDown: () => view.pan(0, -step),
      '+': () => view.zoomBy(0.5), '=': () => view.zoomBy(0.5), '-': () => view.zoomBy(-0.5), _: () => view.zoomBy(-0.5),
      Enter: () => point(view.width / 2, view.height / 2, true), Escape: () => point(null),
    }[event.key];
    if (!move || event.metaKey || event.altKey) return;
    event.preventDefault();
    move();
  });
}
