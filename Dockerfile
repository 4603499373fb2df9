# The packages are installed in a first stage, so that the final image has no build tools.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.txt requirements-pictures.txt ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes \
    -r requirements.txt -r requirements-pictures.txt

FROM python:3.11-slim
# git and ssh are for articles from a git repository.
RUN apt-get update \
    && apt-get install -y --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin newswire \
    && install -d -o newswire -g newswire /data
WORKDIR /app
COPY --from=build /venv /venv
COPY . .
RUN /venv/bin/python -m compileall -q .
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATE_DIR=/data PORT=8000
# Nothing outside /data and /tmp is ever written: run it with --read-only --tmpfs /tmp, and mount a volume at /data.
# No VOLUME: some hosts refuse it, and it would only create anonymous volumes.
USER 10001:10001
EXPOSE 8000
# The check of the web process. For the bot, use `flask bot health`.
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=2)"]
CMD ["python", "serve.py"]
