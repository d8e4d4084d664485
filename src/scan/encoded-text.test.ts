import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodedText } from './encoded-text.ts';
import { maybeIn, scanFiles, scanText, usedIn, whyIn } from './testing/scan-files.ts';

const POD = 'apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    image: quay.io/a/b:1\n';
const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64');
const wrapped = (text: string) => (base64(text).match(/.{1,40}/g) ?? []).join('\n      ');

describe('an encoded text', () => {
  it.each([
    ["cloud-init's, base64", `#cloud-config\nwrite_files:\n- {path: /a, encoding: b64, content: ${base64(POD)}}\n`],
    [
      "cloud-init's, gzip and base64",
      `#cloud-config\nwrite_files:\n- {path: /a, encoding: gz+b64, content: ${base64(gzipSync(POD))}}\n`,
    ],
    [
      "cloud-init's, of several lines",
      `#cloud-config\nwrite_files:\n- path: /a\n  encoding: b64\n  content: |\n      ${wrapped(POD)}\n`,
    ],
    ["cloud-init's, as YAML's binary", `#cloud-config\nwrite_files:\n- content: !!binary |\n      ${wrapped(POD)}\n`],
    [
      "Cluster API's",
      `apiVersion: bootstrap.cluster.x-k8s.io/v1beta1\nkind: KubeadmConfig\nspec: {files: [{path: /a, encoding: gzip+base64, content: ${base64(gzipSync(POD))}}]}\n`,
    ],
    [
      "Ignition's, base64",
      JSON.stringify({
        ignition: { version: '3.4.0' },
        storage: { files: [{ contents: { source: `data:text/plain;charset=utf-8;base64,${base64(POD)}` } }] },
      }),
    ],
    [
      "Ignition's, compressed",
      JSON.stringify({ contents: { compression: 'gzip', source: `data:;base64,${base64(gzipSync(POD))}` } }),
    ],
    ["Ignition's, with percent signs", JSON.stringify({ contents: { source: `data:,${encodeURIComponent(POD)}` } })],
    ['of a ConfigMap', `apiVersion: v1\nkind: ConfigMap\nbinaryData: {a.yaml: ${base64(POD)}}\n`],
    [
      'of a virtual machine',
      `apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nspec: {cloudInitNoCloud: {userDataBase64: ${base64(`#cloud-config\nwrite_files:\n- content: ${base64(POD)}\n`)}}}\n`,
    ],
  ])('in %s is decoded and searched', (_, text) => {
    expect(usedIn(text)).toEqual(['quay.io/a/b:1']);
  });

  it('has the line at which it begins as position', () => {
    const secret = `apiVersion: v1\nkind: Secret\ndata:\n  a: |\n      ${wrapped(POD)}\n`;
    expect(whyIn(secret)).toEqual(['quay.io/a/b:1 5 data.a > spec.containers[0].image']);
  });

  it('is decoded and searched in a big file, too', () => {
    const padding = `#cloud-config\n# ${'x '.repeat(8192)}\n`;
    expect(usedIn(`${padding}write_files:\n- content: ${base64(POD)}\n`)).toEqual(['quay.io/a/b:1']);
  });

  it.each([
    ['bytes that are no text', base64(Uint8Array.from({ length: 64 }, (_, index) => 255 - index))],
    ['gzip that breaks off', base64(gzipSync(POD).subarray(0, 40))],
    ['gzip of far more than a text', base64(gzipSync(Buffer.alloc(32 << 20)))],
    ['a data URL that is none', 'data:,%E0%A4%A'],
    ['words', 'the quick brown fox jumps over it'],
  ])('is not seen in %s', (_, text) => {
    expect(decodedText(text)).toBeUndefined();
    expect(scanText(`a: "${text}"\n`)).toEqual({ findings: [], warnings: [] });
    expect(maybeIn(`apiVersion: v1\nkind: Secret\ndata: {a: "${text}"}\n`)).toEqual([]);
  });

  it('that is too long causes a warning if it begins like a text', () => {
    const cloudInit = (content: Uint8Array) =>
      `#cloud-config\nwrite_files:\n- content: ${base64(gzipSync(content, { level: 1 }))}\n`;
    const long = Buffer.from(`${POD}# ä\n`.repeat(50_000));
    expect(scanText(cloudInit(long)).warnings).toEqual([
      expect.objectContaining({
        line: 3,
        text: expect.stringMatching(/^write_files\[0\]\.content: a text of more than 4 MiB/),
      }),
    ]);
    expect(scanText(cloudInit(Buffer.alloc(5 << 20))).warnings).toEqual([]);
  });

  it('is decoded up to a limit for all texts of a scan; a warning names what is left out', async () => {
    const packed = base64(gzipSync(Buffer.from(`${POD}# ${' '.repeat(3 << 20)}`)));
    const entry = `- content: ${packed}\n`;
    const files = { 'a.yaml': `write_files:\n${entry.repeat(4)}`, 'b.yaml': `write_files:\n${entry.repeat(4)}` };
    const { findings, warnings } = await scanFiles(files);
    expect(findings.map(({ image }) => image)).toContain('quay.io/a/b:1');
    expect(warnings.map(({ file }) => file)).toContain('b.yaml');
    expect(warnings.map(({ file }) => file)).not.toContain('a.yaml');
  });
});
