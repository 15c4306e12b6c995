import { isIP } from 'node:net';
import { z } from 'zod';

const NAMED = ['loopback', 'linklocal', 'uniquelocal'];

function isProxy(text: string): boolean {
  if (NAMED.includes(text)) return true;
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/**
 * TRUST_PROXY: the addresses and networks, separated by commas, of the proxies whose X-Forwarded-For and X-Forwarded-Proto are believed;
 * none by default. "All of them" cannot be said: then anybody could claim any address.
 */
export const trustedProxiesSchema = z
  .string()
  .default('')
  .transform((text) => text.split(',').map((part) => part.trim()))
  .transform((parts) => parts.filter((part) => part !== ''))
  .refine((parts) => parts.every(isProxy), {
    error: `must name the proxies: addresses and networks such as 10.0.0.0/8, or ${NAMED.join(', ')}, separated by commas.`,
  });
