import { describe, expect, it } from 'vitest';
import type { OptionsPatch } from '../src/options.ts';
import { buildSettings } from '../src/settings.ts';
import { buildUsernames, userId } from '../src/usernames.ts';

const usernamesWith = (options: OptionsPatch = {}) => buildUsernames(buildSettings(options));

describe('the usernames', () => {
  it('spell a registered name as it was registered and any other in lower case', () => {
    const usernames = usernamesWith();
    usernames.register(['AliceTrades']);
    expect(usernames.canonical('alicetrades')).toBe('AliceTrades');
    expect(usernames.canonical('Bob.Smith-1_x')).toBe('bob.smith-1_x');
  });

  it('do not exist where the pattern says so, where they are marked, or where they are no names', () => {
    const usernames = usernamesWith();
    usernames.markMissing(['Nobody']);
    for (const name of ['ghost1', 'GHOST', 'nobody', '', 'two words', 'x'.repeat(65), 'ä']) {
      expect(usernames.canonical(name)).toBeNull();
    }
    expect(usernames.canonical('noghost')).toBe('noghost');
  });

  it('exist in a closed world only when registered', () => {
    const usernames = usernamesWith({ openWorld: false });
    usernames.register(['Ghost_Real']);
    expect([usernames.canonical('bob'), usernames.canonical('ghost_real')]).toEqual([null, 'Ghost_Real']);
  });

  it('come and go by registering and marking', () => {
    const usernames = usernamesWith();
    usernames.register(['Bob']);
    usernames.markMissing(['bob']);
    expect(usernames.canonical('bob')).toBeNull();
    expect(usernames.search('bo', 10)).not.toContain('Bob');
    usernames.register(['BOB']);
    expect(usernames.canonical('bob')).toBe('BOB');
  });

  it('are found by prefix, the exact one never first', () => {
    const usernames = usernamesWith();
    usernames.register(['Alice_2', 'alicia', 'Alice']);
    expect(usernames.search('ALICE', 10)).toEqual(['alice0', 'Alice_2', 'Alice']);
    expect(usernames.search('ghost', 10)).toEqual([]);
    expect(usernamesWith({ hintDecoys: false }).search('Bob', 10)).toEqual(['bob']);
  });

  it('keep the exact one among many', () => {
    const usernames = usernamesWith();
    usernames.register(Array.from({ length: 50 }, (_, i) => `bob${i}`));
    const found = usernames.search('bob', 10);
    expect(found).toHaveLength(10);
    expect(found).toContain('bob');
    expect(new Set(found).size).toBe(10);
  });

  it('have ids that do not depend on the case and hardly ever meet', () => {
    expect(userId('Bob')).toBe(userId('bob'));
    const ids = new Set(Array.from({ length: 100_000 }, (_, i) => userId(`user${i}`)));
    expect(ids.size).toBe(100_000);
    expect([...ids].every(Number.isSafeInteger)).toBe(true);
  });
});
