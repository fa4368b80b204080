import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';

const exporter = new PrometheusExporter({ preventServerStart: true });
const provider = new MeterProvider({ readers: [exporter] });
// Without the target's description, which would tell a path of this machine.
const serializer = new PrometheusSerializer(undefined, false, undefined, true);

/** Makes this process's instruments; their names begin with `crm.` (`crm.leads.captured` is read as `crm_leads_captured_total`). */
export const meter = provider.getMeter('durable-crm');

/** The content type of `metricsText`. */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** The current values of all instruments of this process, in Prometheus' text format. */
export async function metricsText(): Promise<string> {
  const { resourceMetrics } = await exporter.collect();
  return serializer.serialize(resourceMetrics);
}
