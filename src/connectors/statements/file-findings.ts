/** What a file was found to be, before any of its lines counts. Nothing personal is in it. */
export interface FileFindings {
  readonly formats: readonly string[];
  readonly statements: number;
  readonly lines: number;
  /** The first ones; `problemsCount` says how many there are. */
  readonly problems: readonly FoundProblem[];
  readonly problemsCount: number;
  /** Of the first statements. */
  readonly balances: readonly FoundBalances[];
  /** Of a pain.002: how many statuses it says. */
  readonly statuses?: number;
  /** It cannot be read any further than here. */
  readonly unreadable?: {
    readonly code: string;
    readonly message: string;
    readonly line: number;
    readonly column: number;
  };
}

export interface FoundProblem {
  readonly code: string;
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

export interface FoundBalances {
  readonly currency?: string;
  readonly sequence?: string;
  readonly page?: number;
  readonly opening?: string;
  readonly closing?: string;
}

/** Problems and balances that are kept of a file. */
export const KEPT_MAX = 100;
