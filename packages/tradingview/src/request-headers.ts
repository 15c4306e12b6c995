import type { Session } from './session.ts';

/** The site's own origin: sent whatever the base URL is, as the endpoints check it. */
export const SITE_ORIGIN = 'https://www.tradingview.com';

const DEFAULT_USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36';

// RFC 6265 cookie-octet: anything else would end the cookie early or smuggle in another header.
const COOKIE_VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/;

/** Header blocks as undici's flat [name, value, …] lists. */
export type RequestHeaders = {
  /** Headers of a call without cookies. */
  readonly anonymousGet: string[];
  readonly anonymousPost: string[];
  /** Headers with cookies, or null where a cookie holds characters that no Cookie header can carry. */
  forSession(session: Session): SessionHeaders | null;
};

type SessionHeaders = { readonly get: string[]; readonly post: string[] };

/** Builds every header block once: per client the fixed part, per session object the part with its cookies. */
export function buildRequestHeaders(userAgent: string = DEFAULT_USER_AGENT): RequestHeaders {
  const anonymousGet = [
    'origin',
    SITE_ORIGIN,
    'referer',
    SITE_ORIGIN,
    'x-requested-with',
    'XMLHttpRequest',
    'user-agent',
    userAgent,
  ];
  const form = ['content-type', 'application/x-www-form-urlencoded'];
  const anonymousPost = [...anonymousGet, ...form];
  const bySession = new WeakMap<Session, SessionHeaders>();

  function forSession(session: Session): SessionHeaders | null {
    const known = bySession.get(session);
    if (known !== undefined) return known;
    const cookie = cookieHeader(session);
    if (cookie === null) return null;
    const get = [...anonymousGet, 'cookie', cookie];
    const headers = { get, post: [...get, ...form] };
    bySession.set(session, headers);
    return headers;
  }

  return { anonymousGet, anonymousPost, forSession };
}

function cookieHeader({ sessionid, sessionidSign }: Session): string | null {
  if (!COOKIE_VALUE.test(sessionid)) return null;
  if (sessionidSign == null || sessionidSign === '') return `sessionid=${sessionid}`;
  return COOKIE_VALUE.test(sessionidSign) ? `sessionid=${sessionid}; sessionid_sign=${sessionidSign}` : null;
}
