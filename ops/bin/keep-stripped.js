// Keeps what Node makes of TypeScript: stripping the types of some hundred modules is a third of a start.
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * From now on modules in TypeScript are stripped once, and kept under the hash of their text in a folder: what was changed is
 * another text. Where the folder cannot be written, each start strips for itself.
 *
 * @param {string} folder
 */
export function keepStripped(folder) {
  const kept = join(folder, `stripped-${process.version}`);
  let isKept = makeFolder(kept);
  registerHooks({
    load(url, context, nextLoad) {
      if (!isKept || !url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
      const text = readFileSync(fileURLToPath(url), 'utf8');
      const file = join(kept, `${createHash('sha256').update(text).digest('hex')}.js`);
      let source = read(file);
      if (source === undefined) {
        source = stripped(text);
        isKept = write(file, source);
      }
      return { format: 'module', source, shortCircuit: true };
    },
  });
}

/** Types become blanks, so that lines and columns of errors stay. Node says of the function, at each start, that it may change. */
function stripped(text) {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}

function makeFolder(folder) {
  try {
    mkdirSync(folder, { recursive: true });
    return true;
  } catch {
    return false;
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** At once as a whole: another start may read it meanwhile. */
function write(file, text) {
  const part = `${file}.${randomUUID()}`;
  try {
    writeFileSync(part, text);
    renameSync(part, file);
    return true;
  } catch {
    return false;
  }
}
