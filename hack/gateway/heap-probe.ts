/** Loaded before a program under test (`--expose-gc --import`): on SIGUSR2 it says how much of the heap is alive (MiB). */
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  globalThis.gc?.();
  process.stderr.write(`heap ${process.memoryUsage().heapUsed / 2 ** 20}\n`);
});
