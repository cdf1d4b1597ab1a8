interface Kind {
  /** What is wrong then, and what follows. */
  readonly meaning: string;
  /** What mends it, where the finding itself does not say; null = it always does. */
  readonly mend: string | null;
}

/** Every finding of `gpumix doctor` by its stable id. docs/doctor.md is generated from this list. */
export const findingKinds = {
  'kubernetes-away': {
    meaning: 'the API server cannot be read, so only Redis was looked at',
    mend: 'give --kubeconfig FILE of this cluster',
  },
  'right-missing': {
    meaning: 'the API server refuses something that gpumix, or this look, needs; the rest was looked at',
    mend: 'kubectl apply --server-side -k manifests gives serve its rights; to look at more: --kubeconfig of an administrator',
  },
  'not-read': {
    meaning: 'one question was not answered; the others were',
    mend: 'ask again; else --kubeconfig of an administrator',
  },
  'redis-away': {
    meaning: 'Redis does not answer, so nothing is known of traffic, and plans stand',
    mend: '--redis-url, REDIS_PASSWORD',
  },
  'redis-read-only': {
    meaning: 'this Redis is a replica or takes no writes: no plan is kept, and silence proves nothing',
    mend: '--redis-url of the primary, or --redis-mode sentinel',
  },
  'redis-empty': {
    meaning: 'Redis answers and holds no record of any model: another database, or no gateway that writes',
    mend: 'the database in --redis-url; for AIBrix’s gateway the flags of request tracing (KNOWN_ISSUES.md)',
  },
  'redis-keys': {
    meaning: 'which keys are there could not be looked for (the commands scan and role)',
    mend: 'a Redis user with them',
  },
  clock: {
    meaning:
      'clocks differ: here, of Redis, of the API server, of a gateway; the one that two others contradict is named, that of Redis counts',
    mend: 'NTP on the host that is named',
  },
  'tracing-off': { meaning: 'AIBrix’s gateway writes no request records, as switches of its release are not on', mend: null },
  'engine-metrics': {
    meaning:
      'engines do not tell how busy they are (another port, credentials, no metrics), so that silence in the records may be anything',
    mend: null,
  },
  'no-deployment': {
    meaning: 'no Deployment says which model it serves, so nothing is planned for',
    mend: 'kubectl label deployment NAME -n NAMESPACE model.aibrix.ai/name=MODEL',
  },
  'no-leader': {
    meaning: 'no serve plans, or it plans under another prefix or into another Redis; targets become unavailable',
    mend: 'kubectl logs -n gpumix-system -l app.kubernetes.io/name=gpumix; compare --redis-url and --plan-prefix',
  },
  'no-profile': {
    meaning: 'a Deployment without a profile takes no part in plans',
    mend: 'gpumix benchmark, then gpumix profile',
  },
  profile: { meaning: 'a profile is not followed, or cannot be read', mend: 'measure again, or gpumix.io/profile-confirmed' },
  'profile-shape': {
    meaning: 'a profile says that more is served of a larger size than of a smaller one, which no engine does',
    mend: 'measure those sizes again: gpumix benchmark',
  },
  'profile-elsewhere': { meaning: 'a profile of this model is there, under a key that nobody looks for', mend: null },
  'no-records': {
    meaning: 'no gateway has written a record of this model, so its demand is not known',
    mend: 'does the gateway write to this Redis, and does it call the model by this name?',
  },
  'other-name': { meaning: 'records are there of a name that is nearly this model’s', mend: null },
  'stale-records': {
    meaning: 'records have ceased to come, and nothing shows that there is no traffic',
    mend: 'is the gateway alive?',
  },
  'record-defect': {
    meaning: 'what a gateway counts cannot be true; what ends, or what engines count, is planned for',
    mend: 'KNOWN_ISSUES.md',
  },
  'gateway-replicas': {
    meaning: 'several replicas of AIBrix’s gateway overwrite each other’s records',
    mend: 'run one, or gpumix gateway',
  },
  'cannot-wake': {
    meaning: 'a model is at zero and no request will be seen that could wake it',
    mend: 'kubectl label deployment NAME -n NAMESPACE --overwrite model.aibrix.ai/min_replicas=1',
  },
  unserved: {
    meaning: 'not all demand can be served within stock, bounds and budget',
    mend: 'gpumix explain NAMESPACE/DEPLOYMENT names what binds',
  },
  'beyond-slo': { meaning: 'some requests keep the SLO on no GPU type', mend: 'a profile with other limits, or a larger GPU' },
  extrapolated: {
    meaning: 'the demand lies outside of what the profile measured',
    mend: 'measure those sizes: gpumix benchmark --input-limit',
  },
  'swap-blocked': {
    meaning: 'another mix is cheaper, but there is no room for both at once',
    mend: 'a GPU more for the time of the change',
  },
  'out-of-stock': {
    meaning: 'pods of a Deployment do not come; the others are planned around it',
    mend: 'kubectl describe replicaset, pod',
  },
  'pod-failing': { meaning: 'a pod does not become Ready', mend: null },
  'not-followed': {
    meaning: 'spec.replicas does not move toward the target, so the others are planned around it',
    mend: 'what doctor says of its autoscaler',
  },
  label: {
    meaning: 'a label or annotation cannot be read; its last good value stands',
    mend: 'README, What it reads of a Deployment',
  },
  paused: {
    meaning: 'a Deployment is paused by hand: its metric is unavailable, and the others are planned around it',
    mend: null,
  },
  pinned: { meaning: 'a Deployment has a fixed number of replicas by hand', mend: null },
  approximation: { meaning: 'something is planned for as something near it', mend: 'README, Routers that are not ours' },
  problem: { meaning: 'what serve warns of', mend: 'README' },
  'apiservice-missing': {
    meaning: 'no HPA can read the metric',
    mend: 'kubectl apply --server-side --force-conflicts -k apiservice',
  },
  'apiservice-foreign': {
    meaning: 'another adapter has the API, so HPAs do not read ours',
    mend: 'kubectl apply --server-side --force-conflicts -k apiservice, with --upstream for what the other served (manifests/components/upstream)',
  },
  'apiservice-unavailable': {
    meaning: 'the API server cannot reach gpumix, or does not believe its certificate',
    mend: 'kubectl get pods,endpointslices -n gpumix-system',
  },
  'apiservice-insecure': {
    meaning: 'whoever is on the way to gpumix is believed; gpumix itself keeps caBundle up to date',
    mend: 'kubectl apply --server-side --force-conflicts -k apiservice',
  },
  'apiservice-authority': {
    meaning: 'the API server believes another authority than the one that signed for gpumix',
    mend: null,
  },
  certificate: { meaning: 'the serving certificate has expired, or is about to and nobody renews it', mend: null },
  'targets-missing': {
    meaning: 'some Deployments have no target, so their autoscalers hold',
    mend: 'gpumix explain NAMESPACE/DEPLOYMENT says why',
  },
  'no-autoscaler': { meaning: 'nothing follows the target of a Deployment', mend: 'manifests/samples/hpa has an HPA' },
  'two-autoscalers': { meaning: 'two autoscalers set the replicas of one Deployment, each against the other', mend: null },
  'hpa-metric': { meaning: 'an HPA does not read our metric', mend: null },
  'hpa-other-metric': { meaning: 'an HPA reads another metric beside ours, and does what wants more replicas', mend: null },
  'hpa-target-type': { meaning: 'with Value an HPA multiplies its replicas by the metric, up to its maximum', mend: null },
  'hpa-average-value': {
    meaning: 'the metric is a number of replicas: each average value but 1 makes another number of it',
    mend: null,
  },
  'hpa-described-object': { meaning: 'an HPA reads the target of another object', mend: null },
  'hpa-external': {
    meaning: 'external metrics are not served',
    mend: 'serve with --external-metrics, or the metric of type Object',
  },
  'hpa-tolerance': {
    meaning: 'an HPA leaves differences within its tolerance alone: of 20 replicas two, by default',
    mend: null,
  },
  'hpa-disabled': { meaning: 'an HPA may not scale in one direction, or not at all', mend: null },
  'hpa-slow': { meaning: 'by its own settings an HPA takes long to follow', mend: null },
  'hpa-minimum': { meaning: 'the minimum of an HPA is above the label min_replicas, which then does nothing', mend: null },
  'hpa-limited': { meaning: 'an HPA is at a limit of its own', mend: 'minReplicas, maxReplicas' },
  'hpa-failing': { meaning: 'an HPA says itself that it cannot scale', mend: 'kubectl describe hpa' },
  'pod-autoscaler': {
    meaning: 'a PodAutoscaler of AIBrix does something else with our metric than its user expects',
    mend: null,
  },
  'aibrix-version': {
    meaning: 'the release of AIBrix’s controller is not known, on which its faults depend',
    mend: 'an image with a version',
  },
  'aibrix-right': {
    meaning: 'AIBrix’s controller may not read our metric, and takes that for 0',
    mend: 'manifests/samples/aibrix gives the right',
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type FindingId = keyof typeof findingKinds;
