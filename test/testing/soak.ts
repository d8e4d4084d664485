// How long tests go on that have no natural end: a little in every run, IMAGES_SOAK times as long in `npm run soak NAME`.
const FACTOR = Math.max(1, Math.floor(Number(process.env.IMAGES_SOAK ?? 1)) || 1);

/** So many rounds, or as many times more. */
export function rounds(usual: number): number {
  return usual * FACTOR;
}

/** The limit of a test with rounds, in milliseconds. */
export function timeFor(usual: number): number {
  return usual * FACTOR;
}
