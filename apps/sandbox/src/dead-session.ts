import { type Answer, html, json } from './exchange.ts';
import type { DeadSessionForm } from './options.ts';

const NO_CREDENTIALS = { detail: 'Authentication credentials were not provided.' };

/** What a call without a living session gets, in one of the forms seen. */
export function deadSessionAnswer(form: DeadSessionForm): Answer {
  switch (form) {
    case 'unauthorized':
      return json(401, NO_CREDENTIALS);
    case 'login_required':
      return json(403, { code: 'login_required', detail: 'You have to log in.' });
    case 'detail':
      return json(403, NO_CREDENTIALS);
    case 'redirect':
      return html(302, 'Found', 'The document has moved.', { location: '/accounts/signin/' });
    case 'html':
      return html(200, 'Sign in', 'Sign in to continue.');
  }
}
