import type { FastifyInstance, FastifyReply } from 'fastify';

/** One thing that must be in order: undefined when it is, else what is wrong with it. */
export interface ReadyCheck {
  readonly name: string;
  readonly problem: () => string | undefined;
}

const ping: ReadyCheck = { name: 'ping', problem: () => undefined };

/**
 * The health endpoints of the generic API server. Ready never waits for a plan or for Redis: discovery must answer when
 * they are away. Live asks nothing, so that the kubelet never restarts us for somebody else's failure.
 */
export const addHealthEndpoints = (app: FastifyInstance, readyChecks: readonly ReadyCheck[]): void => {
  const endpoints = { healthz: [ping], livez: [ping], readyz: [ping, ...readyChecks] };
  for (const [endpoint, checks] of Object.entries(endpoints)) {
    app.all(`/${endpoint}`, (request, reply) => answerAll(reply, endpoint, checks, request.info.query));
    for (const check of checks) {
      app.all(`/${endpoint}/${check.name}`, (_request, reply) => {
        const problem = check.problem();
        return problem === undefined ? plain(reply, 200, 'ok') : plain(reply, 500, `internal server error: ${problem}`);
      });
    }
  }
};

const answerAll = (reply: FastifyReply, endpoint: string, checks: readonly ReadyCheck[], query: URLSearchParams) => {
  const excluded = new Set(query.getAll('exclude'));
  const results = checks.map(({ name, problem }) => ({
    name,
    excluded: excluded.has(name),
    problem: excluded.has(name) ? undefined : problem(),
  }));
  const failed = results.some(({ problem }) => problem !== undefined);
  if (!failed && !query.has('verbose')) return plain(reply, 200, 'ok');
  const unknown = [...excluded].filter((name) => !checks.some((check) => check.name === name));
  const warning = `warn: some health checks cannot be excluded: no matches for ${unknown.map((name) => JSON.stringify(name)).join(', ')}`;
  const lines = [
    ...results.map(({ name, excluded: left, problem }) => {
      if (left) return `[+]${name} excluded: ok`;
      return problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`;
    }),
    ...(unknown.length === 0 ? [] : [warning]),
    `${endpoint} check ${failed ? 'failed' : 'passed'}`,
  ];
  return plain(reply, failed ? 500 : 200, `${lines.join('\n')}\n`);
};

export const plain = (reply: FastifyReply, code: number, text: string) =>
  reply.code(code).header('content-type', 'text/plain; charset=utf-8').header('x-content-type-options', 'nosniff').send(text);
