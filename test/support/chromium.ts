import { existsSync } from 'node:fs';

/** The browser that tests run in: Debian's, unless CHROMIUM names another. */
export const chromiumPath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Undefined: there is one. Otherwise what to do about it. */
export const chromiumMissing = existsSync(chromiumPath)
  ? undefined
  : `skipped: there is no ${chromiumPath} (ops/dev/debian.sh installs it; CHROMIUM names another)`;
