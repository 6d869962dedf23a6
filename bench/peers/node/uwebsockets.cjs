// uWebSockets.js with its own topics, beside ioredis: SUB, GET, PING, as redwire has them.
const uWS = require('@trufflesuite/uws-js-unofficial');
const Redis = require('ioredis');

const [port, redisPort] = process.argv.slice(2).map(Number);
const compressed = process.argv.includes('--compression');
const redis = new Redis(redisPort);
const subscriber = new Redis(redisPort);

// What Redis is asked for, once for all clients, with the promise that it is.
const channels = new Map();

const envelope = (source, content) => JSON.stringify({ source, content, timestamp: Date.now(), client_reference: null });
const decoded = (text) => { try { return JSON.parse(text); } catch { return null; } };

const app = uWS.App().ws('/*', {
  compression: compressed ? uWS.SHARED_COMPRESSOR : uWS.DISABLED,
  idleTimeout: 120,
  maxPayloadLength: 64 * 1024,
  maxBackpressure: 1024 * 1024,
  async message(socket, message) {
    const [command, key, field] = Buffer.from(message).toString().split(' ');
    if (command === 'SUB') {
      socket.subscribe(key);
      if (!channels.has(key)) channels.set(key, subscriber.subscribe(key));
      socket.subscribed = channels.get(key);
    } else if (command === 'GET') {
      const value = decoded(await redis.hget(key, field));
      if (!socket.isClosed) socket.send(envelope(`${key} ${field}`, value));
    } else if (command === 'PING') {
      await socket.subscribed;
      if (!socket.isClosed) socket.send(envelope('websocket', 'PONG'));
    }
  },
  close(socket) { socket.isClosed = true; },
});

subscriber.on('message', (channel, text) => {
  const content = decoded(text);
  if (content !== null) app.publish(channel, envelope(channel, content), false, compressed);
});

Promise.all([redis, subscriber].map((client) => new Promise((ready) => client.once('ready', ready)))).then(() => {
  app.listen('127.0.0.1', port, (listening) => { if (!listening) process.exit(1); });
});
