import { element } from '../vocabulary/list-element.ts';
import { seeded } from '../vocabulary/random.ts';
import { choose } from './choice.ts';
import type { Column } from './partial-choices.ts';
import { boundlessWork, type WorkBudget } from './work-budget.ts';

/** Models that choose anew at once, columns that each of them chooses from, and states that their choice may keep. */
const [fewest, most] = [4, 12];
const columnsEach = 20;
const mostStates = 150;
/** Columns x states of all choices, and rounds in which nothing was gained, after which the rest is not worth looking at. */
const mostWork = 4_000_000;
const patience = 400;
const patiencePerModel = 10;
/** What is cheaper by less (money/h) is as cheap, and would be exchanged for ever. */
const leastGain = 1e-9;

/**
 * A choice within the stock made cheaper a few models at a time (large neighbourhoods): they give back what they hold and
 * choose anew by the dynamic program of choice.ts, the others held. The models are drawn from a seed, so that the same lists
 * give the same choice. Proves nothing.
 * @param lists columns of each model, by reduced cost at the prices w
 * @param start a column per model, within the stock together
 */
export const improvedChoice = (
  lists: readonly (readonly Column[])[],
  stock: readonly number[],
  poolPrices: Float64Array,
  start: readonly Column[],
  budget: WorkBudget = boundlessWork,
): readonly Column[] => {
  const random = seeded(lists.length);
  const columns = [...start];
  const left = Float64Array.from(stock, (gpus, k) => gpus - columns.reduce((sum, { use }) => sum + use[k]!, 0));
  const enough = Math.min(patience, patiencePerModel * lists.length);
  for (let [work, idle] = [0, 0]; work < mostWork && idle < enough && !budget.spent; ) {
    const models = drawn(columns, random);
    const before = models.map((m) => columns[m]!);
    const free = left.map((gpus, k) => gpus + before.reduce((sum, { use }) => sum + use[k]!, 0));
    const choices = models.map((m) => choicesOf(lists[m]!, columns[m]!));
    work += mostStates * choices.reduce((sum, list) => sum + list.length, 0);
    const chosen = choose(choices, [...free], poolPrices, Number.POSITIVE_INFINITY, mostStates, budget).choice?.columns;
    idle++;
    if (chosen === undefined || costOf(chosen) > costOf(before) - leastGain) continue;
    idle = 0;
    for (const [i, m] of models.entries()) columns[m] = chosen[i]!;
    left.set(free.map((gpus, k) => gpus - chosen.reduce((sum, { use }) => sum + use[k]!, 0)));
  }
  return columns;
};

/** Some models in order: half of them where there is most to gain, the others anywhere. */
const drawn = (columns: readonly Column[], random: () => number): readonly number[] => {
  const all = [...columns.keys()];
  const size = Math.min(all.length, fewest + Math.floor(random() * (most - fewest + 1)));
  const dear = all.toSorted((a, b) => columns[b]!.reduced - columns[a]!.reduced || a - b).slice(0, 2 * size);
  const found = new Set<number>();
  while (found.size < size) {
    const from = random() < 0.5 ? dear : all;
    found.add(element(from, Math.floor(random() * from.length)));
  }
  return [...found].sort((a, b) => a - b);
};

const choicesOf = (list: readonly Column[], before: Column): readonly Column[] => {
  const best = list.slice(0, columnsEach);
  return best.includes(before) ? best : [...best, before];
};

const costOf = (columns: readonly Column[]): number => columns.reduce((sum, { cost }) => sum + cost, 0);
