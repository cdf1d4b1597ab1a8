FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Only this stage has the packages; the bundle needs none.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY hack/build.ts hack/
COPY src src
RUN node hack/build.ts

FROM node:24-bookworm-slim
WORKDIR /app
COPY --from=build /build/dist dist
COPY profiles profiles
COPY package.json LICENSE ./
USER 65532:65532
EXPOSE 6443
# See DECISIONS.md, "Memory".
ENV MALLOC_ARENA_MAX=1
ENTRYPOINT ["node", "--max-semi-space-size=2", "/app/dist/gpumix.js"]
CMD ["serve"]
