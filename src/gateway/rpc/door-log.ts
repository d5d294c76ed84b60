/** Where the door tells of faults. The shape of pino, so that a logger fits as it is. */
export interface DoorLog {
  error(details: object, message: string): void;
  warn?(details: object, message: string): void;
}

export const silentLog: DoorLog = { error: () => undefined };
