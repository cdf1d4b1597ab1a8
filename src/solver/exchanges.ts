import { mixCost, poolUse, takes } from './fleet.ts';
import type { Joint } from './joint.ts';
import type { Level } from './levels.ts';
import { spendable } from './program.ts';
import type { WorkBudget } from './work-budget.ts';

/** A request of one priority counts so many times one of the next. */
const precedence = 1e4;
/** Gains below this share of a priority's demand are rounding. */
const leastGain = 1e-8;
const mostExchanges = 300;

/**
 * Mixes that do not serve all, made to serve more a replica at a time: one more where that serves most, in room that is left or
 * that one replica less somewhere else makes, where it serves less. Ends where no such exchange serves more. Proves nothing.
 */
export const exchanged = (
  joint: Joint,
  levels: readonly Level[],
  start: readonly Float64Array[],
  work: WorkBudget,
): readonly Float64Array[] => {
  const search = new Exchanges(joint, levels, start);
  for (let count = 0; count < mostExchanges && !work.spent; count++) if (!search.exchange()) break;
  return search.mixes;
};

/** One replica more or less of a variant, and what that changes: what is served more or less, by precedence. */
interface Change {
  readonly m: number;
  readonly g: number;
  readonly served: number;
}

class Exchanges {
  readonly mixes: Float64Array[];
  private readonly joint: Joint;
  private readonly weights: number[];
  private readonly left: number[];
  private money: number;
  private more: Change[] = [];
  private less: Change[] = [];

  constructor(joint: Joint, levels: readonly Level[], start: readonly Float64Array[]) {
    const { models, stock, budget } = joint.fleet;
    this.joint = joint;
    this.mixes = start.map((mix) => mix.slice());
    this.weights = models.map((_, m) => precedence ** -levels.findIndex((level) => level.models.includes(m)) / joint.totals[m]!);
    this.left = [...stock];
    this.money = spendable(budget);
    for (const [m, mix] of this.mixes.entries()) {
      for (const [pool, gpus] of poolUse(models[m]!, mix, stock.length).entries()) this.left[pool]! -= gpus;
      this.money -= mixCost(models[m]!, mix);
    }
    for (const m of models.keys()) this.look(m);
  }

  /** Makes the exchange that serves most; false = there is none. */
  exchange(): boolean {
    this.more.sort((a, b) => b.served - a.served || a.m - b.m || a.g - b.g);
    this.less.sort((a, b) => a.served - b.served || a.m - b.m || a.g - b.g);
    let best: { readonly up: Change; readonly down: Change | null; readonly gain: number } | null = null;
    for (const up of this.more) {
      if (up.served <= (best?.gain ?? 0)) break;
      if (this.fits(up, null)) {
        best = { up, down: null, gain: up.served };
        continue;
      }
      for (const down of this.less) {
        const gain = up.served - down.served;
        if (gain <= (best?.gain ?? leastGain * this.weights[up.m]! * this.joint.totals[up.m]!)) break;
        if (down.m !== up.m && this.fits(up, down)) best = { up, down, gain };
      }
    }
    if (best === null) return false;
    this.change(best.up, 1);
    if (best.down !== null) this.change(best.down, -1);
    return true;
  }

  private change({ m, g }: Change, sign: 1 | -1): void {
    const variant = this.joint.fleet.models[m]!.variants[g]!;
    this.mixes[m]![g]! += sign;
    this.money -= sign * variant.price;
    for (const [pool, amount] of takes(variant)) this.left[pool]! -= sign * amount;
    this.look(m);
  }

  private fits(up: Change, down: Change | null): boolean {
    const { models } = this.joint.fleet;
    const wanted = models[up.m]!.variants[up.g]!;
    const given = down === null ? null : models[down.m]!.variants[down.g]!;
    if (wanted.price > this.money + (given?.price ?? 0)) return false;
    return takes(wanted).every(([pool, amount]) => {
      const back = given === null ? 0 : (takes(given).find(([other]) => other === pool)?.[1] ?? 0);
      return amount <= this.left[pool]! + back;
    });
  }

  /** What one replica more or less of each variant of a model would change now. */
  private look(m: number): void {
    const { variants, rates } = this.joint.fleet.models[m]!;
    this.more = this.more.filter((change) => change.m !== m);
    this.less = this.less.filter((change) => change.m !== m);
    if (rates.length === 0) return;
    const mix = this.mixes[m]!;
    const weight = this.weights[m]!;
    const unserved = this.joint.unserved(m, mix);
    const least = leastGain * this.joint.totals[m]!;
    const at = (g: number, step: number): number => {
      mix[g]! += step;
      const then = this.joint.unserved(m, mix);
      mix[g]! -= step;
      return then;
    };
    for (const [g, { lower, upper }] of variants.entries()) {
      if (unserved > least && mix[g]! < upper) {
        const served = unserved - at(g, 1);
        if (served > least) this.more.push({ m, g, served: weight * served });
      }
      if (mix[g]! > lower) this.less.push({ m, g, served: weight * Math.max(0, at(g, -1) - unserved) });
    }
  }
}
