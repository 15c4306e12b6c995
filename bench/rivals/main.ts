import { openBatcher, openLoop, openSequential } from './client-loops.ts';
import { openJobPerOperation } from './job-per-operation.ts';
import type { Rival, RivalSetup, RivalTask } from './rival.ts';
import { openTypedClient } from './typed-client.ts';

/** A rival's process: its setup is the first message, each later one is a run and is answered with what came of it. */
const RIVALS: Readonly<Record<string, (setup: RivalSetup) => Rival>> = {
  loop: openLoop,
  sequential: openSequential,
  batcher: openBatcher,
  jobs: (setup) => openJobPerOperation(setup, false),
  'jobs-ledger': (setup) => openJobPerOperation(setup, true),
  http2: (setup) => openTypedClient(setup, true),
  http1: (setup) => openTypedClient(setup, false),
};

let rival: Rival | undefined;

process.on('message', async (message: RivalSetup | RivalTask) => {
  if ('rival' in message) {
    rival = RIVALS[message.rival]?.(message);
    process.send?.({ ready: rival !== undefined });
  } else if (rival) process.send?.(await rival.run(message));
});

process.once('disconnect', async () => {
  await rival?.close();
  process.exit(0);
});
