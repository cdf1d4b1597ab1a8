import type { ModelDeployment } from '../cluster/variant.ts';
import type { SimulatedVariant } from './replicas.ts';

/** A Deployment as the watches would show it, at zero replicas and with nothing set by hand. */
export const simulatedDeployment = ({ key, gpu, gpusPerReplica, price }: SimulatedVariant, model: string): ModelDeployment => {
  const [namespace = '', name = ''] = key.split('/');
  return {
    ...{ namespace, name, uid: key, labels: {}, model, aliases: [] },
    ...{ priority: 0, idleReplicas: 0, replicas: 0, gpu, gpusPerReplica, price },
    ...{
      pin: null,
      paused: false,
      attainment: null,
      routerKnowledge: null,
      confirmedProfile: null,
      podsRefused: null,
      problem: null,
      note: null,
    },
  };
};
