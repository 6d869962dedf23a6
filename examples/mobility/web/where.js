const search = new URLSearchParams(window.location.search);

/** Where redwire is. */
export const url = search.get('url') ?? 'ws://127.0.0.1:8765/';

export const center = [8.2, 46.85];

export const zoom = Number(search.get('zoom') ?? 8);
