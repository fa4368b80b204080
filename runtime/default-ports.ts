/** Where the embedded parts listen when nothing else does; the API's is PORT. */
export const defaultPorts = {
  postgres: 5433,
  temporal: 7233,
  temporalUi: 8233,
  smtp: 1025,
  mail: 8025,
  supportMailbox: 1026,
  workerMetrics: 9464,
} as const;
