import { expect, it } from 'vitest';
import { NO_CONFIG } from './registry-config.ts';
import { checkServingOptions, drainTime, servedNames, servedOptions, tlsSettings } from './served-options.ts';

it('options come before the configuration, which comes before the defaults', () => {
  const config = { ...NO_CONFIG, listen: ['127.0.0.1:1'], names: ['a.lan'], tls: { tls: 'auto' } };
  expect(servedOptions({}, NO_CONFIG)).toEqual({ listen: [{ host: '127.0.0.1', port: 5000 }], tls: {} });
  expect(servedOptions({ listen: [], names: [] }, config)).toEqual({
    listen: [{ host: '127.0.0.1', port: 1, tls: true }],
    tls: { tls: 'auto' },
  });
  expect(servedOptions({ listen: [':2'] }, config)).toMatchObject({
    listen: [{ port: 2, tls: true }],
  });
  expect([servedNames({ names: ['b.lan'] }, config), servedNames({}, config)]).toEqual([['b.lan'], ['a.lan']]);
  expect(servedNames({}, NO_CONFIG)).toBe(servedNames({ names: [] }, NO_CONFIG));
});

it('who says which certificates there are replaces all that the configuration says of them', () => {
  const given = { tlsCertificate: '/c', tlsKey: '/k' };
  expect(tlsSettings({ tls: 'auto' }, given)).toEqual({ tls: 'auto' });
  expect(tlsSettings(given, { tls: 'auto', tlsNames: ['lan'] })).toEqual(given);
  expect(tlsSettings({ tls: 'auto' }, { tls: 'auto', tlsNames: ['lan'] })).toEqual({ tls: 'auto', tlsNames: ['lan'] });
  expect(tlsSettings({ tlsNames: ['b'] }, { tls: 'auto', tlsNames: ['a'] })).toEqual({ tls: 'auto', tlsNames: ['b'] });
  expect(tlsSettings({}, given)).toEqual(given);
});

it('what does not go together is refused', () => {
  const listen = ['https://127.0.0.1:1'];
  expect(() => servedOptions({}, { ...NO_CONFIG, listen })).toThrow('there is no certificate for');
  expect(() => servedOptions({ tlsKey: 'k' }, NO_CONFIG)).toThrow('a certificate and its key are needed');
  expect(() => checkServingOptions({ listen: ['nonsense'] })).toThrow('not an address to listen on');
  expect(() => checkServingOptions({ auth: 'users' })).toThrow('not a way to log in');
});

it('how long requests may take at the end is said by the option, else by the configuration', () => {
  expect(drainTime({}, NO_CONFIG)).toBeUndefined();
  expect(drainTime({}, { ...NO_CONFIG, drain: 5 })).toBe(5);
  expect(drainTime({ drain: '1m' }, { ...NO_CONFIG, drain: 5 })).toBe(60_000);
  expect(() => checkServingOptions({ drain: 'long' })).toThrow('not an age [--drain=long]');
});
