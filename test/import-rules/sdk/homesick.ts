// A client that leans on the server, and on Node.
import { readFile } from 'node:fs/promises';
import { balance } from '../src/ledger/inside.ts';

export const homesick = [readFile, balance];
