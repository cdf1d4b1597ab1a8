import { engineOccupancy } from '../cluster/engine-metrics.ts';
import { type Finding, note, ok, unknown } from './finding.ts';

/** How one engine answers when it is asked for its metrics. */
export interface EngineAnswer {
  /** `namespace/name` of its Deployment. */
  readonly deployment: string;
  readonly url: string;
  /** HTTP status and body; or why there is none. */
  readonly answer: { readonly status: number; readonly text: string } | { readonly problem: string };
}

/** Asks one engine for its metrics, for so long (ms). */
export const askEngine = async (url: string, milliseconds: number): Promise<EngineAnswer['answer']> => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(milliseconds), redirect: 'manual' });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const { cause, name } = error as Error & { readonly cause?: { readonly code?: string } };
    return { problem: cause?.code ?? name };
  }
};

/**
 * Engines that do not say what they do, so that only records show whether a model is idle; one finding for each Deployment.
 * @param isInside whether it is asked from within the cluster; from elsewhere anybody may answer, or refuse, at the
 *   address of a pod
 */
export const engineFindings = (asked: readonly EngineAnswer[], isInside: boolean): readonly Finding[] => {
  if (asked.length === 0) return [];
  if (!isInside && !asked.some(isWell))
    return [
      unknown(
        'engine-metrics',
        'Engines',
        `give no metrics to who asks from here (${asked[0]!.url}), so it is not known whether they tell how busy they are`,
        'kubectl exec -n gpumix-system deploy/gpumix -- node /app/dist/gpumix.js doctor',
      ),
    ];
  const told = asked.flatMap(engineFinding);
  return told.length === 0 ? [ok('Engines', 'tell how busy they are')] : told;
};

const isWell = ({ answer }: EngineAnswer): boolean =>
  'status' in answer && answer.status === 200 && engineOccupancy(answer.text) !== null;

const engineFinding = (engine: EngineAnswer): readonly Finding[] => {
  if (isWell(engine)) return [];
  const { deployment, url, answer } = engine;
  const [namespace, name] = deployment.split('/');
  const labelled =
    `kubectl patch deployment ${name} -n ${namespace} --type=merge ` +
    `-p='{"spec":{"template":{"metadata":{"labels":{"model.aibrix.ai/metric-port":"PORT"}}}}}'`;
  const told = (seen: string, mend: string): readonly Finding[] => [
    note('engine-metrics', `Deployment ${deployment}`, `${seen} at ${url}: only records show whether it is idle`, mend),
  ];
  if ('problem' in answer) return told(`has an engine that gives no metrics (${answer.problem})`, labelled);
  const { status } = answer;
  if (status === 401 || status === 403)
    return told(
      'has an engine that asks for credentials',
      'let it answer /metrics without credentials; a NetworkPolicy can keep others out',
    );
  if (status !== 200) return told(`has an engine that answers ${status}`, labelled);
  return told('has an engine whose metrics are none of vLLM, SGLang and their like', labelled);
};
