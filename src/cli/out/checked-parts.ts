// Formats checked parts for people: one line for each, with its problems below.
export interface ExaminedPart {
  readonly what: string;
  readonly digest?: string;
  readonly problems: readonly string[];
  readonly notes?: readonly string[];
}

export function partText({ what, digest, problems, notes = [] }: ExaminedPart): string {
  const head = `${problems.length === 0 ? 'ok   ' : 'WRONG'} ${what}${digest ? ` ${digest}` : ''}`;
  return [
    head,
    ...problems.map((problem) => `      ${problem}`),
    ...notes.map((note) => `      note: ${note}`),
    '',
  ].join('\n');
}
