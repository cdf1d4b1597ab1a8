import type { Model, ModelPlan, Plan, Snapshot } from '../../src/vocabulary/planning-documents.ts';

const line = 1 + 1e-9;

/**
 * Whether a plan keeps what it promises by its snapshot's own arithmetic: every capacity recomputed from the routing
 * shares, every bound, the stock and the budget. Returns what is wrong, in words; an empty list is a sound plan.
 */
export const wrongWith = (snapshot: Snapshot, plan: Plan): string[] => {
  const wrong: string[] = [];
  const gpus = new Map<string, number>();
  let cost = 0;
  for (const modelPlan of plan.models) {
    const model = snapshot.models.find(({ name }) => name === modelPlan.name);
    if (model === undefined) return [`${modelPlan.name} is not in the snapshot`];
    wrong.push(...wrongWithModel(snapshot, model, modelPlan).map((what) => `${model.name}: ${what}`));
    for (const { name, gpu, gpusPerReplica, price } of model.variants) {
      cost += price * modelPlan.replicas[name]!;
      gpus.set(gpu, (gpus.get(gpu) ?? 0) + gpusPerReplica * modelPlan.replicas[name]!);
    }
  }
  if (plan.models.length !== snapshot.models.length) wrong.push('not every model has a plan');
  if (Math.abs(cost - plan.cost) > 1e-9 * Math.max(1, cost)) wrong.push(`cost is ${plan.cost}, replicas cost ${cost}`);
  for (const [gpu, count] of Object.entries(snapshot.stock))
    if ((gpus.get(gpu) ?? 0) > count) wrong.push(`${gpus.get(gpu)} ${gpu} of ${count}`);
  for (const [namespace, limits] of Object.entries(snapshot.quotas ?? {}))
    for (const [type, count] of Object.entries(limits)) {
      const held = snapshot.models
        .flatMap(({ variants }) => variants)
        .filter(({ name, gpu }) => name.startsWith(`${namespace}/`) && (type === '*' || gpu === type))
        .map(
          ({ name, gpusPerReplica }) =>
            gpusPerReplica * (plan.models.find(({ replicas }) => name in replicas)?.replicas[name] ?? 0),
        )
        .reduce((sum, gpus) => sum + gpus, 0);
      if (held > count) wrong.push(`${held} ${type} of ${count} in ${namespace}`);
    }
  if (snapshot.budget !== null && cost > snapshot.budget * line) wrong.push(`cost ${cost} above the budget`);
  const served = plan.models.every(({ unserved }) => unserved.every(({ reason }) => reason === 'profile'));
  if ((plan.status === 'optimal' || plan.status === 'feasible') !== served) wrong.push(`${plan.status}, but served: ${served}`);
  if (plan.bound !== null && plan.bound > plan.cost) wrong.push('bound above the cost');
  return wrong;
};

const wrongWithModel = (snapshot: Snapshot, model: Model, plan: ModelPlan): string[] => {
  const wrong: string[] = [];
  for (const { name, minReplicas, maxReplicas } of model.variants) {
    const replicas = plan.replicas[name];
    if (replicas === undefined || !Number.isInteger(replicas)) wrong.push(`${name} has ${replicas} replicas`);
    else if (replicas < minReplicas || replicas > (maxReplicas ?? replicas)) wrong.push(`${name} out of bounds`);
  }
  const names = Object.keys(plan.replicas);
  if (names.join() !== [...names].sort().join()) wrong.push('variants are not in order of name');
  wrong.push(...wrongDemand(model, plan));
  for (const { shares } of plan.routing) {
    const sum = Object.values(shares).reduce((total, share) => total + share, 0);
    if (Math.abs(sum - 1) > 1e-9 || Object.values(shares).some((share) => share < 0)) wrong.push(`shares sum to ${sum}`);
  }
  const timed =
    snapshot.routing === 'load' &&
    model.variants.filter(({ throughput }) => throughput.some((rate) => rate > 0)).every(({ e2eSeconds }) => e2eSeconds !== null);
  if (snapshot.routing === 'size' || snapshot.routing === 'input') wrong.push(...overloaded(snapshot, model, plan));
  else wrong.push(...overloadedPool(model, plan, timed));
  return wrong;
};

/** Every row is routed or unserved, to its full rate; where no profile serves anything it is unserved for that. */
const wrongDemand = (model: Model, plan: ModelPlan): string[] =>
  model.demand.flatMap((row) => {
    const same = (other: { inputTokens: number; outputTokens: number }) =>
      other.inputTokens === row.inputTokens && other.outputTokens === row.outputTokens;
    const sum = [...plan.routing, ...plan.unserved].filter(same).reduce((total, { arrivalRate }) => total + arrivalRate, 0);
    const aside = model.variants.every(({ throughput }) => throughput.every((rate) => rate === 0));
    if (aside && row.arrivalRate > 0) {
      const named = plan.unserved.filter(same).every(({ reason }) => reason === 'profile');
      if (!plan.beyondSlo.some(same) || plan.routing.some(same) || !named) return ['not set aside'];
    }
    return Math.abs(sum - row.arrivalRate) <= 1e-9 * row.arrivalRate ? [] : [`${sum} of ${row.arrivalRate} req/s`];
  });

const charge = (model: Model, name: string, row: { inputTokens: number; outputTokens: number }): number => {
  const at = model.demand.findIndex(
    ({ inputTokens, outputTokens }) => inputTokens === row.inputTokens && outputTokens === row.outputTokens,
  );
  return model.variants.find((variant) => variant.name === name)!.throughputBeyondSlo[at]!;
};

/** C2, and that rows of one input size are routed alike where the router knows no more. */
const overloaded = ({ routing }: Snapshot, model: Model, plan: ModelPlan): string[] => {
  const wrong = model.variants.flatMap(({ name }) => {
    const load = plan.routing.reduce(
      (sum, row) => sum + (row.shares[name] === undefined ? 0 : (row.arrivalRate * row.shares[name]) / charge(model, name, row)),
      0,
    );
    return load <= plan.replicas[name]! * line ? [] : [`${name} carries ${load} with ${plan.replicas[name]}`];
  });
  if (routing === 'input')
    for (const row of plan.routing)
      for (const other of plan.routing)
        if (
          row.inputTokens === other.inputTokens &&
          row.arrivalRate > 0 &&
          other.arrivalRate > 0 &&
          JSON.stringify(row.shares) !== JSON.stringify(other.shares)
        )
          wrong.push(`rows of ${row.inputTokens} input tokens are routed differently`);
  return wrong;
};

/** Every replica gets the same share (`none`) or holds the same number in flight (`load`). */
const overloadedPool = (model: Model, plan: ModelPlan, timed: boolean): string[] => {
  const rows = plan.routing.filter(({ arrivalRate }) => arrivalRate > 0);
  if (rows.length === 0) return [];
  const used = Object.keys(rows[0]!.shares);
  const rate = rows.reduce((sum, { arrivalRate }) => sum + arrivalRate, 0);
  const loads = used.map((name) => rows.reduce((sum, row) => sum + row.arrivalRate / charge(model, name, row), 0));
  if (!timed) {
    const replicas = used.reduce((sum, name) => sum + plan.replicas[name]!, 0);
    return Math.max(...loads) <= replicas * line ? [] : [`${replicas} replicas for ${Math.max(...loads)}`];
  }
  const seconds = used.map((name) => {
    const { e2eSeconds } = model.variants.find((variant) => variant.name === name)!;
    return model.demand.reduce((sum, row, at) => {
      const routed = rows.find(
        ({ inputTokens, outputTokens }) => inputTokens === row.inputTokens && outputTokens === row.outputTokens,
      );
      return sum + (routed === undefined ? 0 : (routed.arrivalRate * e2eSeconds![at]!) / rate);
    }, 0);
  });
  const inFlight = Math.min(...used.map((_, g) => (rate / loads[g]!) * seconds[g]!));
  const carried = used.reduce((sum, name, g) => sum + (plan.replicas[name]! * inFlight) / seconds[g]!, 0);
  return rate <= carried * line ? [] : [`${carried} req/s carried of ${rate}`];
};
