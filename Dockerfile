# One build, one image for each app: docker build --target api -t pinegate-api .
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
ENV CI=true
COPY scripts/bootstrap.mjs scripts/
COPY scripts/bootstrap scripts/bootstrap
RUN node scripts/bootstrap.mjs tools
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY patches patches
COPY packages packages
COPY apps apps
RUN --mount=type=cache,target=/root/.local/share/pnpm/store \
  .tools/bin/pnpm install --prod --frozen-lockfile --filter . --filter "{./apps/*}..."

FROM node:24.21.0-bookworm-slim AS runtime
WORKDIR /app
COPY --from=build /app/package.json /app/pnpm-workspace.yaml ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/packages packages
COPY --from=build /app/apps apps
COPY scripts/reseal.ts scripts/restored.mjs scripts/
USER node
STOPSIGNAL SIGTERM

FROM runtime AS api
ENV API_HOST=0.0.0.0 API_PORT=5000
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:5000/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/api/src/main.ts"]

FROM runtime AS worker
ENV WORKER_HOST=0.0.0.0 WORKER_PORT=5002
EXPOSE 5002
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:5002/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/worker/src/main.ts"]

FROM runtime AS dashboard
ENV DASHBOARD_HOST=0.0.0.0 DASHBOARD_PORT=5001
EXPOSE 5001
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:5001/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/dashboard/src/main.ts"]

# Stands in for TradingView: demo and tests, never production.
FROM runtime AS sandbox
ENV SANDBOX_HOST=0.0.0.0 SANDBOX_PORT=5100 SANDBOX_TLS_PORT=5101
EXPOSE 5100 5101
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:5100/__sandbox/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/sandbox/src/main.ts"]

# Sets up a demo account and drains examples/roster.csv through the API, then ends.
FROM runtime AS demo
COPY scripts scripts
COPY examples examples
CMD ["node", "scripts/demo.ts"]
