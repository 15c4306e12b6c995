import { ConfigError } from './config-error.ts';

/** Where a Redis is; one of three kinds of installation. */
export type RedisAddress = {
  readonly kind: 'single' | 'cluster' | 'sentinel';
  readonly tls: boolean;
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  /** Name of the master group; sentinel only. */
  readonly master: string | undefined;
  readonly sentinelPassword: string | undefined;
  /** Files in PEM: the authority of the server's certificate, and a certificate and key of the client's own. */
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
};

const FORM = 'redis://host:port, rediss://…, redis+cluster://h:p,h:p or redis+sentinel://h:p,h:p/name';
const URL_PATTERN = /^(rediss?)(?:\+(cluster|sentinel))?:\/\/(?:([^@/]*)@)?([^/?@]+)(?:\/([^?]*))?(?:\?(.*))?$/;
const DEFAULT_PORT = { single: 6379, cluster: 6379, sentinel: 26379 } as const;

/**
 * Parses `redis[s]://[user:password@]host[:port][/db]`, `redis[s]+cluster://…h:p,h:p` and
 * `redis[s]+sentinel://…h:p,h:p/name[/db][?sentinelPassword=…]`; with TLS also `?caFile=…&certFile=…&keyFile=…`. Throws ConfigError without the address in it.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const match = URL_PATTERN.exec(url.trim());
  if (match === null) throw new ConfigError([`A Redis address is none of ${FORM}.`]);
  const [, scheme, variant, credentials, hostList = '', path = '', query] = match;
  const kind = variant === 'cluster' || variant === 'sentinel' ? variant : 'single';
  const hosts = hostList.split(',').map((text) => parseHost(text, DEFAULT_PORT[kind]));
  if (kind === 'single' && hosts.length > 1) {
    throw new ConfigError([
      `A Redis address with several hosts must begin with redis+cluster:// or redis+sentinel://.`,
    ]);
  }
  const [master, dbText] = kind === 'sentinel' ? path.split('/') : [undefined, path];
  if (kind === 'sentinel' && !master) {
    throw new ConfigError(['A redis+sentinel:// address must end in /name, the name of the master group.']);
  }
  const db = Number(dbText || '0');
  if (!Number.isInteger(db) || db < 0 || (kind === 'cluster' && db !== 0)) {
    throw new ConfigError(['The database of a Redis address must be a number from 0, and 0 in a cluster.']);
  }
  const parameters = new URLSearchParams(query);
  return {
    kind,
    tls: scheme === 'rediss',
    hosts,
    ...parseCredentials(credentials),
    db,
    master: master === undefined ? undefined : decodeURIComponent(master),
    sentinelPassword: parameters.get('sentinelPassword') ?? undefined,
    caFile: parameters.get('caFile') ?? undefined,
    certFile: parameters.get('certFile') ?? undefined,
    keyFile: parameters.get('keyFile') ?? undefined,
  };
}

function parseHost(text: string, defaultPort: number): { host: string; port: number } {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text.trim());
  const port = Number(match?.[2] ?? defaultPort);
  if (match?.[1] === undefined || port < 1 || port > 65_535) {
    throw new ConfigError([`A host of a Redis address is not host:port; the forms are ${FORM}.`]);
  }
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
}

function parseCredentials(text: string | undefined) {
  if (text === undefined) return { username: undefined, password: undefined };
  const colon = text.indexOf(':');
  const username = decodeURIComponent(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? undefined : decodeURIComponent(text.slice(colon + 1));
  return { username: username || undefined, password: password || undefined };
}
