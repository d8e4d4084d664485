import { hashSync } from 'bcryptjs';
import { expect, it } from 'vitest';
import { readConfigText } from '../../tasks/private-registry/registry-config.ts';
import { serveRegistry } from '../../tasks/private-registry/serve-registry.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { testProgram } from '../testing/program.ts';

const TEXT = `listen = "127.0.0.1:0"
quota = "1 GiB"
auth = "htpasswd:users"
proxy = "registry.lan:5000"

[[rule]]
users = ["anna"]
allow = ["pull"]
`;

it('config shows each key with where its value comes from, as a file that says the same', async () => {
  const { world, must } = await testProgram();
  const file = await world.file('data/registry.toml', TEXT);
  const shown = await must('config');
  expect(shown).toContain(`# If it is started now: ${file}\n`);
  expect(shown).toMatch(/^listen = \["127\.0\.0\.1:0"\] +# registry\.toml:1$/m);
  expect(shown).toMatch(/^proxy\.hosts = \["registry\.lan:5000"\] +# registry\.toml:4$/m);
  expect(shown).toMatch(/^auth = "htpasswd:.*\/data\/users" +# registry\.toml:3$/m);
  expect(shown).toMatch(/^rule = \[\{ users = \["anna"\], allow = \["pull"\] \}\] +# registry\.toml:6$/m);
  expect(shown).toMatch(/^# gc = "daily" +# default$/m);
  expect(shown).toMatch(/^# tls\.cert: no certificate +# default$/m);
  const again = await readConfigText({ file, isNamed: true }, shown);
  expect(again.mistakes).toEqual([]);
  expect(again.config).toEqual((await readConfigText({ file }, TEXT)).config);
});

it('config shows what the registry that runs goes by, with its options', async () => {
  const { world, must, context } = await testProgram();
  await world.file('data/registry.toml', 'quota = "1 GiB"\nproxy = "registry.lan:5000"\n');
  const request = { listen: ['127.0.0.1:0'], proxy: ['other.lan:5000'], gc: 'off', version: '1' } as const;
  await using served = await serveRegistry(request, taskSettings(context));
  await world.file('data/registry.toml', 'quota = "2 GiB"\n');
  const shown = await must('config', '--show');
  expect(shown).toContain(`# The registry that runs, pid ${served.state.pid}: `);
  expect(shown).toMatch(/^quota = "1 GiB" +# registry\.toml:1$/m);
  expect(shown).toMatch(/^gc = "off" +# --gc$/m);
  expect(shown).toMatch(/^proxy\.hosts = \["other\.lan:5000", "registry\.lan:5000"\] +# --proxy, registry\.toml:2$/m);
  const { pid, settings } = JSON.parse(await must('config', '--json'));
  expect(pid).toBe(served.state.pid);
  expect(settings).toContainEqual({ key: 'gc', value: 'off', from: 'option', option: '--gc' });
  const other = await world.file('other.toml', 'quota = "3 GiB"\n');
  expect(await must('config', `--config=${other}`)).toMatch(/^quota = "3 GiB" +# other\.toml:1$/m);
});

it('config --check prints each mistake, also those in files of users and certificates', async () => {
  const { world, run, printed } = await testProgram();
  await world.file('users', 'nonsense\n');
  const file = await world.file(
    'r.toml',
    'quotta = 1\nauth = "htpasswd:users"\ngc = "x"\n[tls]\ncert = "none"\nkey = "none"\n',
  );
  expect(await run('config', '--check', file)).toBe(1);
  const lines = printed().trim().split('\n');
  expect(lines).toEqual([
    `${file}:1: unknown key [quotta]. Did you mean quota?`,
    `${file}:3: gc is neither "daily" nor "off" [x]. Write gc = "daily".`,
    expect.stringContaining(`${file}:2: `),
    expect.stringContaining(`${file}:5: no such file [${world.path}/none]`),
  ]);
  expect(await run('config', '--check', '--json', file)).toBe(1);
  expect(JSON.parse(printed())).toMatchObject({
    file,
    isThere: true,
    mistakes: [{ line: 1, key: 'quotta' }, {}, {}, {}],
  });
});

it('config --check says that there are none, and warns of what is probably not meant', async () => {
  const { world, must, noted, run } = await testProgram();
  await world.file('data/users', `bob:${hashSync('x', 4)}\n`);
  expect(await must('config', '--check')).toBe('');
  expect(noted().join()).toContain('No file, the defaults hold');
  const file = await world.file('data/registry.toml', TEXT);
  expect(await must('config', '--check')).toBe('');
  const said = noted();
  expect(said[0]).toContain('WARNING: rules name users that');
  expect(said[1]).toBe(`No mistakes in ${file}`);
  const alone = await world.file('alone.toml', '[[rule]]\nusers = ["anna"]\nallow = ["pull"]\n');
  await must('config', '--check', alone);
  expect(noted()[0]).toContain(`WARNING: ${alone}:2: a rule names users, and auth is not here`);
  await expect(run('config', '--check', `${alone}.none`)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
});

it('config refuses what does not go together', async () => {
  const { run } = await testProgram();
  await expect(run('config', 'a.toml')).rejects.toMatchObject({ code: 'USAGE' });
  await expect(run('config', '--show', '--check')).rejects.toMatchObject({ code: 'USAGE' });
});
