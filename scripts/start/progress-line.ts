/** One line that is overwritten on a terminal; elsewhere a line every second. */
export interface ProgressLine {
  show(done: number, total: number, note: string): void;
  end(done: number, total: number, note: string): void;
}

const WIDTH = 30;
const PLAIN_EVERY_MS = 1_000;

export function createProgressLine(out: NodeJS.WriteStream): ProgressLine {
  let shownAt = Number.NEGATIVE_INFINITY;
  const text = (done: number, total: number, note: string) => {
    const share = total === 0 ? 1 : done / total;
    const bar = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.');
    return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)} %  ${done}/${total} settled, ${note}`;
  };
  return {
    show(done, total, note) {
      if (out.isTTY) return void out.write(`\r\x1b[2K${text(done, total, note)}`);
      if (performance.now() - shownAt < PLAIN_EVERY_MS) return;
      shownAt = performance.now();
      out.write(`${text(done, total, note)}\n`);
    },
    end(done, total, note) {
      out.write(`${out.isTTY ? '\r\x1b[2K' : ''}${text(done, total, note)}\n`);
    },
  };
}
