import { expect, test } from 'vitest';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import { type RouterKnowledge, routerKnowledges } from '../../../src/vocabulary/planning-documents.ts';
import { bruteForce } from '../../solver/brute-force.ts';
import { wrongWith } from '../../solver/check-plan.ts';
import { smallSnapshot } from '../../solver/snapshots.ts';

const instances = 250;

test.each(routerKnowledges)(
  '%s: 250 random small snapshots are answered as trying every mix answers them',
  (routing: RouterKnowledge) => {
    const covered = { infeasible: 0, limited: 0, unservable: 0, shared: 0, quotas: 0, integer: 0 };
    for (let i = 0; i < instances; i++) {
      const { snapshot, traits } = smallSnapshot(1_000 * routerKnowledges.indexOf(routing) + i, routing);
      const plan = planOf(snapshot);
      const truth = bruteForce(snapshot);
      const label = `${routing} ${i}`;
      expect(plan.status, label).toBe(truth.feasible ? 'optimal' : 'infeasible');
      expect(wrongWith(snapshot, plan), label).toEqual([]);
      for (const [priority, unserved] of truth.unserved)
        expect(unservedAt(plan, snapshot, priority), label).toBeCloseTo(unserved, 7);
      expect(plan.cost / Math.max(1e-9, truth.cost), label).toBeCloseTo(truth.cost === 0 ? plan.cost : 1, 8);
      if (plan.status === 'optimal')
        expect(Object.assign({}, ...plan.models.map(({ replicas }) => replicas)), label).toEqual(truth.replicas);
      covered.infeasible += truth.feasible ? 0 : 1;
      covered.limited += traits.bounds || traits.stock || traits.budget ? 1 : 0;
      covered.unservable += traits.unservable ? 1 : 0;
      covered.shared += traits.models > 1 && traits.stock ? 1 : 0;
      covered.quotas += traits.quotas ? 1 : 0;
      covered.integer += traits.integer ? 1 : 0;
    }
    expect(covered.infeasible).toBeGreaterThan(instances / 20);
    expect(covered.limited).toBeGreaterThan(0.3 * instances);
    expect(covered.unservable).toBeGreaterThan(0.3 * instances);
    expect(covered.shared).toBeGreaterThan(instances / 50);
    expect(covered.quotas).toBeGreaterThan(instances / 5);
    expect(covered.integer).toBeGreaterThan(0.2 * instances);
  },
);

/** Without the sizes whose profile no GPU can meet: these the program never saw. */
const unservedAt = (
  plan: ReturnType<typeof planOf>,
  snapshot: ReturnType<typeof smallSnapshot>['snapshot'],
  priority: number,
): number =>
  plan.models
    .filter(({ name }) => snapshot.models.find((model) => model.name === name)!.priority === priority)
    .flatMap(({ unserved }) => unserved)
    .filter(({ reason }) => reason !== 'profile')
    .reduce((sum, { arrivalRate }) => sum + arrivalRate, 0);
