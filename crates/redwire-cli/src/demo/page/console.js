// The conversation with the server as it goes over the wire, and a line to join in.

import { byId } from './hud.js';

const [MAX_ENTRIES, MAX_PUSHES, MAX_CHARS, MAX_HISTORY] = [60, 12, 700, 50];
const EXAMPLES = ['PING', 'GET trains 0-0', 'PGET trains 0-0 projection=epsg:2056', 'GET'];

export class Console {
  /** @param send takes a line */
  constructor(send) {
    Object.assign(this, { send, entries: [], history: [], place: 0, isDirty: false });
    byId('command-form').addEventListener('submit', event => {
      event.preventDefault();
      this.run(byId('command').value);
      byId('command').value = '';
    });
    byId('command').addEventListener('keydown', event => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.place = Math.min(this.history.length, Math.max(0, this.place + step));
      byId('command').value = this.history[this.place] ?? '';
    });
    for (const example of EXAMPLES) {
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: example });
      button.addEventListener('click', () => this.run(example));
      byId('examples').append(button);
    }
    byId('console').addEventListener('toggle', () => this.render());
    setInterval(() => this.render(), 250);
  }

  run(text) {
    const line = text.trim();
    if (!line) return;
    if (this.history.at(-1) !== line) this.history.push(line);
    if (this.history.length > MAX_HISTORY) this.history.shift();
    this.place = this.history.length;
    this.send(line);
  }

  /** Keeps few of what is pushed, so that it does not drive out what was asked. */
  add(kind, text) {
    const shown = text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text;
    this.entries.push({ kind, text: shown, at: new Date() });
    const pushes = this.entries.filter(entry => entry.kind === 'push').length;
    if (pushes > MAX_PUSHES) this.entries.splice(this.entries.findIndex(entry => entry.kind === 'push'), 1);
    if (this.entries.length > MAX_ENTRIES) this.entries.shift();
    this.isDirty = true;
  }

  render() {
    if (!this.isDirty || !byId('console').open) return;
    this.isDirty = false;
    const isShown = entry => entry.kind !== 'push' || byId('show-pushes').checked;
    byId('log').replaceChildren(...this.entries.filter(isShown).toReversed().map(({ kind, text, at }) => {
      const [item, time] = [document.createElement('li'), document.createElement('time')];
      item.className = kind;
      time.textContent = at.toLocaleTimeString('en-GB');
      item.append(time, ` ${kind === 'sent' ? '→' : kind === 'note' ? '×' : '←'} ${text}`);
      return item;
    }));
  }
}
