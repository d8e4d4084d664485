// The output of a template, with the template's line for each output line. Relies on the marks of values.ts.
import { DOUBT } from './values.ts';

export interface Rendered {
  readonly text: string;
  /** For each line of `text`, the origin of its first visible character. */
  readonly lines: readonly LineOrigin[];
}

export interface LineOrigin {
  /** The line in the template. 0 for an empty line, whose origin does not matter. */
  readonly line: number;
  /** The condition that switches the line off, if branches are explored. */
  readonly off?: string;
}

export interface WrittenLine {
  readonly line: number;
  /** The text is literal text of the template, so its line breaks are also line breaks in the template. */
  readonly follows?: boolean;
}

const NOBODY: LineOrigin = { line: 0 };

export class Output {
  readonly #chunks: string[] = [];
  readonly #lines: LineOrigin[] = [NOBODY];
  #length = 0;
  #doubts = 0;
  #discards = 0;
  #off: string | undefined;

  /** Number of characters written, including discarded ones. */
  get length(): number {
    return this.#length;
  }

  get isDoubtful(): boolean {
    return this.#doubts > 0;
  }

  write(text: string, { line, follows = false }: WrittenLine): void {
    if (text === '') return;
    const marked = this.#doubts > 0 ? text.replace(/^([ \t]*)(?=\S)/gm, `$1${DOUBT}`) : text;
    this.#length += marked.length;
    if (this.#discards > 0) return;
    this.#chunks.push(marked);
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) this.#lines.push(NOBODY);
      if (this.#lines.at(-1) !== NOBODY || part.trim() === '') continue;
      this.#lines[this.#lines.length - 1] = {
        line: follows ? line + index : line,
        ...(this.#off !== undefined && { off: this.#off }),
      };
    }
  }

  /** Marks the output of `run` as switched off by this condition. */
  switchedOff(condition: string, run: () => void): void {
    const outer = this.#off;
    this.#off = condition;
    try {
      run();
    } finally {
      this.#off = outer;
    }
  }

  /** Marks the output of `run` as dependent on an unknown condition. */
  doubtfully(run: () => void): void {
    this.#doubts++;
    try {
      run();
    } finally {
      this.#doubts--;
    }
  }

  discarding(run: () => void): void {
    this.#discards++;
    try {
      run();
    } finally {
      this.#discards--;
    }
  }

  text(): string {
    return this.#chunks.join('');
  }

  rendered(): Rendered {
    return { text: this.text(), lines: this.#lines };
  }
}
