// A process of a race: `race-process.ts STORE collect|push COUNT`. It says `ready`, waits for a line, and says in JSON what it has done.
import { once } from 'node:events';
import { diskStore } from '../drivers/staged-store.ts';
import { collectAll, pushAll } from './disk-race.ts';

const [directory = '', role = '', count = '0'] = process.argv.slice(2);
const store = diskStore(directory);

async function ready(): Promise<void> {
  process.stdout.write('ready\n');
  await once(process.stdin, 'data');
}

if (role === 'collect') {
  process.stdout.write(`${JSON.stringify({ deleted: await collectAll(store, ready), acknowledged: [] })}\n`);
} else {
  await ready();
  const acknowledged = await pushAll(store, Number(count));
  process.stdout.write(`${JSON.stringify({ deleted: 0, acknowledged })}\n`);
}
process.exit();
