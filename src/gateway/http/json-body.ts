import type { FastifyInstance } from 'fastify';
import { problem, ProblemError } from './problem.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The one parser of the door: JSON in UTF-8. Whatever else a body calls itself is refused (415) before it is read. The
 * bytes are kept, because sensitive commands are signed over them.
 */
export function acceptOnlyJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const refusal = foreign(request.headers['content-type'] ?? '', request.headers['content-encoding']);
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

function foreign(type: string, encoding: string | undefined): ReturnType<typeof problem> | undefined {
  if (encoding !== undefined && encoding !== 'identity') {
    return problem('UnsupportedMediaType', 'content-encoding: bodies are not compressed here');
  }
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1];
  if (charset === undefined || charset.toLowerCase() === 'utf-8') return undefined;
  return problem('UnsupportedMediaType', 'content-type: JSON is in UTF-8');
}
