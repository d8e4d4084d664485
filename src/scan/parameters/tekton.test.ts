import { describe, expect, it } from 'vitest';
import { maybeIn, scanText, usedIn, whyIn } from '../testing/scan-files.ts';

const task = (params: string, steps: string, kind = 'Task') =>
  `apiVersion: tekton.dev/v1\nkind: ${kind}\nspec:\n  params: ${params}\n  steps: ${steps}\n`;

describe("Tekton's parameters", () => {
  it('have defaults that go into images, whole or in parts, and are not read again', () => {
    const text = task(
      '[{name: image, default: "q.io/a:1"}, {name: TOOL_IMAGE, default: q.io/tool}, {name: tag, default: "1.20"}]',
      '[{name: a, image: $(params.image)}, {name: b, image: "$(params.TOOL_IMAGE):$(inputs.params.tag)"}, {name: c, image: "q.io/c:$(params[\'tag\'])"}]',
    );
    expect(scanText(text).warnings).toEqual([]);
    expect([usedIn(text), maybeIn(text)]).toEqual([['q.io/a:1', 'q.io/c:1.20', 'q.io/tool:1.20'], []]);
    expect(whyIn(text)[0]).toBe('q.io/a:1 5 spec.steps[0].image');
  });

  it.each(['ClusterTask', 'Task'])('of a %s, a step template and a sidecar', (kind) => {
    const spec = `apiVersion: tekton.dev/v1beta1\nkind: ${kind}\nspec:\n  inputs: {params: [{name: v, default: 2}]}\n  stepTemplate: {image: "q.io/t:$(inputs.params.v)", command: [x]}\n  sidecars: [{name: s, image: "q.io/s:$(inputs.params.v)"}]\n`;
    expect(usedIn(spec)).toEqual(['q.io/s:2', 'q.io/t:2']);
  });

  it('of a step action', () => {
    const text =
      'apiVersion: tekton.dev/v1beta1\nkind: StepAction\nspec:\n  params: [{name: v, default: "3"}]\n  image: q.io/a:$(params.v)\n';
    expect(usedIn(text)).toEqual(['q.io/a:3']);
  });

  it('may be lists and maps', () => {
    const text = task(
      '[{name: images, type: array, default: ["q.io/a:1", "q.io/b:2"]}, {name: tool, type: object, default: {name: q.io/t, tag: v1}}]',
      '[{name: a, image: "$(params.images[1])"}, {name: b, image: "$(params.tool.name):$(params.tool.tag)"}]',
    );
    expect(usedIn(text)).toEqual(['q.io/b:2', 'q.io/t:v1']);
  });

  it('are given by runs and by tasks of pipelines to the tasks in them', () => {
    const run =
      'apiVersion: tekton.dev/v1\nkind: TaskRun\nspec:\n  params: [{name: v, value: "9"}]\n  taskSpec: {params: [{name: v, default: "1"}, {name: w, default: "5"}], steps: [{name: a, image: "q.io/a:$(params.v)-$(params.w)"}]}\n';
    expect(usedIn(run)).toEqual(['q.io/a:9-5']);
    const inner =
      '{name: t, params: [{name: version, value: "$(params.v)"}], taskSpec: {params: [{name: version}], steps: [{name: a, image: "q.io/a:$(params.version)"}]}}';
    expect(
      usedIn(
        `apiVersion: tekton.dev/v1\nkind: Pipeline\nspec:\n  params: [{name: v, default: "7"}]\n  tasks: [${inner}]\n`,
      ),
    ).toEqual(['q.io/a:7']);
    expect(
      usedIn(
        `apiVersion: tekton.dev/v1\nkind: PipelineRun\nspec:\n  params: [{name: v, value: "8"}]\n  pipelineSpec: {params: [{name: v, default: "7"}], tasks: [${inner}]}\n`,
      ),
    ).toEqual(['q.io/a:8']);
  });

  it('of a trigger template go into the resources that it makes', () => {
    const text =
      'apiVersion: triggers.tekton.dev/v1beta1\nkind: TriggerTemplate\nspec:\n  params: [{name: v, default: "4"}]\n  resourcetemplates:\n  - apiVersion: tekton.dev/v1\n    kind: TaskRun\n    spec: {taskSpec: {steps: [{name: a, image: "q.io/a:$(tt.params.v)"}]}}\n';
    expect(usedIn(text)).toEqual(['q.io/a:4']);
  });

  it('without a default, or with an empty one, leave a warning', () => {
    for (const params of ['[{name: image}]', '[{name: image, default: ""}]', '[]']) {
      const { findings, warnings } = scanText(task(params, '[{name: a, image: $(params.image)}]'));
      expect(findings).toEqual([]);
      expect(warnings).toMatchObject([{ line: 5, text: expect.stringContaining('$(params.image)') }]);
    }
  });

  it('with image names are listed even if they only go into a script', () => {
    const text = task(
      '[{name: BUILDER_IMAGE, default: "q.io/b/b:1"}]',
      '[{name: a, image: "x:1", script: "pull $(params.BUILDER_IMAGE)"}]',
    );
    expect(usedIn(text)).toEqual(['q.io/b/b:1', 'x:1']);
  });

  it('are put into objects of Tekton only', () => {
    const text = `apiVersion: v1\nkind: Pod\nspec:\n  params: [{name: v, default: "1"}]\n  containers: [{name: a, image: "q.io/a:$(params.v)"}]\n`;
    expect(usedIn(text)).toEqual([]);
  });
});
