import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import type { Cluster } from '../cluster/watch.ts';
import { type Config, settings } from '../config/serve-config.ts';
import { flagsOfTable, settingOptions } from '../config/settings.ts';
import { ownerKey } from '../vocabulary/deployment-key.ts';
import { GpumixError } from '../vocabulary/errors.ts';
import { hpaFacts } from './autoscaling-chain.ts';
import type { Command } from './command.ts';
import { explainDocument, explainLines, type Question, withLivePlan } from './explained-deployment.ts';
import { findingText } from './finding.ts';
import { type HpaObject, hpaFindings } from './hpa-findings.ts';
import { askedInPeace, itemsOf, succeeded } from './kubernetes-answer.ts';
import { configBesideServe, lookOnce } from './one-look.ts';

const ownOptions: Command['options'] = {
  json: { type: 'boolean', help: 'print one document and nothing else', group: 'output' },
};

export const explainCommand: Command = {
  options: { ...ownOptions, ...settingOptions(settings) },
  usage: 'NAMESPACE/DEPLOYMENT [flags]',
  examples: [
    'gpumix explain serving/llama-8b-l40s',
    'kubectl exec -n gpumix-system deploy/gpumix -- node /app/dist/gpumix.js explain serving/llama-8b-l40s',
  ],
  run: async (argv, io, environment) => {
    const { flags, own, positionals } = flagsOfTable(settings, ownOptions, argv, 1);
    const [key = ''] = positionals;
    if (!/^[^/]+\/[^/]+$/.test(key))
      throw new GpumixError('BAD_USAGE', `name the Deployment as NAMESPACE/DEPLOYMENT${key === '' ? '' : `, not ${key}`}`);
    const config = configBesideServe(flags, environment);
    const question = await lookOnce(config, async ({ cluster, kubernetes, decided, stored }): Promise<Question> => {
      const deployment = cluster.deployments.get(key);
      if (deployment === undefined)
        throw new GpumixError('BAD_USAGE', `there is no Deployment ${key} with the label model.aibrix.ai/name`);
      const pods = [...cluster.pods.values()].filter((pod) => ownerKey(pod) === key);
      const ready = pods.filter((pod) => pod.ready).length;
      const autoscaling = await hpaTexts(kubernetes, cluster, key, targetOf({ decided, stored }, key), config);
      const pace = cluster.paces().get(key) ?? null;
      return { deployment, ready, decided, stored, now: Date.now() / 1000, autoscaling, pace };
    });
    const lines = explainLines(question, config);
    const document = () => explainDocument(withLivePlan(question, config), lines);
    io.stdout(own['json'] === true ? `${JSON.stringify(document())}\n` : `${lines.join('\n')}\n`);
    return 0;
  },
};

/** What `doctor` says of the HPA of one Deployment. */
const hpaTexts = async (
  kubernetes: KubernetesRequest,
  cluster: Pick<Cluster, 'deployments' | 'paces'>,
  key: string,
  target: number | null,
  config: Config,
): Promise<readonly string[]> => {
  const [namespace, name] = key.split('/');
  const path = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`;
  const answer = await askedInPeace(kubernetes)('GET', path);
  const targets = new Map(target === null ? [] : [[key, target]]);
  return (succeeded(answer) ? itemsOf<HpaObject>(answer) : [])
    .filter(({ spec }) => spec.scaleTargetRef.kind === 'Deployment' && spec.scaleTargetRef.name === name)
    .flatMap((hpa) => hpaFindings(hpa, hpaFacts(hpa, { cluster, targets }, config)))
    .filter(({ verdict }) => verdict !== 'ok')
    .map((finding) => `${findingText(finding)}${finding.mend === null ? '' : `; fix: ${finding.mend}`}`);
};

const targetOf = ({ stored, decided }: Pick<Question, 'stored' | 'decided'>, key: string): number | null => {
  const target = (stored?.plan ?? decided).targets.find((published) => ownerKey(published) === key);
  return target === undefined || 'unavailable' in target.decision ? null : target.decision.replicas;
};
