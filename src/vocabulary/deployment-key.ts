/** The name by which a Deployment is known everywhere: `namespace/name`. In a snapshot it is the name of the variant. */
export const deploymentKey = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`;

/** The same of what belongs to a Deployment: a pod, a target. */
export const ownerKey = ({ namespace, deployment }: { readonly namespace: string; readonly deployment: string }): string =>
  `${namespace}/${deployment}`;

/** Its namespace; empty where the key names none. */
export const namespaceOf = (key: string): string => key.slice(0, Math.max(0, key.indexOf('/')));
