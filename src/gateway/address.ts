export { placeOf } from './stream/address.ts';
