// Parts of a registry that runs, replaced without ending what is under way: how its clients are known, and its certificates.
import type { AccessControl } from '../../access/contract.ts';
import { openHtpasswdFile } from '../../access/htpasswd-file.ts';
import type { KeyAndCertificate, TlsContexts } from '../../certificates/contract.ts';
import { type ServedAccessOptions, servedAccess } from './served-access.ts';
import { isTlsWanted, type ServedTls, servedTls, type TlsOptions } from './served-tls.ts';

/** What is ready to be used, or to be thrown away because something else is wrong. */
export interface PreparedPart {
  use(): void | Promise<void>;
  discard(): void;
}

export interface Renewing<Next> extends Disposable {
  /** Errors: those with which it would not have started. Nothing has changed then. */
  prepare(next: Next): Promise<PreparedPart>;
}

/** In milliseconds: who is being identified by the part of before may take so long. */
const STAYS_MS = 60_000;

/** Errors: as `servedAccess`. */
export async function renewedAccess(
  options: ServedAccessOptions,
): Promise<AccessControl & Renewing<string | undefined>> {
  let { htpasswd } = options;
  let control = await servedAccess(options);
  return {
    mayDo: options.mayDo,
    identify: (head) => control.identify(head),
    unknown: (head) => control.unknown?.(head) ?? { address: head.address },
    hasToLogIn: (asker) => control.hasToLogIn(asker),
    challenge: (head, scope) => control.challenge(head, scope),
    endpoint: (head, body) => control.endpoint?.(head, body),
    prepare: async (next) => {
      if (next === htpasswd) {
        // What is wrong with the file is told before anything changes.
        if (next !== undefined) await openHtpasswdFile({ file: next, now: Date.now });
        return { use: () => control.refresh?.(), discard: () => undefined };
      }
      const made = await servedAccess({ ...options, htpasswd: next });
      return {
        use: () => {
          const before = control;
          [control, htpasswd] = [made, next];
          setTimeout(() => before[Symbol.dispose](), STAYS_MS).unref();
        },
        discard: () => made[Symbol.dispose](),
      };
    },
    [Symbol.dispose]: () => control[Symbol.dispose](),
  };
}

/** `undefined` where HTTPS is not wanted. Errors: as `servedTls`. */
export async function renewedTls(options: ServedTls): Promise<(TlsContexts & Renewing<TlsOptions>) | undefined> {
  const { data, names, onNotice, ...first } = options;
  const made = await servedTls(options);
  if (!made) return undefined;
  let said: TlsOptions = first;
  let contexts = made;
  const listeners = new Set<(next: KeyAndCertificate) => void>();
  const passOn = (from: TlsContexts) =>
    from.onChange((pair) => {
      if (contexts === from) for (const listener of listeners) listener(pair);
    });
  passOn(contexts);
  return {
    current: () => contexts.current(),
    onChange: (listener) => void listeners.add(listener),
    contextFor: (name) => contexts.contextFor(name),
    refresh: () => contexts.refresh(),
    prepare: async (next) => {
      if (!isTlsWanted(next)) return { use: () => undefined, discard: () => undefined };
      if (JSON.stringify(next) === JSON.stringify(said)) {
        await checkGiven(next);
        return { use: () => contexts.refresh(), discard: () => undefined };
      }
      const other = await servedTls({ ...next, data, names, onNotice });
      if (!other) throw new Error('there are no certificates');
      return {
        use: () => {
          contexts[Symbol.dispose]();
          [contexts, said] = [other, next];
          passOn(other);
          for (const listener of listeners) listener(other.current());
        },
        discard: () => other[Symbol.dispose](),
      };
    },
    [Symbol.dispose]: () => contexts[Symbol.dispose](),
  };
}

/** Errors: CONFIG_INVALID, FILE_UNREADABLE. */
async function checkGiven({ tlsCertificate, tlsKey }: TlsOptions): Promise<void> {
  if (tlsCertificate === undefined || tlsKey === undefined) return;
  const { readGiven } = await import('../../certificates/given.ts');
  await readGiven({ certificate: tlsCertificate, key: tlsKey });
}
