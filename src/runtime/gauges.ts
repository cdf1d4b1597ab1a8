import { Gauge, type Registry } from 'prom-client';

/** Gauges that are read when somebody looks: `collect` sets what is there now, and what was before is gone. */
export const gaugesIn =
  (registry: Registry, prefix: string) =>
  (name: string, help: string, labelNames: readonly string[], collect: (gauge: Gauge) => void): Gauge =>
    new Gauge({
      name: `${prefix}${name}`,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        collect(this);
      },
    });
