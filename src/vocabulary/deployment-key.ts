/** The name by which a Deployment is known everywhere: `namespace/name`. In a snapshot it is the name of the variant. */
export const deploymentKey = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`;

/** Its namespace; empty where the key names none. */
export const namespaceOf = (key: string): string => key.slice(0, Math.max(0, key.indexOf('/')));
