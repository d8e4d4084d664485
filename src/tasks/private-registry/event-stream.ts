// The data of Server-Sent Events (WHATWG HTML, section 9.2.5), as our registry sends them: a line each. Other fields, comments and events without data are left out.

/** In characters: a longer event is no event of ours. */
const LONGEST = 1 << 20;

export async function* eventData(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + piece).split(/\r\n|\n|\r/);
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST) return;
    for (const line of lines) if (line.startsWith('data:')) yield line.slice('data:'.length).trimStart();
  }
}
