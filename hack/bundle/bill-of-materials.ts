import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundledPackage } from './packages.ts';

const root = join(import.meta.dirname, '../..');

/** What of package-lock.json is read. */
interface Lock {
  readonly version: string;
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

/**
 * The bill of materials of the bundle, CycloneDX 1.6: each package of which code is in it, with the checksum of the archive
 * that it came in. It has no time and no serial number, so that the same sources give the same bytes.
 */
export const billOfMaterials = (packages: readonly BundledPackage[]): object => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const self = `pkg:npm/gpumix@${lock.version}`;
  const components = packages.map((one) => componentOf(one, lock));
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': self,
        name: 'gpumix',
        version: lock.version,
        purl: self,
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components,
    dependencies: [{ ref: self, dependsOn: components.map((one) => one['bom-ref']) }],
  };
};

const componentOf = ({ name, version, license, repository }: BundledPackage, lock: Lock) => {
  const [group, bare] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const purl = `pkg:npm/${group === undefined ? '' : `${encodeURIComponent(group)}/`}${bare}@${version}`;
  const [, checksum] = /^sha512-(.+)$/.exec(integrityOf(name, version, lock)) ?? [];
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group === undefined ? {} : { group }),
    name: bare!,
    version,
    purl,
    licenses: [/[ ()]/.test(license) ? { expression: license } : { license: { id: license } }],
    ...(checksum === undefined ? {} : { hashes: [{ alg: 'SHA-512', content: Buffer.from(checksum, 'base64').toString('hex') }] }),
    ...(/^https?:/.test(repository) ? { externalReferences: [{ type: 'vcs', url: repository }] } : {}),
  };
};

const integrityOf = (name: string, version: string, { packages }: Lock): string => {
  const found = Object.entries(packages).find(([path, one]) => path.endsWith(`node_modules/${name}`) && one.version === version);
  return found?.[1].integrity ?? '';
};
