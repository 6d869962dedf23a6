import 'maplibre-gl/dist/maplibre-gl.css';

import { Map } from 'maplibre-gl';
import { RealtimeLayer } from 'mobility-toolbox-js/maplibre';
import GeoJSON from 'ol/format/GeoJSON';
import TopoJSON from 'ol/format/TopoJSON';
import countries from 'world-atlas/countries-10m.json';

import { center, url, zoom } from './where.js';

// No tile server: the outlines of countries, from Natural Earth.
const features = new TopoJSON({ layers: ['countries'] }).readFeatures(countries);
const data = new GeoJSON().writeFeaturesObject(features);

const map = new Map({
  container: 'map',
  center,
  zoom: zoom - 1, // MapLibre's tiles are twice as large.
  style: {
    version: 8,
    sources: { countries: { type: 'geojson', data } },
    layers: [
      { id: 'sea', type: 'background', paint: { 'background-color': '#d7e3ea' } },
      { id: 'land', type: 'fill', source: 'countries', paint: { 'fill-color': '#f5f3ee', 'fill-outline-color': '#a9a597' } },
    ],
  },
});

// The one line that differs from a map on geOps' API: its url, and no key.
const realtime = new RealtimeLayer({ url });

map.on('load', () => map.addLayer(realtime));

// For the console, and for the tests.
Object.assign(window, { map, realtime });
