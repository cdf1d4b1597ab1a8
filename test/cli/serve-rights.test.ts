import { expect, test } from 'vitest';
import { findingText } from '../../src/cli/finding.ts';
import { askForServeRights, serveRightFindings } from '../../src/cli/serve-rights.ts';

const config = { serviceName: 'gpumix', tlsCertFile: null };
const account = 'system:serviceaccount:gpumix-system:gpumix';
interface Asked {
  readonly user?: string;
  readonly resourceAttributes: { readonly resource: string; readonly verb: string };
}
/** A cluster in which some resources are refused. */
const rights = async (self: string, refused: readonly string[], deployed = false, more: Partial<typeof config> = {}) => {
  const paths = new Set<string>();
  const users = new Set<string | undefined>();
  const seen = await askForServeRights(
    async (_method, path, body) => {
      if (path.endsWith('selfsubjectreviews')) return { status: 201, body: { status: { userInfo: { username: self } } } };
      if (path.startsWith('/apis/apps')) {
        const pod = { spec: { template: { spec: { serviceAccountName: 'gpumix' } } } };
        return { status: 200, body: { items: deployed ? [{ metadata: { namespace: 'gpumix-system' }, ...pod }] : [] } };
      }
      paths.add(path);
      const { user, resourceAttributes } = (body as { readonly spec: Asked }).spec;
      users.add(user);
      return { status: 201, body: { status: { allowed: !refused.includes(resourceAttributes.resource) } } };
    },
    { ...config, ...more },
  );
  return { findings: serveRightFindings(seen), paths: [...paths], users: [...users] };
};

test('a ServiceAccount with all rights is well, asked as itself or by an administrator', async () => {
  const own = await rights(account, []);
  expect(own.findings.map(findingText)).toEqual([
    'ServiceAccount gpumix-system/gpumix has the rights of manifests/ and apiservice/',
  ]);
  expect([own.paths, own.users]).toEqual([['/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'], [undefined]]);
  const asked = await rights('admin', [], true);
  expect(asked.findings).toMatchObject([{ verdict: 'ok' }]);
  expect([asked.paths, asked.users]).toEqual([['/apis/authorization.k8s.io/v1/subjectaccessreviews'], [account]]);
});

test('each right that is missing has what follows, and the command that gives it', async () => {
  const { findings } = await rights(account, ['configmaps', 'leases']);
  expect(findings).toMatchObject([
    {
      verdict: 'wrong',
      id: 'right-missing',
      object: 'ServiceAccount gpumix-system/gpumix',
      seen: expect.stringMatching(/^may not get configmaps extension-apiserver-authentication in kube-system: /),
      mend: 'kubectl create clusterrolebinding gpumix-auth-reader:gpumix-system --clusterrole=gpumix-auth-reader:gpumix-system --serviceaccount=gpumix-system:gpumix',
    },
    { seen: 'may not get leases gpumix in gpumix-system: no replica can lead', mend: 'kubectl apply --server-side -k manifests' },
    { seen: 'may not update leases gpumix in gpumix-system: no replica can lead' },
  ]);
});

test('a certificate of the user’s own needs no right to a Secret', async () => {
  expect((await rights(account, ['secrets'])).findings).toHaveLength(2);
  expect((await rights(account, ['secrets'], false, { tlsCertFile: 'tls.crt' as never })).findings).toMatchObject([
    { verdict: 'ok' },
  ]);
});

test('who is no ServiceAccount and sees no Deployment of gpumix cannot tell', async () => {
  expect((await rights('admin', [])).findings).toEqual([]);
});
