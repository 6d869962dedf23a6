// One viewer: a WebSocket that asks for what is in its box, and comes back when it is cut.

const PING_EVERY_MS = 10_000;
const STABLE_AFTER_MS = 5_000;
const BOX_EVERY_MS = 100;
const RATE_WINDOW_MS = 3_000;
const [CLOSE_RESTART, CLOSE_PING_TIMEOUT] = [1012, 4000];

export class Feed {
  /**
   * @param handlers vehicle(feature), deleted(id), gap(), and perhaps state(state, text), other(source, content),
   *   frame(direction, text), ready(), roundTrip(ms)
   */
  constructor(handlers) {
    this.handlers = handlers;
    Object.assign(this, { live: false, failures: 0, messages: 0, arrivals: [], pings: [], look: null, asked: '', askedAt: 0 });
  }

  connect() {
    clearTimeout(this.retryTimer);
    this.say('waiting', 'connecting');
    const attempt = this.socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`);
    attempt.onmessage = event => { if (attempt === this.socket) this.receive(event.data); };
    attempt.onclose = event => { if (attempt === this.socket) this.disconnected(event.code, event.reason); };
  }

  /** Ends it for good. */
  close() {
    const socket = this.socket;
    this.forget();
    clearTimeout(this.retryTimer);
    socket?.close();
  }

  /** @param look { code, decimals, bounds: [left, bottom, right, top] or null for everything, zoom } */
  lookAt(look) {
    const before = this.look;
    this.look = look;
    if (!this.live) return;
    // What is still on its way has positions in the old projection, which cannot be told from new ones.
    if (before && before.code !== look.code) { this.close(); this.connect(); return; }
    this.boxTimer ??= setTimeout(() => this.askForBox(), Math.max(0, BOX_EVERY_MS - (performance.now() - this.askedAt)));
  }

  send(line) {
    if (!this.live) { this.handlers.frame?.('note', `not connected, not sent: ${line}`); return; }
    this.handlers.frame?.('sent', line);
    if (/^PING\b/.test(line)) this.pings.push(performance.now());
    this.socket.send(line);
  }

  /** Messages and bytes a second over the last seconds. */
  rates() {
    const now = performance.now();
    this.arrivals = this.arrivals.filter(arrival => now - arrival.at < RATE_WINDOW_MS);
    const sum = key => this.arrivals.reduce((total, arrival) => total + arrival[key], 0) / (RATE_WINDOW_MS / 1000);
    return { messages: sum('messages'), bytes: sum('bytes') };
  }

  // ---- Sending ----

  greeted() {
    [this.live, this.liveSince, this.asked] = [true, performance.now(), ''];
    this.say('live', 'live');
    this.send(`PROJECTION epsg:${this.look.code}`);
    this.send('BUFFER 100 1000');
    this.askForBox();
    this.send('SUB trains');
    this.send('PING');
    this.pingTimer = setInterval(() => this.pingOrGiveUp(), PING_EVERY_MS);
    this.handlers.ready?.();
  }

  askForBox() {
    clearTimeout(this.boxTimer);
    this.boxTimer = null;
    if (!this.live) return;
    const { bounds, decimals, zoom } = this.look;
    const line = bounds ? `BBOX ${bounds.map(side => side.toFixed(decimals)).join(' ')} ${Math.floor(zoom)}` : 'BBOX';
    if (line === this.asked) return;
    [this.asked, this.askedAt] = [line, performance.now()];
    this.send(line);
  }

  pingOrGiveUp() {
    if (!this.pings.length) { this.send('PING'); return; }
    this.socket.close(CLOSE_PING_TIMEOUT);
    this.disconnected(CLOSE_PING_TIMEOUT, 'no answer to PING'); // at once: a dead network would delay onclose
  }

  // ---- Receiving ----

  receive(text) {
    let frame;
    try { frame = JSON.parse(text); } catch { this.handlers.frame?.('error', text); return; }
    const envelopes = frame?.source === 'buffer' && Array.isArray(frame.content) ? frame.content : [frame];
    if (envelopes.some(envelope => envelope?.source === 'trains')) this.count(envelopes.length, text.length);
    this.handlers.frame?.(kindOf(frame), text);
    for (const envelope of envelopes) if (envelope) this.handle(envelope);
  }

  count(messages, bytes) {
    this.messages += messages;
    const [now, last] = [performance.now(), this.arrivals.at(-1)];
    if (last && now - last.at < 100) { last.messages += messages; last.bytes += bytes; }
    else this.arrivals.push({ at: now, messages, bytes });
  }

  handle({ source, content }) {
    if (source === 'websocket') this.control(content);
    else if (source !== 'trains') this.handlers.other?.(source, content);
    else if (content?.deleted != null) this.handlers.deleted(String(content.deleted));
    else if (content) this.handlers.vehicle(content);
  }

  control(content) {
    const status = content?.status;
    if (status === 'open') this.greeted();
    else if (status === 'gap') this.resume();
    else if (content === 'PONG' && this.pings.length) this.handlers.roundTrip?.(performance.now() - this.pings.shift());
  }

  /** Messages were missed: the same box is answered with what is in it now. */
  resume() {
    this.handlers.gap();
    this.asked = '';
    this.askForBox();
  }

  // ---- Coming back ----

  disconnected(code, reason) {
    if (this.live && performance.now() - this.liveSince > STABLE_AFTER_MS) this.failures = 0;
    const pause = this.live && code === CLOSE_RESTART ? Math.random() * 2000 : backoff(this.failures++);
    this.forget();
    this.handlers.frame?.('note', `closed: ${code} ${reason || '(no reason given)'}`);
    this.retryAt = performance.now() + pause;
    this.retryWhenDue();
  }

  retryWhenDue() {
    const remaining = this.retryAt - performance.now();
    if (remaining <= 0) { this.connect(); return; }
    this.say('waiting', `retrying in ${Math.ceil(remaining / 1000)} s`);
    this.retryTimer = setTimeout(() => this.retryWhenDue(), Math.min(remaining, 250));
  }

  forget() {
    Object.assign(this, { socket: null, live: false, pings: [], boxTimer: clearTimeout(this.boxTimer) ?? null });
    clearInterval(this.pingTimer);
  }

  say(state, text) { this.handlers.state?.(state, text); }
}

/** 0.25 to 5 s: the ceiling doubles with every failure, the jitter spreads over its upper half. */
function backoff(failures) {
  const ceiling = Math.min(5000, 500 * 2 ** failures);
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}

function kindOf(frame) {
  if (frame?.source !== 'websocket') return /^(trains|buffer|demo\.stats|lines\.\w+)$/.test(frame?.source) ? 'push' : 'reply';
  return frame.content?.status === 'error' ? 'error' : frame.content?.status === 'gap' ? 'note' : 'reply';
}
