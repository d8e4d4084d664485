// Certificates for tests, made with openssl: a CA, and a server certificate signed by it for 127.0.0.1 and localhost.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../../../../test/peers/process.ts';

export interface TestCertificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Makes the certificates in `directory`. */
export async function makeCertificates(directory: string): Promise<TestCertificates> {
  const file = (name: string) => join(directory, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await must('openssl', [
    ...[
      'req',
      '-x509',
      ...key,
      '-days',
      '3650',
      '-subj',
      '/CN=Test CA',
      '-keyout',
      file('ca.key'),
      '-out',
      file('ca.crt'),
    ],
    ...['-addext', 'basicConstraints=critical,CA:TRUE'],
  ]);
  await must('openssl', [
    ...[
      'req',
      '-x509',
      ...key,
      '-days',
      '3650',
      '-subj',
      '/CN=registry',
      '-keyout',
      file('reg.key'),
      '-out',
      file('reg.crt'),
    ],
    ...['-CA', file('ca.crt'), '-CAkey', file('ca.key')],
    ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:registry.example.com'],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
  ]);
  const read = (name: string) => readFile(file(name), 'utf8');
  return { ca: await read('ca.crt'), cert: await read('reg.crt'), key: await read('reg.key') };
}
