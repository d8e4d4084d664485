// An error in a word. Callers that know the word's position convert it to an error with that position.

export class WordError extends Error {}
