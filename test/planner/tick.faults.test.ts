import { describe, expect, test } from 'vitest';
import { virtualFleet } from '../helpers/virtual-fleet.ts';

type Fleet = ReturnType<typeof virtualFleet>;
type Instance = ReturnType<Fleet['start']>;

interface Fault {
  readonly name: string;
  /** Begins the fault; what it returns ends it. Called with the instance that leads. */
  readonly begin: (fleet: Fleet, leader: Instance) => (() => void | Promise<void>) | Promise<() => void | Promise<void>>;
  /** Called every second while it lasts. */
  readonly meanwhile?: (fleet: Fleet) => void | Promise<void>;
  readonly seconds?: number;
}

const redisIs = (redis: Fleet['world']['redis']) => (fleet: Fleet) => {
  fleet.world.redis = redis;
  return () => {
    fleet.world.redis = 'up';
  };
};
const clocksAre = (clocks: Partial<Pick<Fleet['world'], 'redisClock' | 'hostClock'>>) => (fleet: Fleet) => {
  Object.assign(fleet.world, clocks);
  return () => {
    Object.assign(fleet.world, { redisClock: 0, hostClock: 0 });
  };
};

const faults: readonly Fault[] = [
  { name: 'Redis is away', begin: redisIs('away') },
  { name: 'Redis is away for longer than a plan stands', begin: redisIs('away'), seconds: 900 },
  { name: 'Redis is slow: three ticks of four time out', begin: redisIs('slow') },
  { name: 'Redis takes no writes', begin: redisIs('read-only') },
  {
    name: 'Redis restarts empty, profiles and stored plan gone too',
    begin: async (fleet) => {
      fleet.emptyRedis();
      return () => profiled(fleet);
    },
  },
  {
    name: 'broken records',
    begin: () => () => {},
    meanwhile: async (fleet) => {
      if (fleet.world.now % 10 === 0) await fleet.poisonRecord('{"meta_v":4,"meta_total_reqs":');
    },
  },
  {
    name: 'records without a request, of a gateway that counts nothing any more',
    begin: (fleet) => {
      const { rate } = fleet.world;
      fleet.world.rate = 0;
      return () => {
        fleet.world.rate = rate;
      };
    },
    seconds: 100,
  },
  {
    name: 'a broken profile',
    begin: async (fleet) => {
      await fleet.profile('l40s', '{"gpu":"l40s","tputs":[[');
      return () => profiled(fleet);
    },
  },
  {
    name: 'a profile deleted',
    begin: async (fleet) => {
      await fleet.profile('l40s', '');
      return () => profiled(fleet);
    },
  },
  {
    name: 'a profile that serves less, mid-flight',
    begin: async (fleet) => {
      await fleet.profile('l40s', 1.7);
      return () => profiled(fleet);
    },
  },
  {
    name: 'the gateway that writes is lost',
    begin: (fleet) => {
      fleet.world.gatewayLives = false;
      return () => {
        fleet.world.gatewayLives = true;
      };
    },
    seconds: 900,
  },
  { name: 'our clock steps an hour ahead', begin: clocksAre({ hostClock: 3600 }) },
  { name: 'our clock steps an hour back', begin: clocksAre({ hostClock: -3600 }) },
  { name: 'the clock of Redis steps ten minutes ahead', begin: clocksAre({ redisClock: 600 }) },
  { name: 'the clock of Redis steps ten minutes back', begin: clocksAre({ redisClock: -600 }) },
  {
    name: 'gpumix restarts with a cluster that cannot be read',
    begin: (fleet, leader) => {
      fleet.kill(leader);
      fleet.world.unsynced = ['Pods: ECONNREFUSED'];
      fleet.start(2);
      return () => {
        fleet.world.unsynced = [];
      };
    },
  },
  {
    name: 'gpumix is killed and starts again after a minute',
    begin: async (fleet, leader) => {
      fleet.kill(leader);
      await fleet.run(60);
      fleet.start(2);
      return () => {};
    },
  },
  {
    name: 'gpumix starts again while Redis is empty',
    begin: async (fleet, leader) => {
      fleet.kill(leader);
      fleet.emptyRedis();
      await profiled(fleet);
      fleet.start(2);
      return () => {};
    },
  },
  {
    name: 'two lead at once',
    begin: (fleet, leader) => {
      fleet.start(2);
      return () => void fleet.kill(leader);
    },
  },
  {
    name: 'all nodes are drained: every pod starts again',
    begin: (fleet) => {
      fleet.replacePods();
      return () => {};
    },
  },
  {
    name: 'the node pool is empty: no pod starts',
    begin: (fleet) => {
      fleet.world.podsStart = false;
      fleet.replacePods();
      return () => {
        fleet.world.podsStart = true;
      };
    },
  },
];

const profiled = async (fleet: Fleet): Promise<void> => {
  await fleet.profile('h100', 8);
  await fleet.profile('l40s', 2);
};
const total = (replicas: Readonly<Record<string, number>>) => Object.values(replicas).reduce((sum, count) => sum + count, 0);

/** Steady traffic, everything Ready, every wish old. */
const settled = async () => {
  const fleet = virtualFleet();
  await profiled(fleet);
  const leader = fleet.start(1);
  await fleet.run(600);
  expect(fleet.replicas()).toEqual({ h100: 0, l40s: 7 });
  return { fleet, leader };
};
/** So long a target is held up after demand has fallen: windows of rates, hold-down, two ticks and an HPA sync (s). */
const fallsWithin = 120 + 120 + 20 + 15;

describe('faults lower nothing, and scale-down resumes within the hold-down', () => {
  test.each(faults)('fault: $name', async ({ begin, meanwhile, seconds = 200 }) => {
    const { fleet, leader } = await settled();
    const before = fleet.replicas();
    const end = await begin(fleet, leader);
    await fleet.run(seconds, async () => {
      await meanwhile?.(fleet);
      const now = fleet.replicas();
      for (const [name, count] of Object.entries(before)) expect(now[name]).toBeGreaterThanOrEqual(count);
    });
    await end();
    // The records of a fault leave the window, and half of the traffic stays away.
    await fleet.run(60);
    fleet.world.rate = 5;
    const peak = total(fleet.replicas());
    await fleet.run(fallsWithin);
    expect(total(fleet.replicas())).toBeLessThan(peak);
    expect(fleet.capacity()).toBeGreaterThanOrEqual(5);
  });
});

describe('gpumix killed at every step of a transition', () => {
  test.each(Array.from({ length: 16 }, (_, index) => 5 + 15 * index))(
    'fault: gpumix killed %i s after a price made another type the cheaper one',
    async (seconds) => {
      const { fleet, leader } = await settled();
      const dear = fleet.deployments.get('ns/l40s');
      if (dear !== undefined) fleet.deployments.set('ns/l40s', { ...dear, price: 4 });
      const cheap = fleet.deployments.get('ns/h100');
      if (cheap !== undefined) fleet.deployments.set('ns/h100', { ...cheap, price: 4 });
      const carries = () => expect(fleet.capacity()).toBeGreaterThanOrEqual(12);
      await fleet.run(seconds, carries);
      fleet.kill(leader);
      await fleet.run(20, carries);
      fleet.start(2);
      await fleet.run(600, carries);
      expect(fleet.replicas()).toEqual({ h100: 2, l40s: 0 });
    },
  );
});
