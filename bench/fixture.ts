// What the benchmarks copy and search: 15 images, ~350 MB, three of which share a layer of 220 MB, in a docker-registry's data directory that is kept in
// bench/.cache. The layers are real ones (gzipped tars) whose contents do not compress.
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildImage, pushImage, randomLayer } from '../test/fixtures/image.ts';
import { startDockerRegistry } from '../test/peers/docker-registry.ts';

/** A large real overlay, where it is provided beside the checkout. */
export const CALICO = join(import.meta.dirname, '../../shared/corpus/ovl/k8s-cni-calico');

export const CACHE = join(import.meta.dirname, '.cache');
const MB = 1_000_000;

/** `bench/image-01:1` … `bench/image-15:1`. */
export const IMAGES: readonly string[] = Array.from(
  { length: 15 },
  (_, index) => `bench/image-${String(index + 1).padStart(2, '0')}:1`,
);

/** The directory for a docker-registry that holds them; made once. */
export async function upstreamData(): Promise<string> {
  const data = join(CACHE, 'upstream-1');
  if (existsSync(data)) return data;
  const making = `${data}.${process.pid}`;
  await mkdir(CACHE, { recursive: true });
  await using registry = await startDockerRegistry({ data: making });
  const shared = randomLayer('shared', 220 * MB);
  for (const [index, name] of IMAGES.entries()) {
    const own = [randomLayer(`${name} base`, 7.5 * MB), randomLayer(`${name} top`, 0.9 * MB)];
    await pushImage(registry.base, name, buildImage({ layers: index % 5 === 2 ? [shared, ...own] : own }));
  }
  await rename(making, data);
  return data;
}

/** An overlay whose manifests use these images, one Deployment each. */
export async function writeOverlay(directory: string, images: readonly string[]): Promise<void> {
  const manifests = join(directory, 'default/etc/kubernetes');
  await rm(directory, { recursive: true, force: true });
  await mkdir(manifests, { recursive: true });
  for (const [index, image] of images.entries()) {
    await writeFile(join(manifests, `app-${index + 1}.yaml`), deployment(`app-${index + 1}`, image));
  }
}

/** `count` manifests of 1–2 KB in directories of 100: a large collection to search. */
export async function writeCollection(directory: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const folder = join(directory, `group-${Math.floor(index / 100)}`);
    if (index % 100 === 0) await mkdir(folder, { recursive: true });
    const padding = `  # ${'a line that says nothing about images, '.repeat(2)}\n`.repeat(index % 9);
    const text = deployment(
      `app-${index}`,
      `registry.example.com/team-${index % 40}/app-${index % 700}:v1.${index % 7}`,
    );
    await writeFile(join(folder, `app-${index}.yaml`), `${text}${padding}`);
  }
}

function deployment(name: string, image: string): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  labels: {app: ${name}, tier: backend}
spec:
  selector: {app: ${name}}
  ports:
  - {name: http, port: 80, targetPort: 8080, protocol: TCP}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: default
  labels:
    app: ${name}
    tier: backend
spec:
  replicas: 2
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
        tier: backend
    spec:
      containers:
      - name: main
        image: ${image}
        imagePullPolicy: IfNotPresent
        args: ["--listen=:8080", "--log-level=info"]
        env:
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        ports:
        - containerPort: 8080
        resources:
          limits: {cpu: 500m, memory: 128Mi}
          requests: {cpu: 100m, memory: 64Mi}
        readinessProbe:
          httpGet: {path: /healthz, port: 8080}
          periodSeconds: 5
`;
}
