// Values in the configuration of a runtime, which may be anything: what has the wrong type is left out.
import { parse } from 'smol-toml';
import { isObject, type Json } from '../../oci/decode.ts';
import type { NodeFinding } from './contract.ts';

/** Empty with a finding if it cannot be read: the runtimes fail then. */
export function tomlOf(path: string, text: string, findings: NodeFinding[]): Json {
  try {
    return parse(text);
  } catch {
    const finding = { what: `${path} is not TOML`, mend: 'Correct the file, or remove it.' };
    if (!findings.some(({ what }) => what === finding.what)) findings.push(finding);
    return {};
  }
}

/** Those of a list that are texts. */
export function textList(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

/** The tables of a list. */
export function tableList(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
