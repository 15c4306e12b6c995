import { StartProblem } from '../start/start-problem.ts';

/** The dashboard, seen by who has a key. */
export interface Dashboard {
  /** The overview as text; while the dashboard does not answer, a sentence that says so. Errors: `StartProblem` when the key is refused. */
  overview(): Promise<string>;
}

/** @param key an API key with any scope. */
export function buildDashboard(url: string, key: string): Dashboard {
  let cookie: string | null = null;

  async function logIn(): Promise<string> {
    const body = new URLSearchParams({ key });
    const answer = await fetch(`${url}/login`, { method: 'POST', body, redirect: 'manual' });
    if (answer.status === 303) return answer.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '';
    if (answer.status === 401) throw new StartProblem(`${url} does not know this key: set PINEGATE_ADMIN_KEY.`);
    throw new Error(`a login was answered ${answer.status}`);
  }

  return {
    async overview() {
      try {
        cookie ??= await logIn();
        const answer = await fetch(`${url}/overview.txt`, { headers: { cookie }, redirect: 'manual' });
        if (answer.ok) return await answer.text();
        cookie = null;
        return `${url} answered ${answer.status}\n`;
      } catch (error) {
        if (error instanceof StartProblem) throw error;
        return `${url} does not answer: is it up, and is DASHBOARD_URL right?\n`;
      }
    },
  };
}
