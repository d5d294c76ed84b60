// The ledger does not know why money moves.
import { payment } from '../payments/index.ts';

export const balance = (): number => payment;
