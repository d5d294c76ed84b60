#!/usr/bin/env node
// Starts kora on a Node that can run it. Plain JavaScript of old: it must load on any Node from 18 on, to say what to do.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from './node-flags.js';

const main = new URL('../../src/main.ts', import.meta.url);

/**
 * Where Node keeps what it compiled: a start has some hundred modules to compile, and all but the first find them done.
 * Beside the modules themselves, because whoever may write there may change what runs anyway; in a folder of everybody's
 * that would not be so. Where it cannot be written, each start compiles for itself.
 */
const compiled = fileURLToPath(new URL('../../node_modules/.cache/kora', import.meta.url));

/** Node 22 with type stripping. Older ones do not run TypeScript; newer ones do not load the binaries of uWebSockets.js. */
const fits = process.versions.node.startsWith('22.') && process.features.typescript === 'strip';

if (fits) {
  nodeModule.enableCompileCache(compiled);
  // Loaded here alone: an older Node has no such hooks.
  const { keepStripped } = await import('./keep-stripped.js');
  keepStripped(compiled);
  await import(main.href);
} else {
  // Ours, and not one that a folder above happens to have.
  const pinned = new URL(`../../node_modules/node-${process.platform}-${process.arch}/bin/node`, import.meta.url);
  if (existsSync(pinned)) {
    run(fileURLToPath(pinned));
  } else {
    console.error(
      `kora runs on Node 22 from 22.18 on, and this is ${process.versions.node}. ` +
        `\`npm ci\` in ${fileURLToPath(new URL('../..', import.meta.url))} installs the right one beside it ` +
        `(on Linux, x64 and arm64); or call kora with a Node 22 of your own.`,
    );
    process.exitCode = 1;
  }
}

/**
 * Runs kora in a child and is nothing but its shadow: signals go through, and it ends as the child ends.
 *
 * A terminal sends Ctrl-C to both of us, so the child may get it twice; it takes signals that come at once for one. The
 * channel tells the child when this process was killed outright.
 */
function run(node) {
  const child = spawn(node, [...nodeFlags, fileURLToPath(main), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { NODE_COMPILE_CACHE: compiled, ...process.env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`kora: ${node} does not start: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
