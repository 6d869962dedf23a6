// Clients of before, for maps that nobody updates: 1.3.10 and 1.7.6 (TralisAPI), 2.4.4 (RealtimeAPI).

import assert from 'node:assert/strict';

// The build says where they are; their packages export less than is needed.
import Tralis1 from 'tralis-1.3.10';
import Tralis from 'tralis-1.7.6';
import RealtimeAPI from 'realtime-2.4.4';

import { drives, ear, latest, playAll, publish, redis, row, settled, until, vehicle } from './stage.js';

const url = process.argv[2];

const BOX = [826000, 5930000, 832000, 5940000];
const INSIDE = [828000, 5933000];

const stored = { a: INSIDE, above: [828000, 5950000], beside: [850000, 5933000] };
const ids = (hear) => [...new Set(hear.contents().map((feature) => feature.properties.train_id))].sort();

row('vehicles are stored', async () => {
  for (const [id, place] of Object.entries(stored)) {
    await redis('HSET', 'trajectory', id, JSON.stringify(vehicle(id, place)));
  }
});

/** The vehicle in view is shown where it is, moves, and is deleted. */
async function showsOneVehicle(api, drawn, removed) {
  await until('the vehicle in view', () => drawn.heard.length > 0);
  await settled(api);
  assert.deepEqual(ids(drawn), ['a']);
  const [x, y] = drawn.contents()[0].geometry.coordinates[0];
  assert.ok(Math.abs(x - INSIDE[0]) < 0.01 && Math.abs(y - INSIDE[1]) < 0.01, `${x} ${y}`);
  await drives(vehicle('a', [828500, 5933000]));
  await until('it to move', () => Math.abs(drawn.contents().at(-1).geometry.coordinates[0][0] - 828500) < 0.01);
  await publish(['deleted_vehicles', 'a']);
  await until('its deletion', () => removed.contents().includes('a'));
  api.close?.();
  await redis('HSET', 'trajectory', 'a', JSON.stringify(vehicle('a', INSIDE)));
  await publish(['trajectory', vehicle('a', INSIDE)]);
}

row('1.3.10 sends PROJECTION, BBOX with four numbers, GET and SUB', async () => {
  const [drawn, removed] = [ear(), ear()];
  const api = new Tralis1({ url, bbox: BOX }); // It opens by itself, and never closes.
  api.subscribeTrajectory('topographic', drawn);
  api.subscribeDeletedVehicles('topographic', removed);
  await showsOneVehicle(api, drawn, removed);
  assert.equal(latest().sent[0], 'PROJECTION epsg:3857');
  assert.ok(['GET trajectory', 'SUB trajectory'].every((line) => latest().sent.includes(line)));
});

row('1.7.6 sends PROJECTION, BBOX with a zoom, nothing more', async () => {
  const [drawn, removed] = [ear(), ear()];
  const api = new Tralis({ url, projection: 'EPSG:3857', bbox: [...BOX, 12] });
  api.open();
  api.subscribeTrajectory('topographic', drawn, true);
  api.subscribeDeletedVehicles('topographic', removed, true);
  await showsOneVehicle(api, drawn, removed);
  assert.deepEqual(latest().sent.slice(0, 2), ['PROJECTION EPSG:3857', `BBOX ${BOX.join(' ')} 12`]);
});

row('2.4.4 sends BBOX with four numbers, BUFFER, GET and SUB', async () => {
  const [drawn, removed] = [ear(), ear()];
  const api = new RealtimeAPI({ url, bbox: BOX });
  api.open();
  api.subscribeTrajectory('topographic', drawn);
  api.subscribeDeletedVehicles('topographic', removed);
  await showsOneVehicle(api, drawn, removed);
  assert.deepEqual(latest().sent.slice(0, 2), [`BBOX ${BOX.join(' ')}`, 'BUFFER 100 100']);
});

playAll();
