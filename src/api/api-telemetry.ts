import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { sendBytes } from './answer.ts';

/** Counters under the names that the generic API server and metrics adapters use, so that their dashboards fit. */
export interface ApiTelemetry {
  /** An item was served whose data are that old. */
  readonly served: (group: string, ageSeconds: number) => void;
}

const twenty = Array.from({ length: 20 }, (_, power) => 1.364 ** power);
const knownVerbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

/** Adds the counters to `registry`, counts requests, and serves `/metrics`; `inFlight` is asked when somebody looks. */
export const addTelemetry = (app: FastifyInstance, registry: Registry, inFlight: () => number): ApiTelemetry => {
  const registers = [registry];
  const freshness = new Histogram({
    name: 'metrics_apiserver_metric_freshness_seconds',
    help: 'Age of the data behind the metrics served',
    labelNames: ['group'],
    buckets: twenty,
    registers,
  });
  const requests = new Counter({
    name: 'apiserver_request_total',
    help: 'Requests by verb, API group and HTTP status',
    labelNames: ['verb', 'group', 'code'],
    registers,
  });
  const durations = new Histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Time from the request to the end of its answer',
    labelNames: ['verb'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60],
    registers,
  });
  new Gauge({
    name: 'apiserver_current_inflight_requests',
    help: 'Requests being answered, without those of system:masters',
    labelNames: ['request_kind'],
    registers,
    collect() {
      this.set({ request_kind: 'readOnly' }, inFlight());
    },
  });
  // a labelled child is looked up once: the library builds a key from the labels each time
  const counter = kept((verb: string, group: string, code: number) => requests.labels({ verb, group, code }));
  const timer = kept((verb: string) => durations.labels({ verb }));
  const age = kept((group: string) => freshness.labels({ group }));
  app.addHook('onResponse', (request, reply, done) => {
    const { verb: asked = '', resource } = request.info ?? {};
    // what callers make up must not become a label
    const verb = knownVerbs.includes(asked) ? asked : 'other';
    const group = reply.statusCode < 400 ? (resource?.group ?? '') : '';
    counter(verb, group, reply.statusCode).inc();
    timer(verb).observe(reply.elapsedTime / 1000);
    done();
  });
  app.all('/metrics', async (_request, reply) =>
    sendBytes(reply, 200, registry.contentType, Buffer.from(await registry.metrics())),
  );
  return {
    served: (group, ageSeconds) => age(group).observe(Math.max(0, ageSeconds)),
  };
};

const kept = <Args extends readonly (string | number)[], Child>(make: (...args: Args) => Child) => {
  const children = new Map<string, Child>();
  return (...args: Args): Child => {
    const key = args.join(' ');
    const child = children.get(key) ?? make(...args);
    children.set(key, child);
    return child;
  };
};
