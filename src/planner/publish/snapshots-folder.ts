import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan, Snapshot } from '../../vocabulary/planning-documents.ts';
import { snapshotDocument } from '../plan/snapshot-document.ts';

/** Keeps the snapshot and the plan of each tick as `<time>.snapshot.json` and `<time>.plan.json`, the newest `kept` of them. */
export const snapshotsFolder = (folder: string, kept: number): ((snapshot: Snapshot, plan: Plan) => void) => {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, document: unknown) => {
    writeFileSync(join(folder, `.${name}`), `${JSON.stringify(document)}\n`);
    renameSync(join(folder, `.${name}`), join(folder, name));
  };
  return (snapshot, plan) => {
    const time = (snapshot.now ?? new Date(0).toISOString()).replaceAll(':', '-');
    write(`${time}.plan.json`, plan);
    write(`${time}.snapshot.json`, snapshotDocument(snapshot));
    const times = [
      ...new Set(readdirSync(folder).flatMap((name) => /^([^.].*)\.(?:snapshot|plan)\.json$/.exec(name)?.[1] ?? [])),
    ].sort();
    for (const old of times.slice(0, Math.max(0, times.length - kept)))
      for (const kind of ['snapshot', 'plan']) rmSync(join(folder, `${old}.${kind}.json`), { force: true });
  };
};
