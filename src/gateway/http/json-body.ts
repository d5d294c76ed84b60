import type { FastifyInstance } from 'fastify';
import { problem, ProblemError } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is a file. */
    upload?: boolean;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The parsers of the door. JSON in UTF-8, whose bytes are kept, because sensitive commands are signed over them; and on
 * routes that say so a file of any kind, which is handed on as it comes. Whatever else a body calls itself is refused (415)
 * before it is read.
 */
export function acceptBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser(uploadTypes, (request, payload, done) => {
    const isUpload = request.routeOptions.config.upload === true;
    const refusal = isUpload ? compressed(request.headers['content-encoding']) : onlyJson;
    done(refusal === undefined ? null : new ProblemError(refusal), payload);
  });
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const isUpload = request.routeOptions.config.upload === true;
    const refusal = isUpload
      ? onlyFiles
      : foreign(request.headers['content-type'] ?? '', request.headers['content-encoding']);
    if (refusal !== undefined) {
      done(new ProblemError(refusal));
      return;
    }
    const body = bytes as Buffer;
    request.rawBody = body;
    let text: string;
    try {
      text = utf8.decode(body);
    } catch {
      done(new ProblemError(problem('Invalid', 'body: is not in UTF-8')));
      return;
    }
    void parse(request, text, done);
  });
}

/** What files of banks are sent as. Their format is seen in them, whatever this says. */
export const uploadTypes = ['application/octet-stream', 'application/xml', 'text/xml', 'text/csv', 'text/plain'];
const onlyJson = problem('UnsupportedMediaType', 'content-type: application/json is wanted');
const onlyFiles = problem('UnsupportedMediaType', `content-type: one of ${uploadTypes.join(', ')} is wanted`);

function compressed(encoding: string | undefined): ReturnType<typeof problem> | undefined {
  if (encoding === undefined || encoding === 'identity') return undefined;
  return problem('UnsupportedMediaType', 'content-encoding: bodies are not compressed here');
}

function foreign(type: string, encoding: string | undefined): ReturnType<typeof problem> | undefined {
  const refusal = compressed(encoding);
  if (refusal !== undefined) return refusal;
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1];
  if (charset === undefined || charset.toLowerCase() === 'utf-8') return undefined;
  return problem('UnsupportedMediaType', 'content-type: JSON is in UTF-8');
}
