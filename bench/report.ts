// One line a figure: what was measured, what the issue asks for, whether it is met.

export interface Figure {
  readonly what: string;
  readonly measured: string;
  /** Empty where nothing is asked for. */
  readonly target: string;
  readonly met?: boolean;
}

export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [figure.what, figure.measured, figure.target, verdict(figure)]);
  const lines = [['what', 'measured', 'target', ''], ['---', '---', '---', '---'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n');
}

export function atMost(what: string, value: number, limit: number, unit: string): Figure {
  return { what, measured: `${round(value)}${unit}`, target: `≤ ${limit}${unit}`, met: value <= limit };
}

export function atLeast(what: string, value: number, limit: number, unit: string): Figure {
  return { what, measured: `${round(value)}${unit}`, target: `≥ ${limit}${unit}`, met: value >= limit };
}

export function plain(what: string, value: number, unit: string): Figure {
  return { what, measured: `${round(value)}${unit}`, target: '' };
}

function verdict(figure: Figure): string {
  return figure.met === undefined ? '' : figure.met ? 'pass' : 'MISS';
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
