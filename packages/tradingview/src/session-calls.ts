import { detailsAnswer, hintAnswer, listScriptsAnswer } from './answer-schemas.ts';
import type { PerformCall } from './build-call.ts';
import type { Requests } from './build-requests.ts';
import { answerReader } from './classify-answer.ts';
import { encodeField, encodeSignIn } from './form-body.ts';
import { readSignIn } from './sign-in.ts';
import { TradingViewError } from './trading-view-error.ts';
import type { SessionCheck, TradingView } from './tradingview.ts';

const readDetails = answerReader('details', detailsAnswer);
const readHint = answerReader('hint', hintAnswer);
const readScripts = answerReader('list_scripts', listScriptsAnswer);

/** The calls about a login, a user's name and an author's scripts. */
export function buildSessionCalls(
  requests: Requests,
  perform: PerformCall,
): Pick<TradingView, 'details' | 'hint' | 'listScripts' | 'signIn'> {
  return {
    async details(session, options) {
      try {
        await perform(requests.withSession('details', session, '/tvcoins/details/', null, options), readDetails);
        return { alive: true };
      } catch (error) {
        const dead = error instanceof TradingViewError ? deadSession(error) : null;
        if (dead === null) throw error;
        return dead;
      }
    },
    async hint(username, options) {
      const path = `/username_hint/?s=${encodeField(username)}`;
      const rows = await perform(requests.withoutSession('hint', path, null, options), readHint);
      const wanted = username.toLowerCase();
      return rows.find((row) => row.username.toLowerCase() === wanted)?.username ?? null;
    },
    async listScripts(session, options) {
      const request = requests.withSession('list_scripts', session, '/pine_perm/list_scripts/', null, options);
      return await perform(request, readScripts);
    },
    async signIn(username, password, options) {
      const body = encodeSignIn(username, password);
      return await perform(requests.withoutSession('signin', '/accounts/signin/', body, options), readSignIn);
    },
  };
}

function deadSession({ form, status, reason }: TradingViewError): SessionCheck | null {
  if (form !== null) return { alive: false, form };
  return status === 200 && reason === 'html' ? { alive: false, form: 'page' } : null;
}
