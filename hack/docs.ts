/**
 * Writes the generated parts of README.md, each between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
 *
 *   node hack/docs.ts           write them
 *   node hack/docs.ts --check   fail where one differs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../src/cli/gpumix.ts';
import { gatewaySettings } from '../src/config/gateway-config.ts';
import { settings } from '../src/config/serve-config.ts';
import { flagOf, type SettingsTable, variableOf } from '../src/config/settings.ts';
import { faultKinds } from '../src/simulation/faults.ts';
import { errorCodes } from '../src/vocabulary/errors.ts';

const file = join(import.meta.dirname, '../README.md');

const help = async (...argv: string[]): Promise<string> => {
  let text = '';
  await main([...argv, '--help'], {
    stdout: (part) => {
      text += part;
    },
    stderr: () => {},
  });
  return text.trimEnd();
};

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const code = (text: string): string => (text === '' ? '' : `\`${text}\``);

const settingsTable = (settings: SettingsTable): string =>
  table(
    ['flag', 'environment', 'default', 'meaning'],
    Object.entries(settings).map(([name, row]) => [
      code(`--${flagOf(name)}`),
      code(variableOf(name, row)),
      code(row.default),
      row.help.replaceAll('|', '\\|').replaceAll('<', '&lt;'),
    ]),
  );

const parts: Readonly<Record<string, string>> = {
  commands: `\`\`\`\n${await help()}\n\`\`\``,
  settings: settingsTable(settings),
  'gateway-settings': settingsTable(gatewaySettings),
  faults: table(
    ['fault', 'what happens'],
    Object.entries(faultKinds).map(([kind, { gpu, lasts, help: what }]) => [
      code(`${kind}${gpu ? '[:GPU]' : ''}@FROM${lasts ? '-UNTIL' : ''}`),
      what,
    ]),
  ),
  errors: table(
    ['code', 'meaning'],
    Object.entries(errorCodes).map(([name, meaning]) => [code(name), meaning]),
  ),
};

const before = readFileSync(file, 'utf8');
const after = Object.entries(parts).reduce((text, [name, part]) => {
  const between = new RegExp(`(<!-- ${name}:begin -->\n)[\\s\\S]*?(\n<!-- ${name}:end -->)`);
  if (!between.test(text)) throw new Error(`README.md has no part called ${name}`);
  return text.replace(between, (_whole, begin: string, end: string) => `${begin}${part}${end}`);
}, before);
if (process.argv.includes('--check')) {
  if (after !== before) {
    console.error('README.md is not what hack/docs.ts writes');
    process.exitCode = 1;
  }
} else writeFileSync(file, after);
