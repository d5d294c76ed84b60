/** Where Kora is, and as whom the examples come: by default what `npx kora serve` says on this machine. */
export const baseUrl = process.env['KORA_URL'] ?? 'http://127.0.0.1:7400';
export const streamUrl = process.env['KORA_STREAM'] ?? 'ws://127.0.0.1:7402/stream';

/** A service's: `npx kora token --service shop`. */
export const serviceToken = process.env['KORA_TOKEN'] ?? '';

const run = Date.now().toString(36);

/** A new address at each run. */
export const login = (name: string): string => `${name}.${run}@example.com`;
export const password = 'a lamp, two rivers and a goat';
