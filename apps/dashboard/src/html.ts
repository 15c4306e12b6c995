/** Markup that is safe to send. */
export interface Html {
  readonly markup: string;
}

/** The style of the dashboard's own pages. */
export const STYLE = `
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 82rem; padding: 0 1rem; color: #1c2733; background: #fbfcfd }
header { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: baseline; border-bottom: 1px solid #d5dde5; margin-bottom: 1rem; padding-bottom: .6rem }
h1 { font-size: 1.25rem; margin: 0 }
h2 { font-size: 1rem; margin: 1.6rem 0 .4rem }
nav { display: flex; gap: 1rem; margin-right: auto }
a { color: #14548c }
small, .note { color: #5a6875; font-size: .86em }
code { font-size: .86em; overflow-wrap: anywhere }
thead { background: #f1f4f7 }
td { vertical-align: top }
progress { width: 9rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #e4e9ee }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
.active, .ok { color: #12703c } .parked, .dead, .failed { color: #b3261e } .paused, .unknown, .rejected { color: #8a5a00 }
form.login { max-width: 24rem } input.reason { width: 7rem; margin: 0 .4rem 0 0; padding: .2rem .4rem }
form.login input { font: inherit; width: 100%; padding: .4rem; box-sizing: border-box; margin: .4rem 0 .8rem }
button { font: inherit; padding: .35rem .9rem; cursor: pointer }
.problem { color: #b3261e }
`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Template tag: text is escaped, `Html` and lists of it are not escaped twice. */
export function html(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[])[]
): Html {
  const parts = strings.map((text, index) => text + (index < values.length ? render(values[index] ?? '') : ''));
  return { markup: parts.join('') };
}

/** A whole page. */
export function page(title: string, body: Html): string {
  const whole = html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title} · Pinegate</title><style>${{ markup: STYLE }}</style></head><body>${body}</body></html>
`;
  return `<!doctype html>\n${whole.markup}`;
}

function render(value: string | number | Html | readonly Html[]): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
  return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('');
}
