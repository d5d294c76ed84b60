import { fastifySwagger } from '@fastify/swagger';
import { fastifySwaggerUi } from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/** All of it comes from this door: scripts, styles, pictures, the document. Only its styles are set by its own scripts. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the reference page at `/docs`: the OpenAPI document for people, without a byte from anybody else. */
export async function serveReferencePage(app: FastifyInstance, document: object): Promise<void> {
  await app.register(async (page) => {
    await page.register(fastifySwagger, { mode: 'static', specification: { document } } as never);
    await page.register(fastifySwaggerUi, {
      routePrefix: '/docs',
      staticCSP: CONTENT_SECURITY_POLICY,
      // By default the page asks a validator on the internet.
      uiConfig: { validatorUrl: null, deepLinking: true, docExpansion: 'list', supportedSubmitMethods: [] },
      theme: { title: 'Kora: HTTP API' },
    });
  });
}
