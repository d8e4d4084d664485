// Makes the garbage collector fit for a copy: a few megabytes of objects, beside gigabytes that pass through short-lived buffers.
// Counted together they look like a heap that grows fast, and V8 marks all of it, beside the work, every ten megabytes that come in:
// a third of a preload's processor time. The buffers' objects are young, so collecting the young ones alone, and often, frees the
// memory too (seen: 90 MB at the peak, 150 MB when it is done as seldom as V8 would) and costs next to nothing.

/** For commands that copy blobs and then end. */
export function expectMuchData(): void {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString('--no-incremental-marking');
  // In per cent of the young generation's size.
  setFlagsFromString('--minor-gc-task-trigger=10');
}
