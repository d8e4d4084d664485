// The images listed in annotations of Chart.yaml. The list is for readers and mirrors and also contains images that are off by default: all are maybes.
// Format: artifacthub.io/docs/topics/annotations/helm (`artifacthub.io/images`); Helm's own `helm.sh/images`, Bitnami's `images`.
import type { Finding } from '../contract.ts';
import { fieldOf } from '../fields.ts';
import { judgeImage } from '../image-text.ts';
import { parseYaml } from '../yaml.ts';
import type { Chart } from './chart.ts';
import { pathIn } from './chart-parts.ts';
import { isDictionary } from './template/values.ts';

const NAMES = ['artifacthub.io/images', 'helm.sh/images', 'images'];

export async function annotatedImages(chart: Chart): Promise<readonly Finding[]> {
  const file = pathIn(chart.directory, 'Chart.yaml');
  const annotations = chart.metadata.annotations;
  if (!isDictionary(annotations)) return [];
  const [document] = await chart.tree.documents(file);
  return NAMES.flatMap((name) => {
    const text = annotations[name];
    const inner = typeof text === 'string' ? parseYaml(file, text).documents[0] : undefined;
    const list = inner ? inner.value : text;
    if (!Array.isArray(list)) return [];
    return list.flatMap((entry, index): Finding[] => {
      const judged = judgeImage(fieldOf(entry, 'image') ?? entry);
      if (judged.kind !== 'image') return [];
      return [
        {
          image: judged.image,
          certainty: 'maybe',
          reason: `Chart.yaml lists it under ${name}, but no template uses it by default`,
          rule: 'helm, annotations',
          position: {
            file,
            line: document?.lineInText(['annotations', name], inner?.lineOf([index, 'image']) ?? 1) ?? 1,
            path: `annotations["${name}"]`,
          },
        },
      ];
    });
  });
}
