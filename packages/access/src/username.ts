const USERNAME = /^[A-Za-z0-9_.-]{1,64}$/;

// Zero-width characters, byte order and direction marks come along when a name is copied from a page.
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
const PROFILE = /^(?:(?:https?:)?\/\/)?(?:[a-z0-9-]+\.)?tradingview\.com\/u\/([^/?#]*)(?:[/?#]|$)/i;

const LONGEST_INPUT = 2_048;

/**
 * The username in what a buyer pasted: `name`, `@name` or a profile address such as
 * `https://de.tradingview.com/u/name/#published-scripts`, amid spaces and invisible characters.
 * Letters keep their case. Cleaning a cleaned name changes nothing.
 * @returns null when what is left is not `^[A-Za-z0-9_.-]{1,64}$`.
 */
export function cleanUsername(text: string): string | null {
  if (USERNAME.test(text)) return text;
  if (text.length > LONGEST_INPUT) return null;
  const visible = text.replace(INVISIBLE, '').trim();
  const name = PROFILE.exec(visible)?.[1] ?? (visible.startsWith('@') ? visible.slice(1) : visible);
  return USERNAME.test(name) ? name : null;
}
