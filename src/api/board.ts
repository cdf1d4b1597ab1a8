import type { ModelPod, Target } from '../vocabulary/target.ts';

/** All that the API knows of the world: the targets as they are now. Reading it never computes anything. */
export interface Board {
  readonly target: (namespace: string, deployment: string) => Target | undefined;
  readonly targets: (namespace: string) => readonly Target[];
  /** A pod of a Deployment that carries a model, in any phase. */
  readonly pod: (namespace: string, name: string) => ModelPod | undefined;
  readonly pods: (namespace: string) => readonly ModelPod[];
}
