// Makes the garbage collector fit for a copy: a few megabytes of objects, beside gigabytes that pass through short-lived buffers.
// Counted together they look like a heap that grows fast, and V8 marks all of it, beside the work, every ten megabytes that come in:
// a third of a preload's processor time. Collected only when it must be, there is a tenth of that, and the peak of memory is 15 MB higher.

/** For commands that copy blobs and then end. */
export function expectMuchData(): void {
  process.getBuiltinModule('node:v8').setFlagsFromString('--no-incremental-marking');
}
