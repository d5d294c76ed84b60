import { fastifySwagger } from '@fastify/swagger';
import { fastify } from 'fastify';
import packageJson from '../../../package.json' with { type: 'json' };
import { uploadTypes } from './json-body.ts';
import { schemaOf } from './route-schema.ts';
import type { Route } from './route.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
type JsonObject = { readonly [name: string]: Json };

/** The OpenAPI 3.1 document of these routes: made from the very schemas that requests are checked against. */
export async function openApiOf(routes: readonly Route[]): Promise<JsonObject> {
  const app = fastify({ exposeHeadRoutes: false });
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Kora',
        version: packageJson.version,
        description:
          'Accounts and payments of a mobile-money wallet. Amounts are whole minor units as text. Every problem is an ' +
          '`application/problem+json` with a stable `type`. A command carries an `Idempotency-Key`: send it again with ' +
          'the same key until it is answered.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    },
  });
  for (const route of routes) {
    app.route({ method: route.method, url: route.path, schema: schemaOf(route), handler: () => undefined });
  }
  // Nothing is checked or sent here: the schemas are only read.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => () => '');
  await app.ready();
  const document = JSON.parse(JSON.stringify(app.swagger())) as JsonObject;
  await app.close();
  for (const { path, method, bodyOptional, upload } of routes) {
    if (bodyOptional === true) optionalBody(document, path, method);
    if (upload === true) fileBody(document, path, method);
  }
  return named(document);
}

/** Every body is said to be required; of these it is not true. */
function optionalBody(document: JsonObject, path: string, method: string): void {
  const paths = document['paths'] as Record<string, Record<string, { requestBody?: { required?: boolean } }>>;
  const operation = paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
  if (operation?.requestBody === undefined) throw new Error(`${method} ${path} has no body in the document`);
  operation.requestBody.required = false;
}

/** A body that no schema describes. */
function fileBody(document: JsonObject, path: string, method: string): void {
  const paths = document['paths'] as Record<string, Record<string, { requestBody?: object }>>;
  const operation = paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
  if (operation === undefined) throw new Error(`${method} ${path} is not in the document`);
  operation.requestBody = { required: true, content: Object.fromEntries(uploadTypes.map((type) => [type, {}])) };
}

/** Puts every schema that has a title where it can be referred to, so that what is generated from the document has names. */
function named(document: JsonObject): JsonObject {
  const schemas = new Map<string, { text: string; schema: Json }>();
  const walk = (node: Json): Json => {
    if (Array.isArray(node)) return node.map(walk);
    if (node === null || typeof node !== 'object') return node;
    const walked = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, walk(value)]));
    const { title, type } = walked as { title?: Json; type?: Json };
    if (type !== 'object' || typeof title !== 'string') return walked;
    const text = JSON.stringify(walked);
    const known = schemas.get(title);
    if (known !== undefined && known.text !== text) throw new Error(`two schemas are called ${title}`);
    schemas.set(title, { text, schema: walked });
    return { $ref: `#/components/schemas/${title}` };
  };
  const paths = walk(document['paths'] ?? {});
  const sorted = [...schemas].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { schema }]) => [name, schema] as const);
  const components = document['components'] as JsonObject;
  return { ...document, paths, components: { ...components, schemas: Object.fromEntries(sorted) } };
}
