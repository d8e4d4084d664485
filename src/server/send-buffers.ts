// The memory for what is being sent: buffers that all transfers of a process share, and use again. Few transfers get large ones, which are quickest; many get
// small ones, all alike; so all of them together stay within a limit, whether their clients are slow or not, and none waits for another.

export interface SendBuffers {
  /** A buffer, for at most `wanted` bytes if that is less. It belongs to the caller until it is given back, or for ever. */
  take(wanted: number): Uint8Array;
  /** Giving it back again does nothing: two transfers with one buffer would send each other's bytes. */
  give(buffer: Uint8Array): void;
}

const KIB = 1024;
/** In bytes. */
const SIZES = [2048, 1536, 1024, 768, 512, 384, 256, 192, 128, 96, 64].map((size) => size * KIB);
const SMALLEST = 64 * KIB;
/** 64 transfers have two buffers of 768 KiB each, 200 two of 256 KiB. */
const MOST = 104 * 1024 * KIB;
/** In milliseconds. Buffers that nobody has used for so long are freed. */
const IDLE = 10_000;

export function createSendBuffers(most = MOST): SendBuffers {
  const idle = new Map<number, Uint8Array[]>();
  /** Of all buffers that somebody has. Who loses one, because the connection ended, is counted until that buffer is collected. */
  let taken = 0;
  let count = 0;
  let kept = 0;
  let timer: NodeJS.Timeout | undefined;
  const lost = new FinalizationRegistry<number>((size) => {
    taken -= size;
    count -= 1;
  });

  function sizeFor(wanted: number): number {
    // An equal share, or half of what is left while those that came first have larger ones.
    const share = Math.min(most / (count + 1), (most - taken) / 2);
    const largest = SIZES.find((size, at) => size <= share && (SIZES[at + 1] ?? 0) < wanted);
    return largest ?? SMALLEST;
  }

  function freeAll(): void {
    for (const buffers of idle.values()) buffers.forEach(free);
    idle.clear();
    kept = 0;
    timer = undefined;
  }

  /** Frees buffers of other sizes until there is room for one of `size`. */
  function makeRoom(size: number): void {
    for (const [other, buffers] of idle) {
      while (taken + kept + size > most) {
        const buffer = buffers.pop();
        if (!buffer) break;
        free(buffer);
        kept -= other;
      }
    }
  }

  return {
    take: (wanted) => {
      const size = sizeFor(wanted);
      const again = idle.get(size)?.pop();
      if (again) kept -= size;
      else makeRoom(size);
      const buffer = again ?? allocate(size);
      taken += size;
      count += 1;
      lost.register(buffer, size, buffer);
      timer?.refresh();
      return buffer;
    },
    give: (buffer) => {
      if (!lost.unregister(buffer)) return;
      const size = buffer.length;
      taken -= size;
      count -= 1;
      if (taken + kept + size > most) return free(buffer);
      kept += size;
      const others = idle.get(size);
      if (others) others.push(buffer);
      else idle.set(size, [buffer]);
      timer ??= setTimeout(freeAll, IDLE).unref();
    },
  };
}

/** As pages of its own: in the C library's heap, buffers of several sizes would leave holes. */
function allocate(size: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(size, { maxByteLength: size }), 0, size);
}

/** At once: as garbage, many large buffers would stay until the engine collects them. */
function free({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transferToFixedLength(0);
}

/** Of this process. */
export const sendBuffers = createSendBuffers();
