// The tables of keys in docs/configuration.md, from the table that the parser goes by. Pure.
import { CONFIG_KEYS, type ConfigKey } from '../../tasks/private-registry/config-keys.ts';

const HOLDS: Readonly<Record<ConfigKey['holds'], string>> = {
  soon: 'within seconds',
  reloaded: '`lreg_reload`',
  restarted: 'restart',
};

export function configReference(): string {
  const rows = CONFIG_KEYS.map(({ key, example, usual, help, option, holds }) => {
    const without = 'value' in usual ? `\`${JSON.stringify(usual.value)}\`` : usual.means;
    const value = key === 'keep' || key === 'rule' ? `[[${key}]]` : `${key} = ${example}`;
    return row([`\`${value}\``, option ? `\`--${option.name}\`` : '', help, without, HOLDS[holds]]);
  });
  const lists = CONFIG_KEYS.flatMap(({ key, help, fields }) => {
    if (!fields) return [];
    const inside = fields.map(({ name, example, help: what }) => row([`\`${name} = ${example}\``, what]));
    return [`\n\`[[${key}]]\`: ${help}.\n\n| key | what it says |\n|---|---|\n${inside.join('')}`];
  });
  return `| key | option | what it says | without it | a change holds |\n|---|---|---|---|---|\n${rows.join('')}${lists.join('')}`.trimEnd();
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}
