// mobility-toolbox-js 3.6.4, the client of today: its RealtimeAPI, driven as its map layers drive it.

import assert from 'node:assert/strict';

import { RealtimeAPI } from 'mobility-toolbox-js/api';

import {
  drives, ear, killGateway, latest, playAll, pong, publish, redis, row, settled, sockets, startGateway, until, vehicle,
} from './stage.js';

const url = process.argv[2];
const api = new RealtimeAPI({ url, pingIntervalMs: 50 });

const BOX = [826000, 5930000, 832000, 5940000, 12];
const INSIDE = [828000, 5933000];
const ALSO_INSIDE = [829000, 5934000];
const ABOVE = [828000, 5950000];
const BESIDE = [850000, 5933000];

// What a map layer shows.
const map = new Map();
const drawn = ear();
const removed = ear();
const onMap = () => [...map.keys()].sort();
const frames = (source) => latest().received.filter((frame) => frame.source === source);
const seen = (id) => drawn.contents().filter((feature) => feature.properties.train_id === id).length;

const draw = (data) => {
  map.set(data.content.properties.train_id, data.content.geometry.coordinates[0]);
  drawn(data);
};
const remove = (data) => {
  map.delete(data.content);
  removed(data);
};

/** Sets the box, and forgets what came for the box of before: frames of it may come until a PONG. */
async function looksAt(box) {
  api.bbox = [...box, 'anew=1'];
  await settled(api);
  map.clear();
  api.bbox = box;
}

row('opens, is greeted and sends BUFFER', async () => {
  api.open();
  const [greeting] = await until('the greeting', () => latest().received.length > 0 && latest().received);
  assert.equal(greeting.source, 'websocket');
  assert.equal(greeting.content.status, 'open');
  assert.equal(typeof greeting.timestamp, 'number');
  assert.deepEqual(latest().sent.slice(0, 1), ['BUFFER 100 100']);
});

row('PING is answered', async () => {
  await until('a PING', () => latest().received.some((frame) => frame.content === 'PONG'));
  await pong();
});

row('GET with a field', async () => {
  await redis('HSET', 'station', '8507000', '{"name":"Bern"}');
  await redis('HSET', 'station', '8503000', '{"name":"Zürich HB"}');
  const answer = await api.getStation('8507000');
  assert.deepEqual([answer.source, answer.content], ['station 8507000', { name: 'Bern' }]);
});

row('GET with a field and a reference, while pushes are buffered', async () => {
  api.buffer = [10_000, 1000];
  const answer = await api.get({ channel: 'station', args: '8503000', id: 'mine' });
  assert.deepEqual([answer.client_reference, answer.content], ['mine', { name: 'Zürich HB' }]);
  api.buffer = [100, 100];
});

row('GET of what is not there', async () => {
  assert.equal((await api.getStopSequence('nothing')).content, null);
  assert.equal((await api.getStation('nothing')).content, null);
});

row('GET without a field, then SUB', async () => {
  const stations = ear();
  api.subscribeStations(undefined, stations);
  await until('both stations', () => stations.heard.length >= 2);
  assert.deepEqual(stations.contents().map(({ name }) => name).sort(), ['Bern', 'Zürich HB']);
  await settled(api);
  await publish(['station', { name: 'Olten' }]);
  await until('the third', () => stations.contents().some(({ name }) => name === 'Olten'));
  assert.equal(stations.heard.length, 3);
  assert.deepEqual(latest().sent.filter((line) => line.endsWith(' station')), ['GET station', 'SUB station']);
  api.unsubscribeStations(stations);
});

row('DEL ends delivery', async () => {
  const before = frames('station').length;
  assert.ok(latest().sent.includes('DEL station'));
  await settled(api);
  await publish(['station', { name: 'Brig' }]);
  await settled(api);
  const names = latest().received.flatMap((frame) => [frame, ...(Array.isArray(frame.content) ? frame.content : [])]);
  assert.ok(!names.some((frame) => frame?.content?.name === 'Brig'));
  assert.equal(frames('station').length, before);
});

row('BBOX with a zoom subscribes, and brings what is in view', async () => {
  for (const [id, place] of Object.entries({ a: INSIDE, b: ALSO_INSIDE, above: ABOVE, beside: BESIDE })) {
    const type = id === 'b' ? 'bus' : 'rail';
    await redis('HSET', 'trajectory', id, JSON.stringify(vehicle(id, place, { type })));
  }
  api.subscribeTrajectory('topographic', draw, undefined, true);
  api.subscribeDeletedVehicles('topographic', remove, undefined, true);
  api.bbox = BOX;
  await until('two vehicles', () => map.size >= 2);
  await settled(api);
  assert.deepEqual(onMap(), ['a', 'b']);
  assert.ok(latest().sent.includes('BBOX 826000 5930000 832000 5940000 12'));
  assert.ok(!latest().sent.some((line) => /^(GET|SUB) (trajectory|deleted)/.test(line)), 'the client was quiet');
});

row('a vehicle moves', async () => {
  await drives(vehicle('a', [828500, 5933500]));
  await until('the new place', () => map.get('a')[0] === 828500);
});

row('a vehicle outside of the box is not sent', async () => {
  await drives(vehicle('above', [828000, 5951000]));
  await drives(vehicle('beside', [851000, 5933000]));
  await settled(api);
  assert.deepEqual([seen('above'), seen('beside')], [0, 0]);
});

row('a vehicle leaves the box, and comes back', async () => {
  await drives(vehicle('a', ABOVE));
  await until('its removal', () => removed.contents().includes('a'));
  assert.deepEqual(onMap(), ['b']);
  await drives(vehicle('a', INSIDE));
  await until('it to be back', () => map.has('a'));
  await drives(vehicle('a', BESIDE));
  await until('its removal to the side', () => removed.contents().filter((id) => id === 'a').length === 2);
  await drives(vehicle('a', INSIDE));
  await until('it to be back again', () => map.has('a'));
});

row('BBOX with mots: only these modes, now and later', async () => {
  await looksAt([...BOX, 'gen=10', 'mots=rail,tram', 'graph=osm']);
  await until('the train', () => map.has('a'));
  await drives(vehicle('b', ALSO_INSIDE, { type: 'bus' }));
  await drives(vehicle('t', ALSO_INSIDE, { type: 'tram' }));
  await until('the tram', () => map.has('t'));
  await settled(api);
  assert.deepEqual(onMap(), ['a', 't']);
});

row('BBOX with a tenant', async () => {
  await drives(vehicle('s', INSIDE, { tenant: 'sbh' }));
  await looksAt([...BOX, 'tenant=sbh']);
  await until('its vehicle', () => map.has('s'));
  await settled(api);
  assert.deepEqual(onMap(), ['s']);
  api.bbox = BOX;
  await until('everybody', () => map.size === 4);
});

row('a pan: what comes into view is sent, what leaves it is no more', async () => {
  await looksAt([826000, 5945000, 832000, 5960000, 12]);
  await until('the vehicle in the north', () => map.has('above'));
  await drives(vehicle('a', ALSO_INSIDE));
  await settled(api);
  assert.deepEqual(onMap(), ['above']);
  api.bbox = BOX;
  await until('the others', () => map.has('a') && map.has('b'));
});

row('a vehicle is deleted', async () => {
  const before = removed.heard.length;
  await redis('HDEL', 'trajectory', 's');
  await publish(['deleted_vehicles', 's']);
  await until('its deletion', () => removed.heard.length > before);
  assert.deepEqual(removed.contents().at(-1), 's');
  assert.ok(!map.has('s'));
});

row('BUFFER gathers pushes in one frame, of each vehicle the newest', async () => {
  api.buffer = [2000, 100];
  await settled(api);
  const before = frames('buffer').length;
  const at = (x) => ['trajectory', vehicle('a', [x, 5933000])];
  await publish(at(828001), ['trajectory', vehicle('b', ALSO_INSIDE, { type: 'bus' })], at(828002), at(828003));
  await until('the newest', () => map.get('a')[0] === 828003);
  const gathered = frames('buffer').slice(before);
  assert.equal(gathered.length, 1);
  const ids = gathered[0].content.map((frame) => frame.content.properties.train_id);
  assert.deepEqual(ids.sort(), ['a', 'b']);
  assert.ok(!drawn.contents().some((feature) => [828001, 828002].includes(feature.geometry.coordinates[0][0])));
  api.buffer = [100, 100];
});

row('GET and SUB beside BBOX, as while a vehicle is followed: nothing comes twice', async () => {
  api.unsubscribeTrajectory(draw);
  api.subscribeTrajectory('topographic', draw);
  await settled(api);
  const before = seen('a');
  await drives(vehicle('a', [828004, 5933000]));
  await until('the new place', () => map.get('a')[0] === 828004);
  await settled(api);
  assert.equal(seen('a'), before + 1);
});

row('SUB of a map layer is answered with what is in view', async () => {
  api.unsubscribeTrajectory(draw);
  map.clear();
  api.subscribeTrajectory('topographic', draw);
  await until('the vehicles', () => map.has('a') && map.has('b'));
  api.unsubscribeTrajectory(draw);
  api.subscribeTrajectory('topographic', draw, undefined, true);
});

row('an unknown command is reported, and the connection stays', async () => {
  const count = sockets.length;
  api.wsApi.send('HELLO');
  await until('the report', () => frames('websocket').some((frame) => frame.content.status === 'error'));
  await settled(api);
  assert.equal(sockets.length, count);
});

/** After a new connection, without a word from the map layer. */
async function comesBack(cut, mend = () => {}) {
  await looksAt([...BOX, 'mots=rail']);
  const count = sockets.length;
  await cut();
  await until('the end of the connection', () => sockets[count - 1].readyState === WebSocket.CLOSED);
  map.clear();
  await mend();
  await until('the train, over a new connection', () => sockets.length > count && map.has('a'));
  assert.ok(latest().sent.includes('BBOX 826000 5930000 832000 5940000 12 mots=rail'));
  assert.ok(latest().sent.includes('BUFFER 100 100'));
  await settled(api);
  assert.ok(!map.has('b') && !map.has('above'));
  const x = map.get('a')[0] + 1;
  await drives(vehicle('a', [x, 5933000]));
  await until('the train to move', () => map.get('a')[0] === x);
}

row('the gateway is killed and started again', async () => {
  await comesBack(killGateway, startGateway);
});

row('the connection is cut', async () => {
  await comesBack(() => latest().terminate());
});

row('Redis cuts its connections: the client is told of the gap, and stays', async () => {
  const count = sockets.length;
  await redis('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await until('the gap', () => frames('websocket').some((frame) => frame.content.status === 'gap'));
  await drives(vehicle('a', [828010, 5933000]));
  await until('the train to move', () => map.get('a')[0] === 828010);
  assert.equal(sockets.length, count);
});

row('after RESET, the next BBOX brings what is in view', async () => {
  api.reset();
  map.clear();
  api.bbox = BOX;
  await until('the train', () => map.has('a'));
  await drives(vehicle('a', [828011, 5933000]));
  await until('it to move', () => map.get('a')[0] === 828011);
});

row('a schematic map has vehicles of its own, under the same names', async () => {
  await redis('HSET', 'trajectory_schematic', 'plan', JSON.stringify(vehicle('plan', INSIDE)));
  await looksAt([...BOX, 'channel_prefix=schematic']);
  await until('its vehicle', () => map.has('plan'));
  await drives(vehicle('plan', ALSO_INSIDE), 'trajectory_schematic');
  await until('it to move', () => map.get('plan')[0] === ALSO_INSIDE[0]);
  await drives(vehicle('a', [828012, 5933000]));
  await settled(api);
  assert.deepEqual(onMap(), ['plan']);
  await publish(['deleted_vehicles_schematic', 'plan']);
  await until('its deletion', () => map.size === 0);
  api.bbox = BOX;
  await until('the train', () => map.has('a'));
});

row('a hidden tab closes, a shown one has all vehicles back', async () => {
  api.close();
  await until('the end of the connection', () => latest().readyState === WebSocket.CLOSED);
  map.clear();
  api.open();
  await until('the vehicles', () => map.has('a') && map.has('b'));
});

playAll();
