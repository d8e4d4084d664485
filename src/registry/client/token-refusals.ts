// Whether an answer may mean that a token has expired. Not all registries answer 401 with a challenge then.
import type { HttpAnswer } from '../../io/http/http.ts';
import { readText } from './answer-errors.ts';
import { answerWords } from './answer-words.ts';

/** Statuses of refusals. The last three are what frameworks and proxies answer for expired sessions. */
const REFUSALS: readonly number[] = [400, 401, 403, 419, 440, 498];
/** Statuses with another meaning. The texts that come with them can mention tokens, too (those of a token bucket). */
const OTHERS: readonly number[] = [408, 413, 416, 429];
const CODES: readonly string[] = ['UNAUTHORIZED', 'DENIED'];
/** With these codes, a word like `token` in the text is part of a name. */
const ABSENCES: readonly string[] = ['BLOB_UNKNOWN', 'BLOB_UPLOAD_UNKNOWN', 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN'];
const WORDS = /\btoken\b|unauthori[sz]ed|\bauthenticat(?:e|ion)\b/i;

export interface JudgedAnswer {
  readonly isRefusal: boolean;
  /** Replaces the given answer, whose body may have been read. */
  readonly answer: HttpAnswer;
}

export async function judgeRefusal(answer: HttpAnswer): Promise<JudgedAnswer> {
  const { status } = answer;
  if (status < 400 || OTHERS.includes(status)) return { isRefusal: false, answer };
  if (REFUSALS.includes(status)) return { isRefusal: true, answer };
  const text = await readText(answer);
  const { codes, said } = answerWords(text, answer.headers['content-type'] ?? '');
  const isAbsence = codes.some((code) => ABSENCES.includes(code));
  const isRefusal = codes.some((code) => CODES.includes(code)) || (!isAbsence && WORDS.test(said));
  return { isRefusal, answer: { ...answer, body: once(Buffer.from(text)), discard: () => undefined } };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
