// Istio's notation: `hub` and `tag` once, with bare image names below (istio.io/latest/docs/reference/config/istio.operator.v1alpha1, `hub`).
import { withoutEnd } from '../../io/text/trim-end.ts';
import type { Finding, ListedRule, ScannedDocument } from '../contract.ts';
import { asFields, scalarOf, textOf } from '../fields.ts';
import { maybe, used } from '../findings.ts';
import { judgeImage } from '../image-text.ts';
import { pathOf } from '../path.ts';
import { mayMention, type Visit, visitsOf } from '../walk.ts';

const RULE = 'hub-images';

export const hubImages: ListedRule = {
  name: RULE,
  clue: /hub/i,
  sample: 'kind: IstioOperator\nspec: {hub: docker.io/istio, tag: 1.9.0, image: pilot}\n',
  matches: (document) => mayMention(document, /hub/),
  *find(document) {
    for (const visit of visitsOf(document)) {
      const hub = textOf(visit.value, 'hub');
      const tag = scalarOf(visit.value, 'tag');
      if (hub?.includes('/') && tag) yield* imagesBelow(document, visit, { hub: withoutEnd(hub, '/'), tag });
    }
  },
};

/** Images that the injector substitutes into its template are in use. For others, only istioctl knows what it makes of them. */
function* imagesBelow(
  document: ScannedDocument,
  visit: Visit,
  { hub, tag }: { readonly hub: string; readonly tag: string },
): Iterable<Finding> {
  for (const [key, child] of Object.entries({ '': visit.value, ...asFields(visit.value) })) {
    const name = textOf(child, 'image');
    if (name === undefined || /[/:]/.test(name)) continue;
    const judged = judgeImage(`${hub}/${name}:${scalarOf(child, 'tag') ?? tag}`);
    if (judged.kind !== 'image') continue;
    const spot = { document, path: [...pathOf(visit), ...(key === '' ? [] : [key]), 'image'], rule: RULE };
    if (document.isEmbedded || key === '') yield used(judged.image, spot);
    else yield maybe(judged.image, 'it is put together from hub and tag by what reads them', spot);
  }
}
