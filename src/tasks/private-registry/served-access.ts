// How clients of a registry that runs are known: by users and passwords if its configuration or `--auth` names a file of them, else by their addresses.
import type { AccessControl } from '../../access/contract.ts';
import type { MayDo } from '../../access/permitted.ts';
import type { MachineTokens } from '../../access/tokens.ts';
import { withoutLogin } from '../../access/without-login.ts';
import { issuerOf, recordedTokens, tokenKey } from './machine-tokens.ts';
import { isThisMachine } from './serving-access.ts';

export interface ServedAccessOptions {
  readonly data: string;
  /** The file of users; absent where nobody logs in. */
  readonly htpasswd: string | undefined;
  readonly mayDo: MayDo;
  readonly onNotice: ((text: string) => void) | undefined;
}

/** Errors: CONFIG_INVALID, FILE_UNREADABLE (the file of users), NO_ACCESS, NO_SPACE (the key of tokens). */
export async function servedAccess({
  data,
  htpasswd,
  mayDo,
  onNotice,
}: ServedAccessOptions): Promise<AccessControl & Disposable> {
  const machineTokens = recordedTokens(data);
  const withLogin = async () => {
    const { createAccessControl } = await import('../../access/login-control.ts');
    const key = await tokenKey(data);
    return await createAccessControl({
      mayDo,
      key,
      issuer: issuerOf(key),
      isLocal: isThisMachine,
      machineTokens,
      ...(htpasswd !== undefined && { htpasswd: { file: htpasswd } }),
      ...(onNotice && { onNotice }),
    });
  };
  return htpasswd === undefined ? loginOnceNeeded(mayDo, machineTokens, withLogin) : await withLogin();
}

/** Until there is a token of a machine nobody can log in, and nothing is loaded for it. Tokens may be made while the registry runs. */
function loginOnceNeeded(
  mayDo: MayDo,
  machineTokens: Required<MachineTokens>,
  withLogin: () => Promise<AccessControl & Disposable>,
): AccessControl & Disposable {
  const plain = withoutLogin(mayDo, isThisMachine);
  let control: AccessControl = plain;
  let loading: Promise<AccessControl & Disposable> | undefined;
  const load = async (): Promise<AccessControl> => {
    loading ??= withLogin();
    try {
      control = await loading;
    } catch (error) {
      loading = undefined;
      throw error;
    }
    return control;
  };
  return {
    mayDo,
    identify: (head) =>
      control === plain && machineTokens.any()
        ? load().then((loaded) => loaded.identify(head))
        : control.identify(head),
    unknown: (head) => control.unknown?.(head) ?? { address: head.address },
    hasToLogIn: (asker) => control.hasToLogIn(asker),
    challenge: (head, scope) => control.challenge(head, scope),
    endpoint: (head, body) => control.endpoint?.(head, body),
    [Symbol.dispose]: () => void loading?.then((loaded) => loaded[Symbol.dispose]()),
  };
}
