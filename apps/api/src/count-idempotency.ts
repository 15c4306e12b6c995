import type { Directory } from '@pinegate/ledger';
import type { ApiMetrics } from './api-metrics.ts';

type Idempotency = Directory['idempotency'];

/** The same, with every beginning counted by its verdict. */
export function countIdempotency(idempotency: Idempotency, { idempotentRequests }: ApiMetrics): Idempotency {
  return {
    ...idempotency,
    async begin(...request) {
      const begun = await idempotency.begin(...request);
      idempotentRequests.inc({ verdict: begun.verdict });
      return begun;
    },
  };
}
