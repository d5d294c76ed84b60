// Deliberate: what others are told is what the log says, not what a module would answer now.
import { balance } from '../ledger/index.ts';

export const told = balance;
