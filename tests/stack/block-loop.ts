// Preloaded with --import: SIGWINCH blocks the event loop for `BLOCK_MS`, as a long computation would.
process.on('SIGWINCH', () => {
  process.stdout.write('event loop blocked\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.env.BLOCK_MS));
});
