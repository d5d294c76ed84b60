// Who people are has nothing to do with what they have.
import { payment } from '../payments/index.ts';

export const curious = payment;
