# A release names its base by digest: docker build --build-arg BASE=node:24-bookworm-slim@sha256:... (RELEASE.md).
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Only this stage has the packages; the bundle needs none.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY hack/build.ts hack/
COPY hack/bundle hack/bundle
COPY src src
RUN node hack/build.ts

FROM ${BASE}
WORKDIR /app
COPY --from=build /build/dist dist
COPY profiles profiles
COPY package.json LICENSE ./
USER 65532:65532
EXPOSE 6443
# See docs/decisions/0012-memory.md.
ENV MALLOC_ARENA_MAX=1
ENTRYPOINT ["node", "--max-semi-space-size=2", "/app/dist/gpumix.js"]
CMD ["serve"]
