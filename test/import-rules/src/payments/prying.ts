// The inside of another module.
import { balance } from '../ledger/inside.ts';

export const prying = balance;
