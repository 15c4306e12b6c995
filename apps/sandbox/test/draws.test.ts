import { describe, expect, it } from 'vitest';
import { buildFaults } from '../src/faults.ts';
import { drawLatency } from '../src/latency.ts';
import { optionsSchema } from '../src/options.ts';
import { buildRandom } from '../src/random.ts';

const draws = (seed: string, draw: (random: () => number) => number, count = 10_000) => {
  const random = buildRandom(seed);
  return Array.from({ length: count }, () => draw(random));
};

describe('random numbers', () => {
  it('are the same for a seed, different for another, and evenly spread', () => {
    const numbers = draws('x', (random) => random());
    expect(draws('x', (random) => random())).toEqual(numbers);
    expect(draws('y', (random) => random())).not.toEqual(numbers);
    for (let tenth = 0; tenth < 10; tenth++) {
      const count = numbers.filter((number) => Math.floor(number * 10) === tenth).length;
      expect(count).toBeGreaterThan(850);
      expect(count).toBeLessThan(1150);
    }
  });
});

describe('latency', () => {
  it('is fixed, uniform between its bounds, or lognormal around its median', () => {
    expect(drawLatency({ fixed: 25 }, buildRandom('x'))).toBe(25);
    const uniform = draws('x', (random) => drawLatency({ uniform: [10, 20] }, random)).sort((a, b) => a - b);
    expect(uniform[0]).toBeGreaterThanOrEqual(10);
    expect(uniform.at(-1)).toBeLessThan(20);
    expect(uniform[5000]).toBeCloseTo(15, 0);
    const lognormal = draws('x', (random) => drawLatency({ lognormal: { median: 100, sigma: 0.5 } }, random)).sort(
      (a, b) => a - b,
    );
    expect(lognormal[5000]).toBeGreaterThan(95);
    expect(lognormal[5000]).toBeLessThan(105);
    // One sigma above the median: e^0.5.
    expect(lognormal[8413]).toBeGreaterThan(155);
    expect(lognormal[8413]).toBeLessThan(175);
  });
});

describe('faults', () => {
  it('come at their rates, one at most, and not at all by default', () => {
    const options = optionsSchema.parse({ faults: { hang: 0.1, resetAfter: 0.2 } });
    const faults = buildFaults(buildRandom('x'));
    const chosen = Array.from({ length: 10_000 }, () => faults.choose(options, 'add', 'bob'));
    expect(chosen.filter((fault) => fault === 'hang').length / 10_000).toBeCloseTo(0.1, 1);
    expect(chosen.filter((fault) => fault === 'resetAfter').length / 10_000).toBeCloseTo(0.2, 1);
    expect(chosen.filter((fault) => fault === null).length / 10_000).toBeCloseTo(0.7, 1);
    expect(faults.choose(optionsSchema.parse({}), 'add', 'bob')).toBeNull();
  });

  it('have their own rates for an endpoint', () => {
    const options = optionsSchema.parse({ faults: { hang: 1 }, faultsByEndpoint: { add: { hang: 0, challenge: 1 } } });
    const faults = buildFaults(buildRandom('x'));
    expect(faults.choose(options, 'add', null)).toBe('challenge');
    expect(faults.choose(options, 'remove', null)).toBe('hang');
  });

  it('that are planned come first, as often and where they were planned', () => {
    const faults = buildFaults(buildRandom('x'));
    const options = optionsSchema.parse({});
    faults.plan({ fault: 'cutClose', endpoint: 'add', username: 'Bob', count: 2 });
    faults.plan({ fault: 'drip' });
    const chosen = [
      faults.choose(options, 'add', 'bob'),
      faults.choose(options, 'add', 'carol'),
      faults.choose(options, 'remove', 'bob'),
      faults.choose(options, 'add', 'BOB'),
      faults.choose(options, 'add', 'bob'),
    ];
    expect(chosen).toEqual(['cutClose', 'drip', null, 'cutClose', null]);
  });
});
