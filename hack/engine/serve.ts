/**
 * Serves the engine model over HTTP until it is stopped.
 *
 *   node hack/engine/serve.ts --gpu L40S --faster 1 --model llama-8b --port 8010
 */
import { parseArgs } from 'node:util';
import { engineSpeed, slowed } from '../../src/simulation/engine-speeds.ts';
import { startEngineServer } from './engine-server.ts';

const { values } = parseArgs({
  options: {
    gpu: { type: 'string', default: 'L40S' },
    faster: { type: 'string', default: '1' },
    model: { type: 'string', default: 'llama-8b' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8010' },
    'api-key': { type: 'string' },
  },
});
const server = await startEngineServer({
  speed: slowed(engineSpeed(values.gpu), 1 / Number(values.faster)),
  model: values.model,
  host: values.host,
  port: Number(values.port),
  apiKey: values['api-key'] ?? null,
});
console.log(`${values.model} on ${values.gpu}: ${server.url}/v1`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.close());
