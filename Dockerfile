# The image of tdsync: `docker build -t tdsync .`
#
#   /config/tdsync.yaml   the configuration, to be mounted read-only
#   /data                 the snapshot, and the refresh token of an app that a person approves: the only place that is written,
#                         to be mounted as a volume
#
# Nothing of an organization is in the image: no configuration, no directory, no secret. Everything below /app belongs to
# root and runs as an ordinary user, so that the root file system can be read-only.
#
# Behind a registry of your own: --secret id=npmrc,src=$HOME/.npmrc, which leaves no trace in the image.

# Both stages and the runtime stand on this; a mirror or a digest can be given with --build-arg.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=cache,target=/root/.npm \
    npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json rolldown.config.js ./
COPY src ./src
RUN npm run build

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund
# better-sqlite3 brings its library for eight platforms, and SQLite's source: one library is needed. Loading it afterwards
# proves that it is there and fits this system. Types and source maps are for developers.
RUN cd node_modules/better-sqlite3 \
    && find prebuilds -type f ! -name "linux-$(node -p process.arch).node" -delete \
    && rm -rf deps src \
    && cd /app && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \) -delete \
    && node -e "new (require('better-sqlite3'))(':memory:').prepare('SELECT 1').get()"

FROM ${NODE_IMAGE} AS runtime
# Nothing is installed at run time: without package managers there is less to keep up to date and less to misuse.
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /opt/yarn-* \
    && rm -f /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
    && ln -s /app/dist/cli/main.js /usr/local/bin/tdsync \
    && install -d -o 1000 -g 1000 -m 0700 /data \
    && install -d /config
COPY --from=dependencies /app/node_modules /app/node_modules
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/dist /app/dist

ENV NODE_ENV=production \
    TDSYNC_CONFIG=/config/tdsync.yaml \
    TDSYNC_SNAPSHOT_PATH=/data/tdsync.db
WORKDIR /data
VOLUME /data
# `node` of the base image, by number, as Kubernetes can only tell from a number that it is not root.
USER 1000:1000
# The daemon answers it by finishing the call in flight; the rest is left to the next run.
STOPSIGNAL SIGTERM
# Every start of tdsync reads the snapshot, no network. The start period is for a first import that takes its time.
HEALTHCHECK --interval=60s --timeout=10s --start-period=10m --retries=3 \
    CMD ["tdsync", "status", "--max-age", "2h"]
# The program starts as it does everywhere, with the options for Node that its first line names. No shell stands between:
# Node itself becomes process 1 and gets the signals.
ENTRYPOINT ["tdsync"]
CMD ["daemon"]

ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="twilio-directory-sync" \
      org.opencontainers.image.description="Keeps the people of a Twilio organization, and the roles they hold, in step with a company directory" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
