// @ts-nocheck: it runs in the browser, whose types are not those of this program.
// Shows the overview anew every two seconds, unless somebody is filling in a form of it.
const EVERY_MS = 2_000;

function isBeingFilledIn(shown) {
  const inputs = [...shown.querySelectorAll('input:not([type=hidden])')];
  return inputs.some((input) => input === document.activeElement || input.value !== '');
}

async function renew() {
  const shown = document.getElementById('live');
  if (!shown || document.hidden || isBeingFilledIn(shown)) return;
  const answer = await fetch('/', { headers: { accept: 'text/html' } });
  if (answer.redirected) return void location.assign(answer.url);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const fresh = page.getElementById('live');
  // Somebody may have begun while the answer was on its way.
  if (fresh && !isBeingFilledIn(shown)) shown.replaceChildren(...fresh.childNodes);
}

setInterval(() => renew().catch(() => {}), EVERY_MS);
