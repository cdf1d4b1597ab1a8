/**
 * Other people's parts beside gpumix.
 *
 *   npm run peers -- aibrix [--only A|B] [--version v0.7.0|v0.6.0|gpumix] [--steady-minutes 9]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runAutoscalers } from './aibrix/autoscaler-run.ts';
import { aibrixBinaries, type Version, versions } from './aibrix/binaries.ts';
import { runGateway, type Writer } from './aibrix/gateway-run.ts';
import type { Judged } from './judged.ts';
import { type Stack, startStack } from './stack.ts';

const usage = 'npm run peers -- aibrix [--only A|B] [--version v0.7.0|v0.6.0|gpumix] [--steady-minutes N]';

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      version: { type: 'string' },
      'steady-minutes': { type: 'string', default: '9' },
    },
  });
  const [peer] = positionals;
  const { only, version } = values;
  const unknown = version !== undefined && version !== 'gpumix' && !versions.includes(version as Version);
  if (peer !== 'aibrix' || unknown || !(only === undefined || only === 'A' || only === 'B')) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  const chosen = versions.filter((one) => version === undefined || version === one);
  const [newest] = chosen;
  const autoscalers = (of: Version) =>
    withStack((stack) => runAutoscalers(stack, aibrixBinaries(of), Number(values['steady-minutes'])));
  const gateway = (writer: Writer) => withStack((stack) => runGateway(stack, writer));
  const writers: Writer[] = [
    ...chosen.map((one) => ({ version: one, replicas: 1 })),
    ...(version === undefined || version === 'gpumix' ? [{ version: 'gpumix' as const, replicas: 1 }] : []),
    ...(newest === undefined ? [] : [{ version: newest, replicas: 3 }]),
  ];
  for (const one of versions) aibrixBinaries(one); // built before anything runs
  const judged: Judged[] = [];
  await Promise.all([
    only === 'B' || newest === undefined ? null : autoscalers(newest).then((table) => judged.push(table)),
    only === 'A' ? null : inTurns(writers, async (writer) => void judged.push(await gateway(writer))),
  ]);
  console.log(
    judged
      .map(({ text }) => text)
      .sort()
      .join('\n'),
  );
  const missed = judged.flatMap((one) => one.missed);
  console.log(`\n${missed.length === 0 ? 'every bar is met' : `missed:\n${missed.join('\n')}`}`);
  if (missed.length > 0) process.exitCode = 1;
};

/** Three at a time, each so much after the one before that 50 requests per second are sent by one after another (ms). */
const apart = 160_000;
const inTurns = async <One>(all: readonly One[], play: (one: One) => Promise<void>): Promise<void> => {
  const left = [...all];
  const lane = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await play(one);
  };
  const lanes = Array.from({ length: Math.min(3, all.length) }, (_, index) => sleep(index * apart).then(lane));
  await Promise.all(lanes);
};

const stopped = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => reject(new Error(`stopped by ${signal}`)));
});
stopped.catch(() => {});

const stacks = new Set<Stack>();
/** Gone at the end, also where it fails or is told to stop. */
const withStack = async (run: (stack: Stack) => Promise<Judged>): Promise<Judged> => {
  const stack = await startStack();
  stacks.add(stack);
  try {
    return await Promise.race([run(stack), stopped]);
  } finally {
    await stack.stop();
  }
};

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
// Where one part failed, the others are still under way.
await Promise.all([...stacks].map(({ stop }) => stop()));
process.exit();
