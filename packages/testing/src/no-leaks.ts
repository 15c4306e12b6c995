import { setTimeout as delay } from 'node:timers/promises';
import { afterAll } from 'vitest';

// Registered before the file's own hooks, so it runs after them.
afterAll(async () => {
  let open = openHandles();
  // A socket that was destroyed a moment ago is gone some ticks later.
  for (let look = 0; open.length > 0 && look < 50; look += 1) {
    await delay(20);
    open = openHandles();
  }
  if (open.length > 0) throw new Error(`this file left open: ${open.join(', ')}`);
});

function openHandles(): string[] {
  const kinds = ['TCPSocketWrap', 'TCPServerWrap', 'ProcessWrap'];
  return process.getActiveResourcesInfo().filter((kind) => kinds.includes(kind));
}
