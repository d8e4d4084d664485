// How clients of a registry that runs are known: by users and passwords if its configuration or `--auth` names a file of them, else by their addresses.

import type { Neighbours } from '../../access/asker-address.ts';
import type { AccessControl } from '../../access/contract.ts';
import type { MayDo } from '../../access/permitted.ts';
import type { MachineTokens } from '../../access/tokens.ts';
import { withoutLogin } from '../../access/without-login.ts';
import { ownIdentity } from '../../io/concurrency/process-identity.ts';
import { inOneLine } from './in-one-line.ts';
import { recordedTokens } from './machine-tokens.ts';
import { issuerOf, tokenKey } from './token-key.ts';

/** In milliseconds. */
const TRIED_AGAIN_AFTER = 60_000;

export interface ServedAccessOptions {
  readonly data: string;
  /** The file of users; absent where nobody logs in. */
  readonly htpasswd: string | undefined;
  readonly mayDo: MayDo;
  readonly neighbours: Neighbours;
  /** The secret by which the owner is known; absent where none is kept. */
  readonly ownerSecret?: string | undefined;
  readonly onNotice: ((text: string) => void) | undefined;
}

/** Errors: CONFIG_INVALID (the file of users, the key of tokens), FILE_UNREADABLE (the file of users), NO_ACCESS, NO_SPACE (the key of tokens). */
export async function servedAccess({
  data,
  htpasswd,
  mayDo,
  neighbours,
  ownerSecret,
  onNotice,
}: ServedAccessOptions): Promise<AccessControl & Disposable> {
  const machineTokens = recordedTokens(data, onNotice);
  const owner = ownerSecret === undefined ? undefined : { secret: ownerSecret, registry: ownIdentity() };
  const withLogin = async () => {
    const { createAccessControl } = await import('../../access/login-control.ts');
    const key = await tokenKey(data);
    return await createAccessControl({
      mayDo,
      key,
      issuer: issuerOf(key),
      neighbours,
      machineTokens,
      ...(owner && { owner }),
      ...(htpasswd !== undefined && { htpasswd: { file: htpasswd } }),
      ...(onNotice && { onNotice }),
    });
  };
  if (htpasswd !== undefined || machineTokens.any()) return await withLogin();
  return loginOnceNeeded({ plain: withoutLogin(mayDo, neighbours, owner), machineTokens, withLogin, onNotice });
}

interface LoginOnceNeeded extends Pick<ServedAccessOptions, 'onNotice'> {
  readonly plain: AccessControl;
  readonly machineTokens: Required<MachineTokens>;
  readonly withLogin: () => Promise<AccessControl & Disposable>;
}

/** Until there is a token of a machine nobody can log in, and nothing is loaded for it. Tokens may be made while the registry runs. */
function loginOnceNeeded({ plain, machineTokens, withLogin, onNotice }: LoginOnceNeeded): AccessControl & Disposable {
  let control: AccessControl = plain;
  let loading: Promise<AccessControl & Disposable> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;
  /** If tokens cannot be taken, who has one is nobody, and pulls what everybody may. */
  const load = async (): Promise<AccessControl> => {
    loading ??= withLogin();
    try {
      control = await loading;
    } catch (error) {
      loading = undefined;
      failedAt = performance.now();
      onNotice?.(`tokens of machines are not taken: ${inOneLine(error)}`);
    }
    return control;
  };
  const isNeeded = () => control === plain && machineTokens.any() && performance.now() - failedAt > TRIED_AGAIN_AFTER;
  return {
    mayDo: plain.mayDo,
    identify: (head) => (isNeeded() ? load().then((loaded) => loaded.identify(head)) : control.identify(head)),
    unknown: (head) => control.unknown?.(head) ?? { address: head.address },
    hasToLogIn: (asker) => control.hasToLogIn(asker),
    challenge: (head, scope) => control.challenge(head, scope),
    endpoint: (head, body) => control.endpoint?.(head, body),
    [Symbol.dispose]: () =>
      void loading?.then(
        (loaded) => loaded[Symbol.dispose](),
        () => undefined,
      ),
  };
}
