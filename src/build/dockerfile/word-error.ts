// A mistake in a word. Who knows where the word stands makes an error of it that says so.

export class WordError extends Error {}
