// Extracts from the body of an unexpected answer, whatever its format, the registry's error codes and its text for people.
import { quote } from '../../io/text/quote.ts';
import { isObject, type Json } from '../../oci/decode.ts';

export interface AnswerWords {
  /** In capitals, as the distribution specification's "Error Codes" has them. */
  readonly codes: readonly string[];
  /** One line without secrets; empty if the body says nothing. */
  readonly said: string;
}

/** How many errors of a list are quoted. */
const MAX_ERRORS = 5;
const MAX_DEPTH = 4;
/** Fields in which servers put the text that matters, the most common first. */
const WORDS = ['message', 'error_description', 'detail', 'details', 'description', 'reason', 'error', 'title', 'msg'];
/** Fields whose values never appear in a message: an answer that was not understood may be one with a token. */
const SECRET = /token|passw|secret|credential|authorization|cookie|jwt|api_?key/i;

/** Reads the specification's `{"errors": […]}`, what other servers send instead of it, plain text, and the titles of web pages. */
export function answerWords(text: string, contentType: string): AnswerWords {
  const body = parsed(text);
  if (body === undefined)
    return { codes: [], said: quote(/[<>]/.test(text) ? ofMarkup(text) : plainText(text, contentType)) };
  const errors = isObject(body) && body.errors !== undefined && body.errors !== null ? body.errors : body;
  const list = Array.isArray(errors) ? errors : [errors];
  const said = list
    .slice(0, MAX_ERRORS)
    .map((error) => wordsOf(error, 0))
    .filter(Boolean);
  const more = list.length > MAX_ERRORS ? [`and ${list.length - MAX_ERRORS} more`] : [];
  return {
    codes: list.flatMap((error) =>
      isObject(error) && typeof error.code === 'string' ? [error.code.toUpperCase()] : [],
    ),
    said: quote([...new Set([...said, ...more])].join('; ')),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) ?? '';
  } catch {
    return undefined;
  }
}

/** The text of one error: its main text, then the details. */
function wordsOf(error: unknown, depth: number): string {
  if (typeof error === 'string') return error.trim();
  if (typeof error === 'number' || typeof error === 'boolean') return String(error);
  if (depth > MAX_DEPTH || typeof error !== 'object' || error === null) return '';
  if (Array.isArray(error)) {
    const words = error.slice(0, MAX_ERRORS).map((entry) => wordsOf(entry, depth + 1));
    return [...new Set(words.filter(Boolean))].join(', ');
  }
  const fields = error as Json;
  const names = Object.keys(fields);
  const telling = WORDS.flatMap((word) => names.filter((name) => name.toLowerCase() === word));
  const words = telling.map((name) => wordsOf(fields[name], depth + 1)).filter(Boolean);
  if (words.length === 0) return depth === 0 ? codeOf(fields) || pairs(fields, depth) : pairs(fields, depth);
  const [first = '', ...rest] = words;
  const added = rest.filter((each, index) => !first.includes(each) && rest.indexOf(each) === index);
  return added.length === 0 ? first : `${first}: ${added.join(', ')}`;
}

function codeOf({ code }: Json): string {
  return typeof code === 'string' ? code : '';
}

/** An object without a text of its own, as pairs: `Tag: 3.20, digest: sha256:…`. */
function pairs(fields: Json, depth: number): string {
  return Object.entries(fields)
    .slice(0, MAX_ERRORS)
    .map(([name, value]) => [name, SECRET.test(name) ? '' : wordsOf(value, depth + 1)] as const)
    .filter(([, words]) => words !== '')
    .map(([name, words]) => `${name}: ${words}`)
    .join(', ');
}

/** The message of an XML document, as object stores send it; the title or first heading of a web page. */
function ofMarkup(text: string): string {
  for (const name of ['message', 'title', 'h1', 'h2']) {
    const found = new RegExp(`<${name}\\b[^>]{0,200}>([^<]{1,1000})`, 'i').exec(text)?.[1]?.trim();
    if (found) return found;
  }
  return '';
}

/** A short plain text (Go's `http.Error`, a proxy) is useful; a body that is declared as something else may be anything. */
function plainText(text: string, contentType: string): string {
  const isText = contentType === '' || /^(?:text\/plain|application\/(?:\w+\+)?json|text\/json)\b/i.test(contentType);
  return isText && !text.includes('\0') ? text : '';
}
