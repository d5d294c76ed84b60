export { balance } from './inside.ts';
