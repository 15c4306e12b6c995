const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
// One Ctrl-C arrives twice, from the terminal and again from npm.
const REPEAT_MS = 500;

/**
 * Waits for a child and passes each signal on to it once. A child that is `detached` gets it from here only; any other has
 * Ctrl-C from the terminal already.
 * @param {import('node:child_process').ChildProcess} child
 * @param {{ detached?: boolean, repeatMs?: number }} [options] repeatMs: signals closer together than this are one
 * @returns {Promise<{ code: number }>} 128 + n for a child that ended by signal n, as shells do
 */
export function runToEnd(child, { detached = false, repeatMs = REPEAT_MS } = {}) {
  let last = Number.NEGATIVE_INFINITY;
  const pass = (/** @type {NodeJS.Signals} */ signal) => {
    const now = performance.now();
    if (now - last > repeatMs && (detached || signal !== 'SIGINT')) child.kill(signal);
    last = now;
  };
  for (const signal of SIGNALS) process.on(signal, pass);
  return new Promise((resolve, reject) => {
    const finish = () => {
      for (const signal of SIGNALS) process.off(signal, pass);
    };
    child.once('error', (error) => {
      finish();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      finish();
      resolve({ code: code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGKILL' ? 137 : 143) });
    });
  });
}
