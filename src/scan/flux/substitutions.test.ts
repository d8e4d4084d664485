// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Flux's variables
import { describe, expect, it } from 'vitest';
import { imagesOf } from '../images.ts';
import { scanFiles } from '../testing/scan-files.ts';

type Files = Readonly<Record<string, string>>;

const flux = (path: string, postBuild: string, name = 'apps') =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: ${name}, namespace: flux-system}\nspec:\n  path: ${path}\n  sourceRef: {kind: GitRepository, name: g}\n  postBuild: ${postBuild}\n`;
const pod = (image: string, annotations = '{}') =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: ${annotations}}\nspec:\n  containers: [{name: a, image: "${image}"}]\n`;
const used = async (files: Files): Promise<readonly string[]> => imagesOf(await scanFiles(files));

describe("Flux's variables", () => {
  it('are put into the files below the directory, and outweigh defaults', async () => {
    const files = {
      'clusters/one/apps.yaml': flux('./apps', '{substitute: {TAG: "2.5", N: 3}}'),
      'apps/deep/a.yaml': pod('q.io/a:${TAG:=1.0}-${N}'),
      'other/a.yaml': pod('q.io/b:${TAG:=1.0}'),
    };
    expect(await used(files)).toEqual(['q.io/a:2.5-3', 'q.io/b:1.0']);
  });

  it('are put into what a kustomization makes there, also from files in other directories', async () => {
    const files = {
      'clusters/apps.yaml': flux('apps/prod', '{substitute: {TAG: "2"}}'),
      'apps/prod/kustomization.yaml': 'resources: [../base]\n',
      'apps/base/kustomization.yaml': 'resources: [a.yaml]\n',
      'apps/base/a.yaml': pod('q.io/a:${TAG}'),
    };
    const found = await scanFiles(files);
    expect(imagesOf(found)).toEqual(['q.io/a:2']);
    expect(found.warnings).toEqual([]);
    expect(found.findings[0]?.position).toMatchObject({ file: 'apps/base/a.yaml', line: 5 });
  });

  it('may differ from cluster to cluster', async () => {
    const files = {
      'clusters/one.yaml': flux('./apps', '{substitute: {TAG: "1"}}'),
      'clusters/two.yaml': flux('./apps', '{substitute: {TAG: "2"}}'),
      'apps/a.yaml': pod('q.io/a:${TAG}'),
    };
    expect(await used(files)).toEqual(['q.io/a:1', 'q.io/a:2']);
  });

  it('may be so many that a warning says which are not looked at', async () => {
    const clusters = (count: number): Files =>
      Object.fromEntries(
        Array.from({ length: count }, (_, at) => [
          `clusters/${100 + at}.yaml`,
          flux('./apps', `{substitute: {TAG: "${at}"}}`),
        ]),
      );
    const apps = { 'apps/a.yaml': pod('q.io/a:${TAG}'), 'apps/b.yaml': pod('q.io/b:${B:=1}') };
    const hundred = await scanFiles({ ...clusters(100), ...apps });
    expect([hundred.findings.length, hundred.warnings]).toEqual([101, []]);
    const more = await scanFiles({ ...clusters(103), ...apps });
    expect(more.warnings).toMatchObject([
      { file: 'clusters/200.yaml', text: expect.stringContaining('not looked at') },
    ]);
    const built = await scanFiles({ ...clusters(103), ...apps, 'apps/kustomization.yaml': 'resources: [a.yaml]\n' });
    expect(built.warnings).toMatchObject([{ file: 'clusters/200.yaml' }]);
  });

  it('come from ConfigMaps, Secrets, and what generates them', async () => {
    const from =
      '{substituteFrom: [{kind: ConfigMap, name: vars}, {kind: Secret, name: hidden}, {kind: ConfigMap, name: made}], substitute: {C: "3"}}';
    const files = {
      'clusters/apps.yaml': flux('./apps', from),
      'clusters/vars.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars, namespace: flux-system}\ndata: {A: "1", C: never}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars, namespace: other}\ndata: {A: wrong}\n',
      'clusters/hidden.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: hidden}\ndata: {B: ${Buffer.from('2').toString('base64')}}\n`,
      'made/kustomization.yaml': 'configMapGenerator: [{name: made, literals: [D=4], envs: [more.env]}]\n',
      'made/more.env': 'E=5\n',
      'apps/a.yaml': pod('q.io/${A}/${B}:${C}.${D}.${E}'),
    };
    expect(await used(files)).toEqual(['q.io/1/2:3.4.5']);
  });

  it('come from the nearest of several objects of one name', async () => {
    const vars = (tag: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars}\ndata: {TAG: "${tag}"}\n`;
    const from = '{substituteFrom: [{kind: ConfigMap, name: vars}]}';
    const files = {
      'clusters/one/apps.yaml': flux('./apps', from),
      'clusters/one/vars.yaml': vars('1'),
      'clusters/two/vars.yaml': vars('2'),
      'apps/a.yaml': pod('q.io/a:${TAG}'),
    };
    expect(await used(files)).toEqual(['q.io/a:1']);
    const doubtful = await scanFiles({
      'vars-a.yaml': vars('1'),
      'vars-b.yaml': vars('2'),
      'flux.yaml': flux('./apps', from),
      'apps/a.yaml': pod('q.io/a:${TAG}'),
    });
    expect(imagesOf(doubtful)).toEqual([]);
    expect(imagesOf(doubtful, { maybe: true })).toEqual(['q.io/a:1', 'q.io/a:2']);
  });

  it('may stand in objects that set variables themselves', async () => {
    const files = {
      'clusters/top.yaml': flux('./clusters/one', '{substitute: {GLOBAL: "7"}}', 'top'),
      'clusters/one/apps.yaml': flux('./apps', '{substitute: {TAG: "${GLOBAL}"}}'),
      'apps/a.yaml': pod('q.io/a:${TAG}'),
    };
    expect(await used(files)).toEqual(['q.io/a:7']);
  });

  it('belong to a path of the repository, of which the tree may be a part, or which it may hold', async () => {
    expect(
      await used({
        'repo/flux.yaml': flux('./apps', '{substitute: {T: "1"}}'),
        'repo/apps/a.yaml': pod('q.io/a:${T}'),
      }),
    ).toEqual(['q.io/a:1']);
    expect(
      await used({ 'flux.yaml': flux('./deploy/apps', '{substitute: {T: "1"}}'), 'apps/a.yaml': pod('q.io/a:${T}') }),
    ).toEqual(['q.io/a:1']);
  });

  it('that nobody sets, that are encrypted, or that are excluded cause a warning', async () => {
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {T: "ENC[AES256_GCM,data:x]"}\n';
    const files = {
      'flux.yaml': flux(
        './apps',
        '{substitute: {U: "1"}, substituteFrom: [{kind: Secret, name: s}, {kind: ConfigMap, name: absent, optional: true}]}',
      ),
      'secret.yaml': secret,
      'apps/a.yaml': pod('q.io/a:${T}'),
      'apps/b.yaml': pod('q.io/b:${U}', '{kustomize.toolkit.fluxcd.io/substitute: disabled}'),
    };
    const { findings, warnings } = await scanFiles(files);
    expect(findings).toEqual([]);
    expect(warnings).toMatchObject([{ file: 'apps/a.yaml' }, { file: 'apps/b.yaml' }]);
  });

  it('are put into texts that do not parse', async () => {
    const files = { 'flux.yaml': flux('.', '{substitute: {T: "1"}}'), 'a.yaml': 'a: [\n  image: q.io/a:${T}\n' };
    expect(await used(files)).toEqual(['q.io/a:1']);
  });
});
