import type { Latency } from './options.ts';
import type { Random } from './random.ts';

/** Draws the whole latency of one request in milliseconds. */
export function drawLatency(latency: Latency, random: Random): number {
  if ('fixed' in latency) return latency.fixed;
  if ('uniform' in latency) {
    const [low, high] = latency.uniform;
    return low + (high - low) * random();
  }
  const { median, sigma } = latency.lognormal;
  return median * Math.exp(sigma * normal(random));
}

function normal(random: Random): number {
  // 1 - u keeps the logarithm away from zero (Box-Muller).
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
