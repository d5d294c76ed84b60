// Deliberately wrong, never run: a machine that reads a file and knows a door. `import-rules.test.ts` proves it is caught.
import { readFileSync } from 'node:fs';
import { door } from '../gateway/http/door.ts';

export const impure = (): string => door + readFileSync('/dev/null', 'utf8');
