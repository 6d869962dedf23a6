// What the rows have in common: a browser's globals, the test's hands, and waiting with a deadline.

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { inspect } from 'node:util';

import WS from 'ws';

const PATIENCE_MS = 10_000;

/** Every socket that the client opened, newest last. */
export const sockets = [];

// What the client takes from a browser. Each socket remembers what went over it.
globalThis.window = globalThis;
globalThis.WebSocket = class extends WS {
  constructor(url) {
    super(url);
    this.sent = [];
    this.received = [];
    this.addEventListener('message', ({ data }) => {
      assert.equal(typeof data, 'string', 'frames are text');
      this.received.push(JSON.parse(data));
      changed();
    });
    this.on('close', changed);
    sockets.push(this);
  }

  send(line) {
    this.sent.push(line);
    super.send(line);
  }
};

export const latest = () => sockets.at(-1);

// ---- Waiting ----

const waiting = new Set();

/** Whoever learns something says so; what is awaited is looked at again. */
export function changed() {
  for (const look of [...waiting]) look();
}

/** The first truthy value of `look`, which is asked whenever something has changed. */
export function until(awaited, look) {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => {
      waiting.delete(again);
      const frames = inspect(latest()?.received.slice(-5), { depth: 6 });
      reject(new Error(`waited ${PATIENCE_MS} ms for ${awaited}, in vain; last frames: ${frames}`));
    }, PATIENCE_MS);
    function again() {
      const value = look();
      if (!value) return;
      clearTimeout(deadline);
      waiting.delete(again);
      resolve(value);
    }
    waiting.add(again);
    again();
  });
}

/** A callback that keeps what it is called with. */
export function ear() {
  const heard = [];
  const hear = (data) => {
    heard.push(data);
    changed();
  };
  return Object.assign(hear, { heard, contents: () => heard.map((data) => data.content) });
}

// ---- The test's hands: Redis and the gateway ----

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function ask(request) {
  console.log(`? ${JSON.stringify(request)}`);
  return JSON.parse((await answers.next()).value);
}

/** One Redis command. */
export const redis = (...command) => ask({ redis: command });

/** Messages that Redis publishes in one go, in this order. */
export function publish(...messages) {
  const script = "for i = 1, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end";
  const text = messages.flatMap(([channel, content]) => [channel, JSON.stringify(content)]);
  return redis('EVAL', script, '0', ...text);
}

/** `kill -9`. */
export const killGateway = () => ask({ gateway: 'kill' });

export const startGateway = () => ask({ gateway: 'start' });

/** Everything that was sent before is done, and everything that was published before has been sent. */
let barriers = 0;
export async function settled(api) {
  const channel = `barrier_${(barriers += 1)}`;
  const hear = ear();
  const { wsApi = api.conn } = api;
  wsApi.subscribe({ channel }, hear, undefined, false);
  await until('the subscription', () => hear.heard.length > 0); // GET's null; SUB came right after it.
  wsApi.send('PING');
  await pong();
  await publish([channel, 'here']);
  await until('the barrier', () => hear.contents().includes('here'));
  wsApi.unsubscribe(channel, hear);
}

/** The answer to the last PING. */
export async function pong() {
  const socket = latest();
  const pings = () => socket.sent.filter((line) => line === 'PING').length;
  const pongs = () => socket.received.filter((frame) => frame.content === 'PONG').length;
  await until('a PONG to each PING', () => pings() > 0 && pongs() >= pings());
}

// ---- Features ----

/** A vehicle as geOps publishes it, standing at this place of EPSG:3857. */
export function vehicle(train_id, [x, y], properties = {}) {
  return {
    type: 'Feature',
    geometry: { type: 'LineString', coordinates: [[x, y], [x + 10, y + 10]] },
    properties: {
      train_id,
      type: 'rail',
      bounds: [x, y, x + 10, y + 10],
      time_intervals: [[Date.now(), 0, null], [Date.now() + 10_000, 1, null]],
      line: { id: 1, name: 'IC 5', color: '#eb0000', text_color: '#ffffff', stroke: null },
      state: 'DRIVING',
      tenant: 'sbb',
      delay: 0,
      timestamp: Date.now(),
      ...properties,
    },
  };
}

/** Stores a vehicle and announces it, as a publisher does. */
export async function drives(feature, channel = 'trajectory') {
  await redis('HSET', channel, feature.properties.train_id, JSON.stringify(feature));
  await publish([channel, feature]);
}

// ---- Rows ----

const rows = [];

export function row(name, play) {
  rows.push([name, play]);
}

/** Plays the rows in their order; exits with 1 at the first that fails. */
export async function playAll() {
  for (const [name, play] of rows) {
    try {
      await play();
    } catch (error) {
      console.log(`FAILED  ${name}\n${error.stack}`);
      process.exit(1);
    }
    console.log(`ok  ${name}`);
  }
  process.exit(0);
}
