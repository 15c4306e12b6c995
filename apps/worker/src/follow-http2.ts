import type { Flags } from '@pinegate/flags';
import type { TradingView } from '@pinegate/tradingview';

/**
 * A client that speaks HTTP/2 or HTTP/1.1 as the flag says, from the next request on; requests under way end on the connections that they
 * have. @param open opens a client of either kind.
 */
export function followHttp2(open: (http2: boolean) => TradingView, flags: Flags): TradingView {
  let { http2 } = flags.values;
  let current = open(http2);
  const all = new Set([current]);

  flags.onChange((values) => {
    if (values.http2 === http2) return;
    http2 = values.http2;
    const old = current;
    current = open(http2);
    all.add(current);
    old
      .close()
      .catch(() => {})
      .finally(() => all.delete(old));
  });

  return {
    details: (...args) => current.details(...args),
    hint: (...args) => current.hint(...args),
    add: (...args) => current.add(...args),
    modify: (...args) => current.modify(...args),
    remove: (...args) => current.remove(...args),
    listUsersPage: (...args) => current.listUsersPage(...args),
    listUsers: (...args) => current.listUsers(...args),
    listAllUsers: (...args) => current.listAllUsers(...args),
    listScripts: (...args) => current.listScripts(...args),
    signIn: (...args) => current.signIn(...args),
    pool: () => current.pool(),
    close: async () => void (await Promise.all([...all].map((client) => client.close()))),
    destroy: async () => void (await Promise.all([...all].map((client) => client.destroy()))),
  };
}
