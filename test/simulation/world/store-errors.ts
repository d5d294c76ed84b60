import pg from 'pg';

/** What the driver throws where the server says no: the product goes by its class and its SQLSTATE. */
function databaseError(code: string, message: string): Error {
  return Object.assign(new pg.DatabaseError(message, message.length, 'error'), { severity: 'ERROR', code });
}

/** 53100, as PostgreSQL says it: the statement rolled back, and may be sent again. */
export function diskFull(): Error {
  return databaseError('53100', 'could not extend file "base/16384/16402": No space left on device');
}

/** 42501: the server would say so again. */
export function notAllowed(): Error {
  return databaseError('42501', 'permission denied for function append');
}

/** The connection is gone, and with it the answer: whoever asked asks again. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
  readonly code = 'ECONNRESET';

  constructor() {
    super('the connection to the store was lost');
  }
}
