# syntax=docker/dockerfile:1

FROM node:24-slim AS graphiql
WORKDIR /source/frontend/graphiql
COPY frontend/graphiql ./
RUN npm ci && npm run build

FROM python:3.13-slim AS build
WORKDIR /source
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# The dependencies come first: they change less often than the code.
COPY requirements.txt requirements-build.txt ./
RUN python -m venv /opt/blog \
    && /opt/blog/bin/pip install --require-hashes -r requirements.txt \
    && pip install --require-hashes -r requirements-build.txt
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY alembic alembic
COPY blog_graphql blog_graphql
COPY --from=graphiql /source/blog_graphql/_graphiql blog_graphql/_graphiql
RUN hatchling build -t wheel -d /wheel \
    && /opt/blog/bin/pip install --no-deps /wheel/*.whl

FROM python:3.13-slim
RUN useradd --uid 10001 --create-home --home-dir /data blog
COPY --from=build /opt/blog /opt/blog
ENV PATH=/opt/blog/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BLOG_HOST=0.0.0.0 \
    BLOG_LOG_FORMAT=json
# Where blog.db lies when BLOG_DATABASE_URL names no server.
WORKDIR /data
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"BLOG_PORT\", 8000)}/health', timeout=4)"]
# Without a shell in between, SIGTERM reaches the server, which drains its requests.
ENTRYPOINT ["blog-graphql"]
CMD ["serve"]
