// Makes the garbage collector fit for a copy: a few megabytes of objects, beside gigabytes that pass through short-lived buffers.
// Counted together they look like a heap that grows fast, and V8 marks all of it, beside the work, every ten megabytes that come in:
// a third of a preload's processor time. The buffers' objects are young, so collecting the young ones alone, and often, frees the
// memory too (seen: 90 MB at the peak, 150 MB when it is done as seldom as V8 would) and costs next to nothing.
// The flags are set at run time although Node calls that unpredictable: docs/benchmarks.md has what it costs to set them at the start, and to do without.

/**
 * For the interpreter of a server, in megabytes: what many small requests leave behind is collected before it fills the default of 16
 * (seen: 140 MB at the peak, 180 MB without). It must be known when the heap is made.
 */
export const SERVER_FLAGS: readonly string[] = ['--max-semi-space-size=4'];

let expectsMuch = false;

/** For processes through which blobs pass (the server: 160 MB at the peak without, 120 MB with it). */
export function expectMuchData(): void {
  expectsMuch = true;
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString('--no-incremental-marking');
  // In per cent of the young generation's size.
  setFlagsFromString('--minor-gc-task-trigger=10');
}

/**
 * The same from a copy's first blob on, or whichever event tells of bytes. Earlier would cost what it saves: V8 takes no compiled code from its caches, or Node's own, that was made
 * under other flags, and a run with nothing to copy would do without them for nothing (seen: 10 ms of 125).
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

/** In bytes; what 50,000 names take. */
const LARGE_HEAP = 80 << 20;

/** Collects what is garbage, where that may be much: after a large structure was made, before bytes go through that would stand on top of it. */
export function collectGarbage(): void {
  // The last resort also gives back to the system what is free then, half of it perhaps; it takes a tenth of a second.
  if (process.memoryUsage().heapTotal > LARGE_HEAP) {
    collector()({ type: 'major', flavor: 'last-resort', execution: 'sync' });
  }
}

/** In bytes; below it no thread of V8's can be short of memory (a short command has 6 MB), unless V8 was told to mark seldom. */
const ROOMY_HEAP = 16 << 20;

/**
 * Before the process ends by `process.exit`: a thread of V8's that compiles, and finds the heap at its limit just then, waits for a collection, and
 * Node waits for the thread, for ever (seen in 3 of 150 runs that had read 100,000 names, and in one of 300 copies). After a collection the heap has room.
 */
export function leaveRoom(): void {
  if (expectsMuch || process.memoryUsage().heapTotal > ROOMY_HEAP) collector()({ type: 'major', execution: 'sync' });
}

const OFTEN = 16 << 20;
/** In bytes: more than is ever under way. */
const LEAST_HELD = 32 << 20;
/** In bytes, with the heap: what the heap takes, buffers cannot have. */
const MOST_HELD = 72 << 20;

/** For who hands on bytes by the gigabyte: told how many, it frees now and then what they were in. V8 sees only their small handles, and waits. */
export function createBufferCollector(): (bytes: number) => void {
  let since = 0;
  return (bytes) => {
    since += bytes;
    if (since < OFTEN) return;
    since = 0;
    collector()({ type: 'minor' });
    // Where this process had to wait for a processor, buffers were old before they were garbage.
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
