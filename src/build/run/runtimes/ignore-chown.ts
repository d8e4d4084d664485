// A seccomp filter under which setting owners does nothing and succeeds (seccomp(2)): for a user with one id who wants to go on.

export const OWNER_CALLS: readonly string[] = ['chown', 'fchown', 'fchownat', 'lchown'];

interface Architecture {
  /** AUDIT_ARCH_… (linux/audit.h). */
  readonly audit: number;
  readonly calls: readonly number[];
}

/** By Node's names. arm64 has only the two newer calls. */
const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: { audit: 0xc000003e, calls: [92, 93, 94, 260] },
  arm64: { audit: 0xc00000b7, calls: [54, 55] },
};

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
/** SECCOMP_RET_ERRNO with number 0. */
const SUCCEED = 0x00050000;
const OFFSET_OF_CALL = 0;
const OFFSET_OF_ARCHITECTURE = 4;

/** The compiled filter, as bwrap takes it; `undefined` for machines that it is not written for. */
export function ignoreChownFilter(architecture: string): Uint8Array | undefined {
  const known = ARCHITECTURES[architecture];
  if (!known) return undefined;
  const { audit, calls } = known;
  const program = [
    instruction(LOAD, 0, 0, OFFSET_OF_ARCHITECTURE),
    // Calls of another architecture are numbered otherwise: they are let through, as without a filter.
    instruction(JUMP_EQUAL, 0, calls.length + 1, audit),
    instruction(LOAD, 0, 0, OFFSET_OF_CALL),
    ...calls.map((call, at) => instruction(JUMP_EQUAL, calls.length - at, 0, call)),
    instruction(RETURN, 0, 0, ALLOW),
    instruction(RETURN, 0, 0, SUCCEED),
  ];
  return Buffer.concat(program);
}

function instruction(code: number, whenTrue: number, whenFalse: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(whenTrue, 2);
  bytes.writeUInt8(whenFalse, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}
