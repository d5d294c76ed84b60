import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { mutants } from './mutants.ts';

/** There is no such mutant, or its text is not in the source any more, once and only once. */
export class MutantError extends Error {
  override readonly name = 'MutantError';
  readonly code = 'MutantNotPlanted';
}

/**
 * Puts a bug into modules that this process has not loaded yet; the files stay as they are.
 *
 * @returns throws unless the bug is in place: to be called when everything is loaded
 */
export function plant(name: string): () => void {
  const mutant = mutants[name];
  if (mutant === undefined) throw new MutantError(`no mutant is called "${name}"`);
  const target = new URL(`../../../${mutant.file}`, import.meta.url).href;
  let isPlanted = false;
  registerHooks({
    load: (url, context, nextLoad) => {
      if (url !== target) return nextLoad(url, context);
      // As it is written: others may hand it on without its types.
      const source = readFileSync(new URL(url), 'utf8');
      const pieces = source.split(mutant.text);
      if (pieces.length !== 2) {
        throw new MutantError(`"${name}": its text is ${pieces.length - 1} times in ${mutant.file}, not once`);
      }
      isPlanted = true;
      return { format: 'module-typescript', source: pieces.join(mutant.bug), shortCircuit: true };
    },
  });
  return () => {
    if (!isPlanted) throw new MutantError(`"${name}": ${mutant.file} is not loaded by the simulation`);
  };
}
