interface Kind {
  /** What is wrong then, and what follows. */
  readonly meaning: string;
  /** What mends it, where the finding itself does not say; null = it always does. */
  readonly mend: string | null;
}

/** Every finding of `gpumix doctor` by its stable id. docs/doctor.md is generated from this list. */
export const findingKinds = {
  'kubernetes-away': {
    meaning: 'the API server cannot be read, so only Redis was checked',
    mend: 'give --kubeconfig FILE of this cluster',
  },
  'right-missing': {
    meaning: 'the API server denies a right that gpumix or this check needs; everything else was checked',
    mend: 'apply the manifests again to give serve its rights; give --kubeconfig of an administrator to check more',
  },
  'not-read': {
    meaning: 'one question got no answer; the others did',
    mend: 'try again, or give --kubeconfig of an administrator',
  },
  'redis-away': {
    meaning: 'Redis does not answer, so traffic is unknown and the last plans stay valid',
    mend: 'check --redis-url and REDIS_PASSWORD',
  },
  'redis-read-only': {
    meaning: 'this Redis is a replica or refuses writes, so no plan is stored and silence proves nothing',
    mend: 'point --redis-url at the primary, or use --redis-mode sentinel',
  },
  'redis-empty': {
    meaning: 'Redis answers but has no record of any model: it is the wrong database, or no gateway writes',
    mend: 'check the database in --redis-url, and the tracing flags of AIBrix’s gateway (KNOWN_ISSUES.md)',
  },
  'redis-keys': {
    meaning: 'Redis denies the commands scan and role, so its keys could not be searched',
    mend: 'allow them to the Redis user',
  },
  clock: {
    meaning:
      'the clocks of this host, Redis, the API server or a gateway differ; the one that two others contradict is named, and that of Redis counts',
    mend: 'run NTP on the host that is named',
  },
  'tracing-off': {
    meaning: 'AIBrix’s gateway writes no request records, because flags that its release needs are off',
    mend: null,
  },
  'engine-metrics': {
    meaning: 'engines do not report how busy they are (wrong port, credentials or no metrics), so a silent record proves nothing',
    mend: null,
  },
  'no-deployment': {
    meaning: 'no Deployment names the model that it serves, so there is nothing to plan',
    mend: 'kubectl label deployment NAME -n NAMESPACE model.aibrix.ai/name=MODEL',
  },
  'no-leader': {
    meaning: 'no gpumix serve makes plans, or it uses another prefix or Redis; targets become unavailable',
    mend: 'read kubectl logs -n gpumix-system -l app.kubernetes.io/name=gpumix, and compare --redis-url and --plan-prefix',
  },
  'no-profile': {
    meaning: 'a Deployment has no profile, so plans leave it out',
    mend: 'run gpumix benchmark, then gpumix profile',
  },
  profile: {
    meaning: 'a profile cannot be read, or is held back',
    mend: 'measure again, or confirm it by gpumix.io/profile-confirmed',
  },
  'profile-shape': {
    meaning: 'a profile states a higher throughput for a larger size than for a smaller one, which no engine has',
    mend: 'measure those sizes again with gpumix benchmark',
  },
  'profile-elsewhere': { meaning: 'a profile of this model is stored under a key that nobody reads', mend: null },
  'no-records': {
    meaning: 'no gateway has written a record of this model, so its demand is unknown',
    mend: 'check that the gateway writes to this Redis and uses this model name',
  },
  'other-name': { meaning: 'records exist for a name that is nearly this model’s', mend: null },
  'stale-records': {
    meaning: 'records have stopped, and nothing proves that there is no traffic',
    mend: 'check that the gateway is alive',
  },
  'record-defect': {
    meaning: 'the counts of a gateway cannot be true, so gpumix uses ended requests or the counts of engines',
    mend: 'see KNOWN_ISSUES.md',
  },
  'gateway-replicas': {
    meaning: 'several replicas of AIBrix’s gateway overwrite each other’s records',
    mend: 'run one replica, or gpumix gateway',
  },
  'cannot-wake': {
    meaning: 'a model is at zero replicas, and its gateway does not count the requests that could wake it',
    mend: 'kubectl label deployment NAME -n NAMESPACE --overwrite model.aibrix.ai/min_replicas=1',
  },
  unserved: {
    meaning: 'GPU stock, bounds or budget do not suffice for all demand',
    mend: 'run gpumix explain NAMESPACE/DEPLOYMENT, which names the limit',
  },
  'beyond-slo': {
    meaning: 'no GPU type serves some of the requests within the SLO',
    mend: 'use a profile with other limits, or a larger GPU',
  },
  extrapolated: {
    meaning: 'the demand lies outside the sizes that the profile measured',
    mend: 'measure those sizes with gpumix benchmark --input-limit',
  },
  'swap-blocked': {
    meaning: 'another mix is cheaper, but there are not enough GPUs for both during the change',
    mend: 'provide one more GPU for the time of the change',
  },
  'out-of-stock': {
    meaning: 'new pods of a Deployment do not start, so the others are planned around it',
    mend: 'run kubectl describe on its ReplicaSet and pods',
  },
  'pod-failing': { meaning: 'a pod does not become Ready', mend: null },
  'pods-unreachable': {
    meaning: 'gpumix gateway can send no request to the Ready pods of a Deployment, and answers 503 if no other has pods',
    mend: null,
  },
  'not-followed': {
    meaning: 'spec.replicas does not move toward the target, so the others are planned around it',
    mend: 'see the findings about its autoscaler',
  },
  label: {
    meaning: 'a label or annotation cannot be read; its last good value stays valid',
    mend: 'correct it: docs/reference.md, Labels and annotations',
  },
  paused: {
    meaning: 'a Deployment is paused by hand, so its metric is unavailable and the others are planned around it',
    mend: null,
  },
  pinned: { meaning: 'a Deployment has a fixed number of replicas by hand', mend: null },
  approximation: { meaning: 'gpumix plans for the mode that is nearest to what was configured', mend: 'see docs/routers.md' },
  problem: { meaning: 'serve warns about something', mend: 'see docs/operations.md' },
  'apiservice-missing': {
    meaning: 'no HPA can read the metric',
    mend: 'kubectl apply --server-side --force-conflicts -k apiservice',
  },
  'apiservice-foreign': {
    meaning: 'another adapter owns the API, so HPAs do not read gpumix’s metrics',
    mend: 'kubectl apply --server-side --force-conflicts -k apiservice, with --upstream for what the other served (manifests/components/upstream)',
  },
  'apiservice-unavailable': {
    meaning: 'the API server cannot reach gpumix, or does not trust its certificate',
    mend: 'check kubectl get pods,endpointslices -n gpumix-system',
  },
  'apiservice-insecure': {
    meaning:
      'the API server accepts any certificate on the way to gpumix; remove insecureSkipTLSVerify, since gpumix keeps caBundle up to date',
    mend: 'kubectl apply --server-side --force-conflicts -k apiservice',
  },
  'apiservice-authority': {
    meaning: 'the API server trusts another authority than the one that signed gpumix’s certificate',
    mend: null,
  },
  certificate: { meaning: 'the serving certificate has expired, or expires soon and nobody renews it', mend: null },
  'targets-missing': {
    meaning: 'some Deployments have no target, so their autoscalers hold',
    mend: 'run gpumix explain NAMESPACE/DEPLOYMENT',
  },
  'no-autoscaler': {
    meaning: 'no autoscaler follows the target of a Deployment',
    mend: 'create an HPA as in manifests/samples/hpa',
  },
  'two-autoscalers': { meaning: 'two autoscalers set the replicas of one Deployment and work against each other', mend: null },
  'hpa-metric': { meaning: 'an HPA does not read gpumix’s metric', mend: null },
  'hpa-other-metric': { meaning: 'an HPA reads another metric besides gpumix’s, and follows the higher of the two', mend: null },
  'hpa-target-type': {
    meaning: 'with a target of type Value an HPA multiplies its replicas by the metric, up to its maximum',
    mend: null,
  },
  'hpa-average-value': {
    meaning: 'the metric is the number of replicas, so any averageValue other than 1 changes it',
    mend: null,
  },
  'hpa-described-object': { meaning: 'an HPA reads the target of another object', mend: null },
  'hpa-external': {
    meaning: 'external metrics are not served',
    mend: 'start serve with --external-metrics, or use a metric of type Object',
  },
  'hpa-tolerance': {
    meaning: 'an HPA ignores differences within its tolerance, by default two of 20 replicas',
    mend: null,
  },
  'hpa-disabled': { meaning: 'an HPA may not scale in one direction, or not at all', mend: null },
  'hpa-slow': { meaning: 'an HPA takes long to follow because of its own settings', mend: null },
  'hpa-minimum': { meaning: 'the minimum of an HPA is above the label min_replicas, so the label has no effect', mend: null },
  'hpa-limited': { meaning: 'an HPA is at a limit of its own', mend: 'change minReplicas or maxReplicas' },
  'hpa-failing': { meaning: 'an HPA reports that it cannot scale', mend: 'run kubectl describe hpa' },
  'pod-autoscaler': {
    meaning: 'a PodAutoscaler of AIBrix handles gpumix’s metric differently than its user expects',
    mend: null,
  },
  'aibrix-version': {
    meaning: 'the release of AIBrix’s controller is unknown, and its faults depend on it',
    mend: 'use an image with a version',
  },
  'aibrix-right': {
    meaning: 'AIBrix’s controller may not read gpumix’s metric, and reads 0 instead',
    mend: 'give it the right, as in manifests/samples/aibrix',
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type FindingId = keyof typeof findingKinds;
