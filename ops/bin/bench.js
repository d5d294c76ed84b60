#!/usr/bin/env node
// Starts the bench on the Node that the product runs on: figures of another one would be those of another product.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
const node = findPinned() ?? process.execPath;

/** The Node that `npm ci` installed for us, or undefined. */
function findPinned() {
  try {
    return createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/bin/node`);
  } catch {
    return undefined;
  }
}

const child = spawn(node, ['--disable-warning=ExperimentalWarning', main, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// A terminal sends Ctrl-C to the child as well; whoever else stops us means the child.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('error', (error) => {
  console.error(`bench: ${node} does not start: ${error.message}`);
  process.exitCode = 1;
});
child.on('exit', (code) => process.exit(code ?? 1));
