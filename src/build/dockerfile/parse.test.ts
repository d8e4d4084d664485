// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are a shell's
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImagesError } from '../../oci/errors.ts';
import { parseDockerfile, parseTrigger } from './parse.ts';

function failure(text: string): ImagesError {
  try {
    parseDockerfile('Dockerfile', text);
  } catch (error) {
    if (error instanceof ImagesError) return error;
    throw error;
  }
  throw new Error(`no mistake in ${text}`);
}

/** The messages that a user sees. */
function told(text: string): readonly string[] {
  const { message, excerpt, hint } = failure(text);
  return [message, ...excerpt, ...(hint ? [hint] : [])];
}

describe('mistakes in a Dockerfile', () => {
  it('have file, line, the line, a caret and the word that was probably meant', () => {
    expect(told('FROM scratch\nRUNN ls')).toEqual([
      'Dockerfile:2: unknown instruction [RUNN]',
      '2 | RUNN ls',
      '  | ^^^^',
      'Did you mean RUN?',
    ]);
  });

  it('have a position for programs', () => {
    expect(failure('FROM scratch\n  COPY --form=x a b').position).toEqual({ file: 'Dockerfile', line: 2, column: 8 });
    expect(failure('FROM scratch\n  COPY --form=x a b').code).toBe('DOCKERFILE_INVALID');
  });

  it('are found in continued lines, where tabs stay tabs', () => {
    expect(told('FROM scratch\nHEALTHCHECK --interval=5s \\\n\t--retrys=3 CMD x')).toEqual([
      'Dockerfile:3: unknown flag [--retrys]',
      '3 | \t--retrys=3 CMD x',
      '  | \t^^^^^^^^',
      'Did you mean --retries?',
    ]);
  });

  it.each([
    ['', 'Dockerfile:1: no instructions in the file'],
    ['# only\n# comments\n', 'Dockerfile:2: no instructions in the file'],
    ['FROM', 'Dockerfile:1: FROM needs an image'],
    ['FROM a b', 'Dockerfile:1: FROM takes an image, and AS with a name for the stage'],
    ['FROM a IS b', 'Dockerfile:1: AS is what can follow the image [IS]'],
    ['FROM a AS 1b', 'Dockerfile:1: not a name for a stage [1b]'],
    ['FROM a AS b c', 'Dockerfile:1: FROM takes an image, and AS with a name for the stage'],
    ['FROM a\nCOPY x', 'Dockerfile:2: COPY needs a source and a destination'],
    ['FROM a\nCOPY ["x"]', 'Dockerfile:2: COPY needs a source and a destination'],
    ['FROM a\nCOPY x <<E\nE', 'Dockerfile:2: a heredoc is no destination'],
    ['FROM a\nCOPY --from=$X a b', 'Dockerfile:2: no variables in --from [$X]'],
    ['FROM a\nCOPY http://x/y z', 'Dockerfile:2: COPY takes no address [http://x/y]'],
    ['FROM a\nADD --checksum=sha256:aa x /', 'Dockerfile:2: --checksum is for one http or https address'],
    ['FROM a\nRUN', 'Dockerfile:2: RUN needs a command'],
    ['FROM a\nRUN --security=insecure x', 'Dockerfile:2: RUN --security is not there without a daemon'],
    ['FROM a\nRUN --network=nono x', 'Dockerfile:2: unknown network [nono]'],
    ['FROM a\nCMD ["a", 1]', 'Dockerfile:2: an array in JSON form holds strings only'],
    ['FROM a\nENV X', 'Dockerfile:2: ENV needs a value [X]'],
    ['FROM a\nENV a=b c', 'Dockerfile:2: no = in [c]'],
    ['FROM a\nENV =b', 'Dockerfile:2: a value without a name [=b]'],
    ['FROM a\nARG =b', 'Dockerfile:2: a value without a name [=b]'],
    ['FROM a\nSHELL /bin/sh -c', 'Dockerfile:2: SHELL takes the JSON form'],
    ['FROM a\nSHELL []', 'Dockerfile:2: SHELL takes the JSON form'],
    ['FROM a\nVOLUME [""]', 'Dockerfile:2: a volume without a path'],
    ['FROM a\nONBUILD ONBUILD RUN x', 'Dockerfile:2: ONBUILD cannot have ONBUILD as its trigger'],
    ['FROM a\nONBUILD FROM x', 'Dockerfile:2: ONBUILD cannot have FROM as its trigger'],
    ['FROM a\nONBUILD MAINTAINER x', 'Dockerfile:2: ONBUILD cannot have MAINTAINER as its trigger'],
    ['FROM a\nONBUILD CPOY a b', 'Dockerfile:2: unknown instruction [CPOY]'],
    ['FROM a\nHEALTHCHECK CMD', 'Dockerfile:2: HEALTHCHECK CMD needs a command'],
    ['FROM a\nHEALTHCHECK NONE x', 'Dockerfile:2: HEALTHCHECK NONE takes no arguments'],
    ['FROM a\nHEALTHCHECK --interval=1us CMD x', 'Dockerfile:2: less than 1ms [--interval=1us]'],
    ['FROM a\nHEALTHCHECK --interval=soon CMD x', 'Dockerfile:2: not a time [--interval=soon]'],
    ['FROM a\nHEALTHCHECK --retries=-1 CMD x', 'Dockerfile:2: not a number of retries [-1]'],
    ['FROM a\nCOPY --link=maybe a b', 'Dockerfile:2: neither true nor false [--link=maybe]'],
    ['FROM a\nCOPY --chown a b', 'Dockerfile:2: a flag without a value [--chown]'],
    ['FROM a\nCOPY --chown=1 --chown=2 a b', 'Dockerfile:2: the flag is there twice [--chown]'],
    ['FROM a\nCMD --flag x', 'Dockerfile:2: unknown flag [--flag]'],
    ['FROM a\nRUN <<EOF\nx', 'Dockerfile:2: the heredoc has no end [EOF]'],
    ['# escape=`\n# ESCAPE=`\nFROM a', 'Dockerfile:2: the directive is there twice [escape]'],
    ['# escape=x\nFROM a', 'Dockerfile:1: no escape character [x]'],
  ])('are found in %j', (text, message) => {
    expect(failure(text).message).toBe(message);
  });

  it.each([
    ['type=bnd,target=/x', 'no type of mount [bnd]', 'Did you mean bind?'],
    ['type=cache,taget=/x', 'unknown field of --mount [taget]', 'Did you mean target?'],
    ['type=cache,sharing=privat,target=/x', 'no way of sharing [privat]', 'Did you mean private?'],
    ['type=bind,mode=0755,target=/x', 'mode is not for mounts of type bind', undefined],
    ['type=tmpfs,required,target=/x', 'required is not for mounts of type tmpfs', undefined],
    ['type=secret,from=x,id=a', 'a secret has no from=', undefined],
    ['type=secret', 'a secret needs an id= or a target=', undefined],
    ['target', 'a field without a value [target]', undefined],
    [
      'from=$X,target=/x',
      'no variables in from= [$X]',
      'Give the image a name with FROM … AS name, where variables are expanded.',
    ],
    ['type=tmpfs,target=/x,size=big', 'not a size [big]', undefined],
  ])('are found in --mount=%s', (mount, message, hint) => {
    const error = failure(`FROM a\nRUN --mount=${mount} true`);
    expect(error.message).toBe(`Dockerfile:2: ${message}`);
    expect(error.hint).toBe(hint);
  });
});

describe('accepted in a Dockerfile', () => {
  it('is a flag with an empty value, where BuildKit ignores it', () => {
    const text = 'FROM --platform= a\nCOPY --from= b c\nADD --checksum= d e f/';
    const values = parseDockerfile('Dockerfile', text).instructions.map((each) => {
      if (each.kind === 'from') return each.platform;
      return each.kind === 'copy' ? each.from : each.kind === 'add' ? each.checksum : 'another';
    });
    expect(values).toEqual([undefined, undefined, undefined]);
  });

  it('are unknown instructions in heredocs', () => {
    expect(parseDockerfile('x', 'FROM a\nRUN <<E\nRUNN ls\nE\n').instructions).toHaveLength(2);
  });

  it('is a mount whose fields hold variables, until they are expanded', () => {
    expect(() => parseDockerfile('x', 'FROM a\nRUN --mount=type=$T,target=/x true')).not.toThrow();
  });

  it('are quotes that a shell understands, in RUN', () => {
    expect(() => parseDockerfile('x', "FROM a\nRUN echo it's <<EOF\nEOF")).toThrow(/EOF/);
    expect(() => parseDockerfile('x', "FROM a\nRUN cat <<EOF | sed 's/x//'\nit's\nEOF")).not.toThrow();
  });

  it('is a trigger of an image, which is one instruction', () => {
    expect(parseTrigger('ONBUILD of x', 'RUN <<E\na\nE')).toMatchObject({
      kind: 'run',
      heredocs: [{ content: 'a\n' }],
    });
    expect(() => parseTrigger('ONBUILD of x', 'RUN a\nRUN b')).toThrow(
      'ONBUILD of x:2: an ONBUILD trigger is one instruction',
    );
  });
});

describe('any text', () => {
  const word = fc.constantFrom(
    'FROM',
    'RUN',
    'COPY',
    'ENV',
    'a',
    '$x',
    '${',
    '\\',
    '"',
    "'",
    '<<E',
    'E',
    '--x=y',
    '[',
    ']',
    '#',
    '\n',
    '\n',
    ' ',
    '\t',
    '=',
    '`',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(word, { maxLength: 40 }).map((words) => words.join(' ')),
  );

  it('is a Dockerfile or a mistake with a position in the text', () => {
    fc.assert(
      fc.property(text, (content) => {
        try {
          const { instructions, source } = parseDockerfile('Dockerfile', content);
          let last = 0;
          for (const { range } of instructions) {
            expect(range.first).toBeGreaterThan(last);
            expect(range.last).toBeGreaterThanOrEqual(range.first);
            last = range.last;
          }
          expect(last).toBeLessThanOrEqual(source.lines.length);
        } catch (error) {
          if (!(error instanceof ImagesError)) throw error;
          expect(error.position?.line).toBeGreaterThan(0);
          expect(error.excerpt).toHaveLength(2);
        }
      }),
    );
  });

  it('means the same with an unneeded continuation at every blank', () => {
    const command = fc.array(fc.stringMatching(/^[a-z0-9./-]{1,8}$/), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(command, (words) => {
        fc.pre(!(words[0] as string).startsWith('--'));
        const [plain, continued] = [words.join(' '), words.join(' \\\n')].map(
          (each) => parseDockerfile('x', `FROM a\nCOPY ${each} /dst/`).instructions[1],
        );
        expect(continued).toMatchObject({ destination: { text: '/dst/' } });
        const sources = (each: unknown) =>
          (each as { sources: { text: string }[] }).sources.map(({ text: source }) => source);
        expect(sources(continued)).toEqual(sources(plain));
      }),
    );
  });
});
