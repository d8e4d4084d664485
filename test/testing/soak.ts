// The length of tests without a natural end: short in every run, IMAGES_SOAK times as long in `npm run soak NAME`.
const FACTOR = Math.max(1, Math.floor(Number(process.env.IMAGES_SOAK ?? 1)) || 1);

/** This many rounds, multiplied by IMAGES_SOAK. */
export function rounds(usual: number): number {
  return usual * FACTOR;
}

/** The limit of a test with rounds, in milliseconds. */
export function timeFor(usual: number): number {
  return usual * FACTOR;
}

/** Whether `npm run soak` runs the test: then all of it. */
export const isSoak: boolean = FACTOR > 1;
