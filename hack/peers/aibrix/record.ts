/**
 * Records what a gateway writes to Redis, beside the requests that were really sent, as a fixture of the tests.
 *
 *   node hack/peers/aibrix/record.ts NAME     one of the recordings below; writes test/fixtures/aibrix/NAME.json
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endpointsFile, startEngine, startGateway, startRedisServer } from '../../gateway/processes.ts';
import { inTurn, type Kind, kinds, type Pace, ramp, sendRequests, sizes, steady } from '../requests.ts';
import { watchWrites } from '../writes.ts';
import { aibrixBinaries, type Version } from './binaries.ts';
import { startAibrixGateway } from './gateway.ts';

interface Recording {
  /** null = `gpumix gateway`. */
  readonly version: Version | null;
  readonly gateways: number;
  readonly pace: Pace;
  /** The same in words. */
  readonly traffic: string;
  readonly seconds: number;
  /** Where they are not the usual mixture. */
  readonly kinds?: readonly Kind[];
}

/** Silence after the last request (s): what a gateway writes when nothing comes. */
const silence = 60;
const steadily = { pace: steady(10, 120), traffic: '10 requests per second for 120 s, then silence', seconds: 120 };
const ramping = {
  pace: inTurn(
    { pace: steady(2, 40), seconds: 40 },
    { pace: ramp(2, 20, 90), seconds: 90 },
    { pace: steady(20, 30), seconds: 30 },
  ),
  traffic: '2 requests per second for 40 s, in a straight line to 20 in 90 s, 20 for 30 s, then silence',
  seconds: 160,
};
const recordings: Readonly<Record<string, Recording>> = {
  'v0.7.0-steady': { version: 'v0.7.0', gateways: 1, ...steadily },
  'v0.7.0-ramp': { version: 'v0.7.0', gateways: 1, ...ramping },
  'v0.7.0-three-gateways': { version: 'v0.7.0', gateways: 3, ...steadily },
  'v0.6.0-steady': { version: 'v0.6.0', gateways: 1, ...steadily },
  'v0.7.0-sizes': {
    version: 'v0.7.0',
    gateways: 1,
    pace: steady(2, 15),
    traffic: '2 requests per second for 15 s, each of the next size, then silence',
    seconds: 15,
    kinds: sizes,
  },
  'gpumix-steady': { version: null, gateways: 1, ...steadily },
};

const engineTypes = ['H100', 'L40S', 'L40S', 'L40S'];

const main = async (name: string): Promise<void> => {
  const recording = recordings[name];
  if (recording === undefined) throw new Error(`choose one of ${Object.keys(recordings).join(', ')}`);
  const folder = await mkdtemp(join(tmpdir(), 'gpumix-record-'));
  const stops: (() => Promise<void>)[] = [];
  try {
    const redis = await startRedisServer();
    stops.push(redis.stop);
    const engines = await Promise.all(
      engineTypes.map(async (gpu) => ({ gpu, ...(await startEngine('--gpu', gpu, '--model', 'chat')) })),
    );
    for (const engine of engines) stops.push(engine.stop);
    const gateway =
      recording.version === null
        ? await startGateway(
            redis.url,
            endpointsFile({ chat: { 'default/chat': engines.map(({ url }) => url) } }),
            '--instance=gateway-0',
          )
        : await startAibrixGateway(
            aibrixBinaries(recording.version),
            folder,
            Number(new URL(redis.url).port),
            {
              endpointsFile: aibrixEndpoints(
                folder,
                recording.version,
                engines.map(({ url }) => new URL(url).host),
              ),
            },
            recording.gateways,
          );
    stops.push(gateway.stop);
    const watched = await watchWrites(redis.url);
    const samples = everyTenSeconds(engines);
    console.error(`${name}: ${recording.traffic}`);
    const client = sendRequests(gateway.url, 'chat', recording.pace, recording.kinds);
    await client.done;
    await new Promise((resolve) => setTimeout(resolve, 1000 * silence));
    watched.stop();
    samples.stop();
    const file = join(import.meta.dirname, '../../../test/fixtures/aibrix', `${name}.json`);
    mkdirSync(join(file, '..'), { recursive: true });
    const requests = [...client.ended].sort((a, b) => a.at - b.at);
    const document = {
      writer: recording.version === null ? 'gpumix gateway' : `AIBrix ${recording.version}`,
      recorded: new Date().toISOString(),
      traffic: recording.traffic,
      gateways: recording.gateways,
      model: 'chat',
      engines: engineTypes,
      kinds: (recording.kinds ?? kinds).map(({ body: _, ...rest }) => rest),
      requests: requests.map(({ at, seconds, kind, status }) => [round(at), round(seconds), kind, status]),
      writes: watched.writes.map(({ at, key, value }) => [round(at), key, value]),
      engineSamples: samples.taken,
    };
    writeFileSync(file, compact(document));
    console.error(`${requests.length} requests, ${watched.writes.length} writes: ${file}`);
  } finally {
    for (const stop of stops.reverse()) await stop().catch(console.error);
    rmSync(folder, { recursive: true, force: true });
  }
};

/** The file of a gateway without Kubernetes; v0.6.0 wants an object per endpoint. */
const aibrixEndpoints = (folder: string, version: Version, hosts: readonly string[]): string => {
  const file = join(folder, 'endpoints.yaml');
  const endpoints = version === 'v0.6.0' ? hosts.map((address) => ({ address })) : hosts;
  writeFileSync(file, JSON.stringify({ models: [{ name: 'chat', engine: 'vllm', endpoints }] }));
  return file;
};

/** What each engine says of itself: [Unix seconds, index of the engine, running, waiting, finished since its start]. */
const everyTenSeconds = (engines: readonly { readonly url: string }[]) => {
  const taken: (readonly number[])[] = [];
  const take = (): void => {
    for (const [index, { url }] of engines.entries())
      void fetch(`${url}/metrics`)
        .then((response) => response.text())
        .then((text) => {
          const value = (name: string) => Number(new RegExp(`^vllm:${name} (\\S+)`, 'm').exec(text)?.[1]);
          taken.push([
            round(Date.now() / 1000),
            index,
            value('num_requests_running'),
            value('num_requests_waiting'),
            value('request_success_total'),
          ]);
        });
  };
  take();
  const timer = setInterval(take, 10_000);
  return { taken: taken as readonly (readonly number[])[], stop: () => clearInterval(timer) };
};

const round = (value: number): number => Math.round(1000 * value) / 1000;

/** One row of a list on a line. */
const compact = (document: Readonly<Record<string, unknown>>): string => {
  const fields = Object.entries(document).map(([name, value]) =>
    Array.isArray(value) && typeof value[0] === 'object'
      ? `"${name}":[\n${value.map((row) => JSON.stringify(row)).join(',\n')}\n]`
      : `"${name}":${JSON.stringify(value)}`,
  );
  return `{\n${fields.join(',\n')}\n}\n`;
};

await main(process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
process.exit();
