/** One horizontal bar. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Drawn in the colour of what the chart is about. */
  readonly own?: boolean;
  /** What there is to reach, as a line across the bar. */
  readonly target?: number;
}

/** A bar chart: bars of one unit from zero on. */
export interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 720;
const LEFT = 210;
const RIGHT = 110;
const TOP = 44;
const STEP = 34;
const THICK = 20;

/** The chart as an SVG document that can be read on a light and on a dark page. */
export function drawBars({ title, unit, bars }: BarChart): string {
  const height = TOP + bars.length * STEP + 10;
  const most = Math.max(...bars.flatMap(({ value, target = 0 }) => [value, target]));
  const length = (value: number) => Math.round((value / most) * (WIDTH - LEFT - RIGHT) * 10) / 10;
  const lines = bars.flatMap(({ label, value, own, target }, i) => {
    const y = TOP + i * STEP;
    const middle = y + THICK / 2 + 5;
    const across = target === undefined ? null : LEFT + length(target);
    return [
      `<text class="label" x="${LEFT - 12}" y="${middle}" text-anchor="end">${escapeText(label)}</text>`,
      `<rect class="${own ? 'own' : 'other'}" x="${LEFT}" y="${y}" width="${length(value)}" height="${THICK}" rx="3"/>`,
      across === null ? '' : `<path class="target" d="M${across} ${y - 4}V${y + THICK + 4}"/>`,
      `<text class="value" x="${LEFT + Math.max(length(value), (across ?? LEFT) - LEFT) + 10}" y="${middle}">${format(value)}</text>`,
    ];
  });
  const heading = `${escapeText(title)}, ${escapeText(unit)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${heading}">
<style>
text { font: 14px system-ui, sans-serif; fill: #57606a; }
.title { font-weight: 600; }
.own { fill: #1a7f64; }
.other { fill: #9aa4af; }
.target { stroke: #cf5b2b; stroke-width: 2; stroke-dasharray: 4 3; }
@media (prefers-color-scheme: dark) { text { fill: #b1bac4; } .own { fill: #2ea886; } .other { fill: #6e7681; } }
</style>
<text class="title" x="12" y="24">${heading}</text>
${lines.filter((line) => line !== '').join('\n')}
</svg>
`;
}

function format(value: number): string {
  return (value < 100 ? Math.round(value * 10) / 10 : Math.round(value)).toLocaleString('en');
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
