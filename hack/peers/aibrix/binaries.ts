import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export type Version = 'v0.7.0' | 'v0.6.0';
export const versions: readonly Version[] = ['v0.7.0', 'v0.6.0'];

/** Where AIBrix's programs, its module (CRDs, roles) and Envoy are. */
export interface Binaries {
  readonly version: Version;
  readonly controllers: string;
  readonly plugins: string;
  readonly module: string;
  readonly envoy: string;
  /** AIBrix's own configuration of Envoy; v0.6.0 ships none for a bare process, and v0.7.0's fits it. */
  readonly envoyConfiguration: string;
}

/** The status of `build.sh` where Go or Python is absent. */
export const notRun = 3;

/** Ends the program where a tool that the build needs is absent; build.sh has said which. */
const paths = (version: Version): readonly string[] => {
  const { status, stdout } = spawnSync(join(import.meta.dirname, 'build.sh'), [version], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status === notRun) process.exit(notRun);
  if (status !== 0) throw new Error(`hack/peers: the build of AIBrix ${version} failed`);
  return stdout.trim().split('\n');
};

/** Builds AIBrix when it is not in the cache. */
export const aibrixBinaries = (version: Version): Binaries => {
  const [binaries = '', module = '', envoy = ''] = paths(version);
  const withConfiguration = version === 'v0.7.0' ? module : (paths('v0.7.0')[1] ?? '');
  return {
    version,
    module,
    envoy,
    controllers: join(binaries, 'controllers'),
    plugins: join(binaries, 'plugins'),
    envoyConfiguration: join(withConfiguration, 'deployment/local/configs/envoy.yaml'),
  };
};
