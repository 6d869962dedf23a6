// ws beside ioredis, as one writes it: SUB, GET, PING, as redwire has them.
const { WebSocketServer } = require('ws');
const Redis = require('ioredis');

const [port, redisPort] = process.argv.slice(2).map(Number);
// As its documentation has it, but each message by itself, and short ones too.
const perMessageDeflate = process.argv.includes('--compression') && { serverNoContextTakeover: true, threshold: 0 };
const redis = new Redis(redisPort);
const subscriber = new Redis(redisPort);

// By channel: the sockets, and the promise that Redis has subscribed us.
const channels = new Map();

const envelope = (source, content) => JSON.stringify({ source, content, timestamp: Date.now(), client_reference: null });
const decoded = (text) => { try { return JSON.parse(text); } catch { return null; } };

const subscribe = (name, socket) => {
  if (!channels.has(name)) channels.set(name, { sockets: new Set(), subscribed: subscriber.subscribe(name) });
  channels.get(name).sockets.add(socket);
  socket.subscribed = channels.get(name).subscribed;
};

const options = { host: '127.0.0.1', port, maxPayload: 64 * 1024, perMessageDeflate };
const serve = () => new WebSocketServer(options).on('connection', (socket) => {
  socket.on('message', async (message) => {
    const [command, key, field] = message.toString().split(' ');
    if (command === 'SUB') {
      subscribe(key, socket);
    } else if (command === 'GET') {
      socket.send(envelope(`${key} ${field}`, decoded(await redis.hget(key, field))));
    } else if (command === 'PING') {
      await socket.subscribed;
      socket.send(envelope('websocket', 'PONG'));
    }
  });
  socket.on('close', () => channels.forEach(({ sockets }) => sockets.delete(socket)));
  socket.on('error', () => socket.terminate());
});

subscriber.on('message', (channel, text) => {
  const content = decoded(text);
  if (content === null) return;
  const frame = Buffer.from(envelope(channel, content));
  for (const socket of channels.get(channel).sockets) socket.send(frame, { binary: false });
});

Promise.all([redis, subscriber].map((client) => new Promise((ready) => client.once('ready', ready)))).then(serve);
