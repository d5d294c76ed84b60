import type { Refusal } from '../kernel/refusal.ts';
import { invalid } from './refusals.ts';

/** A line of print: reasons are shown in consoles and logs. They are no place for personal data. */
const REASON = /^[^\p{Cc}\p{Zl}\p{Zp}]{1,200}$/u;

/** Reasons are written into the log for ever: one line, of 200 characters at most. */
export function refuseReason(reason: string): Refusal | undefined {
  return REASON.test(reason) ? undefined : invalid('reason', 'a reason is one line of 1 to 200 characters');
}
