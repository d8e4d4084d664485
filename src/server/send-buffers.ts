// The memory for what is being sent: buffers that all transfers of a process share, and use again. Few transfers get large ones, which are quickest; many get
// small ones, all alike; so all of them together stay within a limit, whether their clients are slow or not, and none waits for another.

export interface SendBuffers {
  /** A buffer, for at most `wanted` bytes if that is less. It belongs to the caller until it is given back, or for ever. */
  take(wanted: number): Uint8Array;
  give(buffer: Uint8Array): void;
}

const KIB = 1024;
/** In bytes. */
const LARGEST = 2048 * KIB;
const SMALLEST = 64 * KIB;
/** 64 transfers have two buffers of 1 MiB each. */
const MOST = 144 * 1024 * KIB;
/** In milliseconds. Buffers that nobody has used for so long are freed. */
const IDLE = 10_000;

export function createSendBuffers(most = MOST): SendBuffers {
  const free = new Map<number, Uint8Array[]>();
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
    let size = LARGEST;
    while (size > SMALLEST && (size / 2 >= wanted || size > share)) size /= 2;
    return size;
  }

  function freeAll(): void {
    free.clear();
    kept = 0;
    timer = undefined;
  }

  return {
    take: (wanted) => {
      const size = sizeFor(wanted);
      const again = free.get(size)?.pop();
      if (again) kept -= size;
      const buffer = again ?? Buffer.allocUnsafeSlow(size);
      taken += size;
      count += 1;
      lost.register(buffer, size, buffer);
      timer?.refresh();
      return buffer;
    },
    give: (buffer) => {
      const size = buffer.length;
      lost.unregister(buffer);
      taken -= size;
      count -= 1;
      if (taken + kept + size > most) return;
      kept += size;
      const others = free.get(size);
      if (others) others.push(buffer);
      else free.set(size, [buffer]);
      timer ??= setTimeout(freeAll, IDLE).unref();
    },
  };
}

/** Of this process. */
export const sendBuffers = createSendBuffers();
