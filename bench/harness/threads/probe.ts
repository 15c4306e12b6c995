import { Agent, get } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

// Asks for one address again and again, on time whether answers come or not; a word ends it, and it tells how long each answer took.
const { url, everyMs } = workerData as { readonly url: string; readonly everyMs: number };
const agent = new Agent({ keepAlive: true });
const took: number[] = [];
let next = performance.now();
const timer = setInterval(() => {
  for (; next <= performance.now(); next += everyMs) ask(next);
}, 1);

function ask(dueAt: number): void {
  const failed = () => took.push(Number.POSITIVE_INFINITY);
  get(url, { agent }, (answer) => {
    answer.resume().once('end', () => took.push(performance.now() - dueAt));
  }).once('error', failed);
}

parentPort?.once('message', () => {
  clearInterval(timer);
  agent.destroy();
  parentPort?.postMessage(took);
});
