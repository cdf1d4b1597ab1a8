import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { sendBytes } from './answer.ts';

/** Counters under the names that the generic API server and metrics adapters use, so that their dashboards fit. */
export interface ApiTelemetry {
  /** Items were served whose data are that old. */
  readonly served: (group: string, agesSeconds: readonly number[]) => void;
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
  app.addHook('onResponse', (request, reply, done) => {
    const { verb: asked = '', resource } = request.info ?? {};
    // what callers make up must not become a label
    const verb = knownVerbs.includes(asked) ? asked : 'other';
    const group = reply.statusCode < 400 ? (resource?.group ?? '') : '';
    requests.inc({ verb, group, code: reply.statusCode });
    durations.observe({ verb }, reply.elapsedTime / 1000);
    done();
  });
  app.all('/metrics', async (_request, reply) =>
    sendBytes(reply, 200, registry.contentType, Buffer.from(await registry.metrics())),
  );
  return {
    served: (group, agesSeconds) => {
      const ages = freshness.labels({ group }); // once: the library builds a key from the labels each time
      for (const age of agesSeconds) ages.observe(Math.max(0, age));
    },
  };
};
