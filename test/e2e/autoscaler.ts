/** An HPA that follows gpumix exactly and at once, as in manifests/samples/hpa. */
export const autoscaler = (namespace: string, name: string, maxReplicas = 40, minReplicas = 0) => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name, namespace },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    minReplicas,
    maxReplicas,
    metrics: [
      {
        type: 'Object',
        object: {
          describedObject: { apiVersion: 'apps/v1', kind: 'Deployment', name },
          metric: { name: 'gpumix_target_replicas' },
          target: { type: 'AverageValue', averageValue: '1' },
        },
      },
    ],
    behavior: {
      scaleUp: { tolerance: '0', policies: [{ type: 'Pods', value: 1000, periodSeconds: 15 }] },
      scaleDown: { tolerance: '0', stabilizationWindowSeconds: 0 },
    },
  },
});
