import { type Call, enterCall } from './call.ts';
import { perform } from './endpoints.ts';
import type { Exchange } from './exchange.ts';
import { failAfter, failBefore, send, throttled } from './failures.ts';
import { parseForm } from './form.ts';
import { drawLatency } from './latency.ts';
import type { Endpoint, Fault } from './options.ts';
import type { Parts } from './parts.ts';

const LONGEST_BODY = 65_536;

/** Serves one request to TradingView's stand-in, whatever is to become of it. */
export async function serveUpstream(exchange: Exchange, endpoint: Endpoint, parts: Parts): Promise<void> {
  const body = await exchange.readBody(LONGEST_BODY);
  if (body === null) return exchange.reset();
  const call = enterCall(exchange, endpoint, parseForm(exchange.headers['content-type'], body), parts);
  if (!admit(call, parts)) return;
  const fault = chooseFault(call, parts);
  const { latency } = parts.settings.current;
  const delay = drawLatency(latency, parts.random);
  if (delay > 0) await parts.timers.pause(delay / 2);
  if (fault && failBefore(fault, call, parts)) return;
  const answer = perform(call, parts);
  if (delay > 0) await parts.timers.pause(delay / 2);
  if (!fault || !failAfter(fault, answer, call, parts)) send(call, answer);
}

/** Takes the request's place under the limits, or answers 429. */
function admit(call: Call, parts: Parts): boolean {
  const { current } = parts.settings;
  const { verdict, release } = parts.limits.take(current, call.accountId, call.endpoint, call.arrivedAt);
  if (verdict.passed) {
    call.holds(release);
    return true;
  }
  send(call, throttled(current.retryAfter, verdict.retryAfterMs));
  return false;
}

function chooseFault(call: Call, parts: Parts): Fault | null {
  const { endpoint, accountId, form } = call;
  const fault = parts.faults.choose(parts.settings.current, endpoint, form?.username_recip ?? form?.username ?? null);
  if (fault) {
    parts.counters.fault(fault);
    parts.events.emit({ kind: 'fault', endpoint, account: accountId, fault });
  }
  return fault;
}
