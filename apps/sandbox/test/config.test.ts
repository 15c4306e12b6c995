import { describe, expect, it } from 'vitest';
import { parseConfig } from '../src/config.ts';
import { buildSettings } from '../src/settings.ts';

describe('the configuration', () => {
  it('has a default for everything, and a fresh seed', () => {
    expect(parseConfig({ SANDBOX_PORT: '' })).toMatchObject({
      host: '127.0.0.1',
      port: 5100,
      tlsPort: 5101,
      certFile: null,
    });
    expect(parseConfig({}).seed).not.toBe(parseConfig({}).seed);
  });

  it('names every mistake at once', () => {
    const parse = () => parseConfig({ SANDBOX_PORT: 'x', SANDBOX_TLS_PORT: '70000' });
    expect(parse).toThrow(/SANDBOX_PORT[\s\S]*SANDBOX_TLS_PORT/);
    expect(parse).toThrow(expect.objectContaining({ code: 'invalid_config' }));
  });
});

describe('the options', () => {
  it('change one by one, and a nested value is replaced whole', () => {
    const settings = buildSettings({ latency: { fixed: 5 }, faults: { hang: 0.5 } });
    settings.configure({ faults: { drip: 0.1 } });
    expect(settings.current).toMatchObject({ latency: { fixed: 5 }, modifyNonMember: '422' });
    expect(settings.current.faults).toEqual({ drip: 0.1 });
    settings.reset();
    expect(settings.current.faults).toEqual({ hang: 0.5 });
  });

  it.each([
    { unknown: 1 },
    { latency: { fixed: -1 } },
    { latency: { fixed: 1, uniform: [1, 2] } },
    { latency: { uniform: [2, 1] } },
    { faults: { explode: 1 } },
    { faults: { hang: 0.7, drip: 0.7 } },
    { limit: { perSecond: 0 } },
    { unknownPattern: '(' },
    null,
    [],
  ])('refuse %j and stay as they were', (patch) => {
    const settings = buildSettings();
    const before = settings.current;
    expect(() => settings.configure(patch)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    expect(settings.current).toBe(before);
  });
});
