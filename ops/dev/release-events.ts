import { writeFileSync } from 'node:fs';
import { incompatibilities } from '../../src/webhooks/events/compatibility.ts';
import released from '../../src/webhooks/events/released.json' with { type: 'json' };
import { allSchemas, feedSchemas } from '../../src/webhooks/events/schema-document.ts';

/**
 * Takes the events that are told now into `released.json`, which later changes are held to. Refuses where they break what
 * was released before: that needs a new version (docs/events.md).
 */
const schemas = { ...allSchemas(), ...feedSchemas() };
const broken = incompatibilities(released, schemas);
if (broken.length > 0) {
  process.stderr.write(`${broken.join('\n')}\n`);
  process.exitCode = 1;
} else {
  const file = new URL('../../src/webhooks/events/released.json', import.meta.url);
  writeFileSync(file, `${JSON.stringify(schemas, undefined, 2)}\n`);
}
