// What becomes of a payment is not for who carries it to say.
import { payment } from '../payments/index.ts';

export const deciding = payment;
