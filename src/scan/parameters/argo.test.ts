import { describe, expect, it } from 'vitest';
import { maybeIn, scanText, usedIn } from '../testing/scan-files.ts';

const workflow = (spec: string, kind = 'Workflow') => `apiVersion: argoproj.io/v1alpha1\nkind: ${kind}\nspec:\n${spec}`;
const RELEASE = '  arguments: {parameters: [{name: release, value: 9}]}\n';

describe("Argo's parameters", () => {
  it.each(['Workflow', 'WorkflowTemplate', 'ClusterWorkflowTemplate'])('of a %s go into its images', (kind) => {
    const templates =
      '  templates:\n  - {name: a, container: {image: "q.io/a:{{workflow.parameters.release}}"}}\n  - {name: b, script: {image: "q.io/b:{{= workflow.parameters[\'release\'] }}", source: x}}\n';
    const text = workflow(RELEASE + templates, kind);
    expect(scanText(text).warnings).toEqual([]);
    expect(usedIn(text)).toEqual(['q.io/a:9', 'q.io/b:9']);
  });

  it('of a cron workflow too', () => {
    const text = workflow(
      '  workflowSpec:\n    arguments: {parameters: [{name: v, value: 3}]}\n    templates: [{name: a, container: {image: "q.io/a:{{workflow.parameters.v}}"}}]\n',
      'CronWorkflow',
    );
    expect(usedIn(text)).toEqual(['q.io/a:3']);
  });

  it('are inputs whose defaults are used if nobody gives a value', () => {
    const text = workflow(
      '  templates:\n  - name: a\n    inputs: {parameters: [{name: image, default: q.io/a}, {name: tag, value: v1}]}\n    container: {image: "{{inputs.parameters.image}}:{{inputs.parameters.tag}}"}\n',
    );
    expect([usedIn(text), maybeIn(text)]).toEqual([['q.io/a:v1'], []]);
  });

  it('are given by steps and tasks, each call in its own way', () => {
    const text = workflow(`${RELEASE}  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: x, template: run, arguments: {parameters: [{name: tag, value: "1"}]}}
      - {name: y, template: middle, arguments: {parameters: [{name: v, value: "{{workflow.parameters.release}}"}]}}
  - name: middle
    inputs: {parameters: [{name: v}]}
    dag: {tasks: [{name: z, template: run, arguments: {parameters: [{name: tag, value: "{{inputs.parameters.v}}.1"}]}}]}
  - name: run
    inputs: {parameters: [{name: tag, default: never}]}
    container: {image: "q.io/run:{{inputs.parameters.tag}}"}
`);
    expect(scanText(text).warnings).toEqual([]);
    expect([usedIn(text), maybeIn(text)]).toEqual([['q.io/run:1', 'q.io/run:9.1'], []]);
  });

  it('are given by the workflow to the template at which it begins', () => {
    const text = workflow(
      '  entrypoint: main\n  arguments: {parameters: [{name: tag, value: v5}]}\n  templates: [{name: main, inputs: {parameters: [{name: tag}]}, container: {image: "q.io/a:{{inputs.parameters.tag}}"}}]\n',
    );
    expect(usedIn(text)).toEqual(['q.io/a:v5']);
  });

  it('come from loops, over what is written and over what a parameter lists', () => {
    const step = (loop: string, value: string) =>
      workflow(
        `  entrypoint: main\n  arguments: {parameters: [{name: list, value: '["1", "2"]'}]}\n  templates:\n  - name: main\n    steps: [[{name: x, template: run, arguments: {parameters: [{name: tag, value: "${value}"}]}, ${loop}}]]\n  - {name: run, inputs: {parameters: [{name: tag}]}, container: {image: "q.io/a:{{inputs.parameters.tag}}"}}\n`,
      );
    expect(usedIn(step('withItems: [v1, v2]', '{{item}}'))).toEqual(['q.io/a:v1', 'q.io/a:v2']);
    expect(usedIn(step('withItems: [{t: v1}, {t: v2}]', '{{item.t}}'))).toEqual(['q.io/a:v1', 'q.io/a:v2']);
    const many = Array.from({ length: 500 }, (_, at) => `v${at}`);
    expect(usedIn(step(`withItems: [${many.join(', ')}]`, '{{item}}'))).toHaveLength(500);
    expect(usedIn(step('withParam: "{{workflow.parameters.list}}"', '{{item}}'))).toEqual(['q.io/a:1', 'q.io/a:2']);
  });

  it('that only a run decides cause a warning; the default is not used', () => {
    const text = workflow(`  entrypoint: main
  templates:
  - {name: main, steps: [[{name: x, template: run, arguments: {parameters: [{name: tag, value: "{{steps.a.outputs.result}}"}]}}]]}
  - {name: run, inputs: {parameters: [{name: tag, default: "1"}]}, container: {image: "q.io/run:{{inputs.parameters.tag}}"}}
`);
    expect(usedIn(text)).toEqual([]);
    expect(scanText(text).warnings).toMatchObject([{ text: expect.stringContaining('placeholder') }]);
  });

  it('of templates that call each other without end are followed to an end', () => {
    const call = (name: string, other: string) =>
      `  - {name: ${name}, inputs: {parameters: [{name: t, default: "1"}]}, steps: [[{name: x, template: ${other}, arguments: {parameters: [{name: t, value: "{{inputs.parameters.t}}1"}]}}, {name: y, template: ${other}, arguments: {parameters: [{name: t, value: "{{inputs.parameters.t}}2"}]}}]]}\n`;
    const text = workflow(
      `  entrypoint: a\n  templates:\n${call('a', 'b')}${call('b', 'a')}  - {name: c, container: {image: "q.io/c:1"}}\n`,
    );
    expect(usedIn(text)).toEqual(['q.io/c:1']);
    expect(scanText(text).warnings).toMatchObject([
      { text: expect.stringMatching(/template \[[ab]\] is called in so many ways/) },
    ]);
  });

  it('of too many items cause one warning for each document', () => {
    const items = Array.from({ length: 1200 }, (_, at) => `v${at}`).join(', ');
    const text = workflow(
      `  entrypoint: main\n  templates:\n  - name: main\n    steps: [[{name: x, template: run, arguments: {parameters: [{name: tag, value: "{{item}}"}]}, withItems: [${items}]}]]\n  - {name: run, inputs: {parameters: [{name: tag}]}, container: {image: "q.io/a:{{inputs.parameters.tag}}"}}\n`,
    );
    expect(usedIn(text).length).toBeGreaterThan(900);
    expect(scanText(text).warnings).toMatchObject([
      { line: 1, text: 'the step [x] is run for more than 1000 items: not all of its images are found' },
    ]);
  });

  it('are those of analyses too', () => {
    const analysis =
      'apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nspec:\n  args: [{name: v, value: "6"}]\n  metrics: [{name: m, provider: {job: {spec: {template: {spec: {containers: [{name: a, image: "q.io/a:{{args.v}}"}]}}}}}}]\n';
    expect(usedIn(analysis)).toEqual(['q.io/a:6']);
  });
});
