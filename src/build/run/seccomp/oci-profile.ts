// The list of system calls in the format of OCI runtimes (runtime-spec, config-linux.md, "Seccomp"). The numbers come from libseccomp.
import { ALLOWED, CONDITIONS, REFUSED } from './list.ts';

const EPERM = 1;
const ENOSYS = 38;

/** By Node's names. On other machines only the runtime's own architecture is covered. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

/** The value of `linux.seccomp`. `pretended` are calls that do nothing and report success. */
export function ociProfile(architecture: string, pretended: readonly string[] = []): object {
  const names = (purposes: typeof ALLOWED) =>
    purposes.flatMap(({ calls }) => calls.filter((call) => !pretended.includes(call)));
  const architectures = Object.hasOwn(ARCHITECTURES, architecture) ? ARCHITECTURES[architecture] : undefined;
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ENOSYS,
    ...(architectures && { architectures }),
    syscalls: [
      { names: names(ALLOWED), action: 'SCMP_ACT_ALLOW' },
      { names: names(REFUSED), action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      ...CONDITIONS.flatMap(({ calls, whenever }) =>
        whenever.map((all) => ({
          names: calls,
          action: 'SCMP_ACT_ALLOW',
          args: all.map(({ argument: index, mask, value }) => {
            return { index, value: mask, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' };
          }),
        })),
      ),
      ...(pretended.length > 0 ? [{ names: pretended, action: 'SCMP_ACT_ERRNO', errnoRet: 0 }] : []),
    ],
  };
}
