// A memo for asynchronous answers, by key. A failure is not remembered: the next caller asks again.

export async function askOnce<K, T>(answers: Map<K, Promise<T>>, key: K, ask: () => Promise<T>): Promise<T> {
  const asking = answers.get(key);
  const known = asking && (await asking.catch(() => undefined));
  if (known) return known;
  const asked = ask();
  answers.set(key, asked);
  return await asked;
}
