import { type Browser, chromium, type Page } from 'playwright-core';
import { startDashboard } from '../stack/start-dashboard.ts';
import { type Stack, startStack } from '../stack/start-stack.ts';

/** On a busy machine a browser needs its time. */
const WAIT_MS = 100_000;

/** A stack with a dashboard, and a browser in front of it. */
export interface BrowserStack {
  readonly stack: Stack;
  readonly url: string;
  /** A fresh browser profile, on the login page. */
  open(): Promise<Page>;
  /** Fills in the login form. */
  logIn(page: Page, key: string): Promise<void>;
  /** A key with this scope, made over the API. */
  keyWith(scope: 'read' | 'admin'): Promise<string>;
  stop(): Promise<void>;
}

/** Starts everything; the accounts are those of `startStack`. */
export async function openBrowserStack(
  executablePath: string,
  options: Parameters<typeof startStack>[0],
): Promise<BrowserStack> {
  const secretKey = Buffer.from(Array.from({ length: 32 }, (_, i) => (i * 37 + 11) % 256)).toString('base64');
  const stack = await startStack({ ...options, env: { ...options.env, PINEGATE_SECRET_KEY: secretKey } });
  const closers: (() => Promise<unknown>)[] = [() => stack.stop()];
  const stop = async () => {
    for (const close of closers.reverse()) await close();
  };
  try {
    const { url, process: dashboard } = await startDashboard(stack, secretKey);
    closers.push(() => dashboard.stop());
    const browser: Browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu'],
      timeout: WAIT_MS,
    });
    closers.push(() => browser.close());
    return {
      stack,
      url,
      async open() {
        const context = await browser.newContext({ viewport: { width: 1_360, height: 860 } });
        context.setDefaultTimeout(WAIT_MS);
        const page = await context.newPage();
        await page.goto(url);
        return page;
      },
      async logIn(page, key) {
        await page.getByLabel('API key').fill(key);
        await page.getByRole('button', { name: 'Log in' }).click();
      },
      async keyWith(scope) {
        const { body } = await stack.call('POST', '/v1/keys', { body: { name: `a ${scope} key`, scopes: [scope] } });
        return body.key;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
