// Tunes the garbage collector for copying: a few megabytes of objects, and gigabytes that pass through short-lived buffers. V8 counts both together, which looks like a heap that
// grows fast. It then marks the whole heap, concurrently, for every ten megabytes received: a third of a preload's processor time. The buffers' objects are young. So frequent
// collections of the young generation alone free the memory as well, at almost no cost (measured: 90 MB at the peak; 150 MB with V8's own frequency). Node calls it unpredictable
// to set these flags at run time. docs/benchmarks.md has the costs of setting them at the start, and of doing without.

/**
 * For the interpreter of a server: the semi-space size of the young generation in megabytes. Garbage of many small requests is collected before it fills the default of 16
 * (measured: 140 MB at the peak, 180 MB without). It must be set when the heap is created, so on the command line.
 */
export const SERVER_FLAGS: readonly string[] = ['--max-semi-space-size=4'];

let expectsMuch = false;

/**
 * For commands that look at each of many small things: V8 lets garbage grow to several times what is in use before it collects it. (Measured for `lreg_gc` of 100,000
 * blobs: a quarter less at the peak, in the same time.)
 */
export function expectMuchGarbage(): void {
  // In per cent of what is in use.
  process.getBuiltinModule('node:v8').setFlagsFromString('--heap-growing-percent=30');
}

/** For processes through which blobs pass. */
export function expectMuchData(): void {
  const setFlagsFromString = withoutMarking();
  // In per cent of the young generation's size.
  setFlagsFromString('--minor-gc-task-trigger=10');
}

/**
 * For a server. Frequent collections would cost a fifth of the time of small requests, because what all running requests hold is copied each time. So it collects by the
 * bytes that it receives (`createBufferCollector`).
 */
export function expectManyRequests(): void {
  withoutMarking();
}

function withoutMarking(): (flag: string) => void {
  expectsMuch = true;
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString('--no-incremental-marking');
  return setFlagsFromString;
}

/**
 * Calls expectMuchData at a copy's first event about bytes. Earlier would cost as much as it saves: V8 rejects cached code, its own and Node's, that was
 * compiled under other flags, so a run with nothing to copy would lose its code caches (measured: 10 ms of 125).
 */
export function expectingMuchData<Event extends { readonly type: string }>(
  onEvent: (event: Event) => void,
  bytesCome: readonly string[] = ['blob', 'compressing'],
): (event: Event) => void {
  let expecting = false;
  return (event) => {
    if (!expecting && bytesCome.includes(event.type)) {
      expecting = true;
      expectMuchData();
    }
    onEvent(event);
  };
}

/** In bytes; the heap of a tree with 50,000 names. */
const LARGE_HEAP = 80 << 20;

/** Collects garbage if there may be much of it: after a large structure was built, and before bytes are streamed, whose memory would add to it. */
export function collectGarbage(): void {
  // The last-resort collection also returns free memory to the system, perhaps half of it. It takes a tenth of a second.
  if (process.memoryUsage().heapTotal > LARGE_HEAP) {
    collector()({ type: 'major', flavor: 'last-resort', execution: 'sync' });
  }
}

/** In bytes. With a smaller heap no thread of V8 can be short of memory (a short command has 6 MB), unless marking was made rare by a flag. */
const ROOMY_HEAP = 16 << 20;

/**
 * Call it before `process.exit`. A compiler thread of V8 that finds the heap at its limit waits for a collection, and Node waits for the thread: a deadlock
 * (seen in 3 of 150 runs that had read 100,000 names, and in one of 300 copies). After a collection the heap has room.
 */
export function leaveRoom(): void {
  if (expectsMuch || process.memoryUsage().heapTotal > ROOMY_HEAP) collector()({ type: 'major', execution: 'sync' });
}

const OFTEN = 16 << 20;
/** In bytes: more than the buffers in use at any time. */
const LEAST_HELD = 32 << 20;
/** In bytes, for heap and buffers together: a larger heap leaves less for buffers. */
const MOST_HELD = 72 << 20;

/**
 * For code that passes on gigabytes: call it with the number of bytes, and it sometimes frees their buffers. V8 sees only the buffers' small handles, and so
 * collects too late.
 */
export function createBufferCollector(): (bytes: number) => void {
  let since = 0;
  return (bytes) => {
    since += bytes;
    if (since < OFTEN) return;
    since = 0;
    collector()({ type: 'minor' });
    // If the process had to wait for a processor, buffers may have reached the old generation before they became garbage.
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    if (arrayBuffers > Math.max(LEAST_HELD, MOST_HELD - heapUsed)) collector()({ type: 'major' });
  };
}

type Collect = (options: Readonly<Record<string, string>>) => void;
let known: Collect | undefined;

function collector(): Collect {
  if (known) return known;
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  known = process.getBuiltinModule('node:vm').runInNewContext('gc') as Collect;
  return known;
}
