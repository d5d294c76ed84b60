// Deliberately wrong, never run: the log knows nothing of money.
import { money } from '../src/kernel/money.ts';

export const curious = money;
