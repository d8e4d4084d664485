// Formats numbers for people. Pure.
export { formatBytes, formatCount } from '../../io/text/amounts.ts';

/** `0:42`, `1:02:03`. */
export function formatRemaining(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
