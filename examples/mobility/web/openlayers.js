import 'ol/ol.css';

import { RealtimeLayer } from 'mobility-toolbox-js/ol';
import Map from 'ol/Map';
import View from 'ol/View';
import TopoJSON from 'ol/format/TopoJSON';
import VectorLayer from 'ol/layer/Vector';
import { fromLonLat } from 'ol/proj';
import VectorSource from 'ol/source/Vector';
import { Fill, Stroke, Style } from 'ol/style';
import countries from 'world-atlas/countries-10m.json';

import { center, url, zoom } from './where.js';

// No tile server: the outlines of countries, from Natural Earth.
const land = new VectorLayer({
  source: new VectorSource({
    features: new TopoJSON({ layers: ['countries'] }).readFeatures(countries, { featureProjection: 'EPSG:3857' }),
  }),
  style: new Style({ fill: new Fill({ color: '#f5f3ee' }), stroke: new Stroke({ color: '#a9a597' }) }),
});

// The one line that differs from a map on geOps' API: its url, and no key.
const realtime = new RealtimeLayer({ url });

const map = new Map({
  target: 'map',
  layers: [land, realtime],
  view: new View({ center: fromLonLat(center), zoom }),
});

// For the console, and for the tests.
Object.assign(window, { map, realtime, fromLonLat });
