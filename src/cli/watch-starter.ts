import { readFileSync } from 'node:fs';

const lookMs = 100;

/**
 * Tells when npm, which started this process, is gone: it dies of a SIGTERM, with or without the shell that it runs us by,
 * and passes nothing on. Only for what npm runs. Who starts kora by hand may go, and leave it to serve.
 */
export function watchStarter(onGone: () => void): void {
  const starter = starterNow();
  const watch = setInterval(() => {
    if (starterNow() === starter) return;
    clearInterval(watch);
    onGone();
  }, lookMs);
  watch.unref();
}

/** Our parent, and the parent of that where it is a shell. */
function starterNow(): string {
  const { ppid } = process;
  try {
    // "4711 (sh) S 4710 …": https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    const [, name = '', parent = ''] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${ppid}/stat`, 'utf8')) ?? [];
    return /^(?:ba|da|z)?sh$/.test(name) ? `${ppid} of ${parent}` : `${ppid}`;
  } catch {
    return `${ppid}`;
  }
}
