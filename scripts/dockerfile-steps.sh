#!/usr/bin/env bash
# Does what the Dockerfile does, without Docker: a clean environment from the pinned packages, a clean folder
# with what .dockerignore lets through and nobody may write to, the release command, then the web process; asks
# it for a feed, and ends it. Needs a package index, and about a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
web=
finish() {
    [[ -z $web ]] || kill -KILL -- "-$web" 2>/dev/null || true
    chmod -R u+w "$work"
    rm -rf "$work"
}
trap finish EXIT

python=${PYTHON:-python3}
echo "== packages: $("$python" --version)"
"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
    -r requirements.txt -r requirements-pictures.txt

echo "== files"
mkdir -p "$work/app" "$work/data" "$work/tmp"
"$python" scripts/docker_context.py "$root" "$work/app"
"$work/venv/bin/python" -m compileall -q "$work/app"
chmod -R a-w "$work/app"

# What ENV and USER set: a bare environment, and a user who may write to /data and /tmp only.
port=$("$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
run=(env -i "PATH=$work/venv/bin:/usr/bin:/bin" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
    "STATE_DIR=$work/data" "TMPDIR=$work/tmp" "PORT=$port" HOST=127.0.0.1)
if ((EUID == 0)) && command -v setpriv >/dev/null; then
    chmod a+rx "$work"
    other=(setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs)
    if "${other[@]}" "$work/venv/bin/python" -c '' 2>/dev/null; then
        chown 10001:10001 "$work/data" "$work/tmp"
        run+=("${other[@]}")
    else
        echo "as root: $python is out of another user's reach; PYTHON=… names another"
    fi
fi
cd "$work/app"
before=$(find . | sort | cksum)

echo "== release"
"${run[@]}" flask db upgrade

echo "== web"
command=$("$python" "$root/scripts/docker_context.py" --command "$root/Dockerfile")
set -m
"${run[@]}" sh -c "exec $command" &
web=$!
set +m
for _ in $(seq 100); do
    if "${run[@]}" python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/readyz')" 2>/dev/null; then
        break
    fi
    sleep 0.2
done
"${run[@]}" python -c "
import urllib.request as u
answer = u.urlopen('http://127.0.0.1:$port/feeds/all.atom')
print(answer.status, len(answer.read()), 'bytes of feed')"

echo "== end"
kill -TERM "$web"
wait "$web"
web=
[[ $before == "$(find . | sort | cksum)" ]] || {
    echo "something was written outside of the state folder" >&2
    exit 1
}
echo "ok"
