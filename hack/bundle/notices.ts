import type { BundledPackage } from './packages.ts';

const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

const line = '-'.repeat(80);

/**
 * THIRD_PARTY_NOTICES: each package of which code is in the bundle, with the text of its licence.
 * @throws Error where a package has no licence file and its licence is not MIT, whose text we know
 */
export const notices = (packages: readonly BundledPackage[]): string => {
  const head = `gpumix contains code of these ${packages.length} packages, under their own licences.`;
  const parts = packages.map((one) =>
    [line, `${one.name} ${one.version} (${one.license})`, one.repository, '', textOf(one)].join('\n'),
  );
  return `${[head, '', ...parts].join('\n')}\n`;
};

const textOf = ({ name, license, author, texts }: BundledPackage): string => {
  if (texts.length > 0) return texts.join('\n\n').replaceAll('\r\n', '\n');
  if (license !== 'MIT') throw new Error(`${name} has no licence file, and no text of ${license} is known`);
  return `The package has no licence file; its package.json names the MIT License.\n\nCopyright (c) ${author}\n\n${mit}`;
};
