import { FLAG_DEFAULTS, type FlagName } from '@pinegate/flags';
import { z } from 'zod';
import { named } from './schema-parts.ts';
import { reason } from './schemas.ts';

const MEANING: Readonly<Record<FlagName, string>> = {
  acceptRevokes: 'off: a revoke is refused with 503 `revokes_off`, in a batch as a rejected row',
  acceptBulk: 'off: a batch of more than 50 rows is refused with 503 `bulk_off`',
  verifyEveryWrite:
    'on: every write that was applied is read again after VERIFY_DELAY_MS, and repeated where it did not last',
  http2: 'off: workers speak HTTP/1.1 with TradingView',
};

const flag = (name: FlagName) => z.boolean().describe(`${MEANING[name]}. Default ${FLAG_DEFAULTS[name]}`);

export const flags = named(
  'Flags',
  z.object({
    acceptRevokes: flag('acceptRevokes'),
    acceptBulk: flag('acceptBulk'),
    verifyEveryWrite: flag('verifyEveryWrite'),
    http2: flag('http2'),
  }),
);

export const flagsBody = named('FlagsChange', z.strictObject({ ...flags.partial().shape, reason }));
