/** The Node that gpumix needs, as package.json says too. */
const least = 24;

/**
 * What is wrong with a Node, in one line; null = nothing.
 * @param version `process.versions.node`
 */
export const nodeProblem = (version: string): string | null =>
  Number(version.split('.')[0]) >= least
    ? null
    : `Node ${least} or newer is needed, and this is Node ${version}; \`npm run gpumix -- COMMAND\` brings its own`;
