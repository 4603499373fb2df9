#!/usr/bin/env bash
# Builds the image as the Dockerfile says and runs it, by buildah: without Docker, a daemon or a registry. The base
# image is a Debian with Python, made from Debian's packages, under the name of the one in the Dockerfile. Then it
# does what a host does: the release command, the web process, its health check, SIGTERM. Needs buildah, mmdebstrap,
# Debian's packages and a package index, and ends with status 77 where they cannot be had; takes some minutes. PORT is
# where the web process listens.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
image_tool() { buildah --root "$work/storage" --runroot "$work/run" "$@"; }
web=
finish() {
    [[ -z $web ]] || kill -KILL "$web" 2>/dev/null || true
    image_tool rm --all >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap finish EXIT

# How this machine reaches its package index and Debian's packages.
mounts=()
for path in /etc/pip.conf /etc/xdg/pip /etc/ssl/certs /etc/apt/apt.conf.d; do
    [[ ! -e $path ]] || mounts+=(--volume "$path:$path:ro")
done

# All that is not the Dockerfile's: Debian's packages, the right to run a container, a package index within it.
make_base_image() {
    mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates "${SUITE:-bookworm}" "$work/base.tar" &&
        base=$(image_tool from scratch) &&
        image_tool add --quiet "$base" "$work/base.tar" / &&
        image_tool run "$base" -- ln -s python3 /usr/bin/python &&
        image_tool run "${mounts[@]}" "$base" -- sh -c "
            python -m venv /probe && /probe/bin/pip download -q --no-deps --dest /probe wheel && rm -r /probe" &&
        image_tool commit --quiet "$base" "docker.io/library/$image" &&
        rm "$work/base.tar"
}

echo "== base image"
image=$(sed -n 's/^FROM \(python:[^ ]*\)$/\1/p' Dockerfile | head -n 1)
make_base_image || {
    echo "this machine cannot run a container, or not reach packages from it" >&2
    exit 77
}

echo "== build"
image_tool build --pull-never --network host --format docker "${mounts[@]}" --tag newswire . >"$work/build.log" 2>&1 || {
    tail -n 30 "$work/build.log" >&2
    exit 1
}

echo "== release"
port=${PORT:-8000}
app=$(image_tool from --pull-never localhost/newswire)
image_tool config --env "PORT=$port" --env HOST=127.0.0.1 "$app"
image_tool run "$app" -- flask db upgrade
image_tool run "$app" -- git --version
[[ $(image_tool run "$app" -- id -u) == 10001 ]]
if image_tool run "$app" -- touch /app/written 2>/dev/null; then
    echo "/app can be written to" >&2
    exit 1
fi

echo "== web"
command=$(python3 scripts/docker_context.py --command Dockerfile)
# The container has no process numbers of its own here: what the process writes is its number outside.
image_tool run "$app" -- sh -c "echo \$\$ >/data/web.pid; exec $command" >"$work/web.log" 2>&1 &
running=$!
check=$(image_tool inspect --type image --format '{{index .Docker.Config.Healthcheck.Test 3}}' localhost/newswire)
for _ in $(seq 150); do
    if image_tool run "$app" -- python -c "$check" 2>/dev/null; then break; fi
    sleep 0.2
done
image_tool run "$app" -- python -c "$check"
image_tool run "$app" -- python -c "
import urllib.request as u
answer = u.urlopen('http://127.0.0.1:$port/feeds/all.atom')
print(answer.status, len(answer.read()), 'bytes of feed')"
if image_tool run "$app" -- flask bot health; then
    echo "no bot runs, and its health check says that one does" >&2
    exit 1
fi

echo "== end"
web=$(image_tool run "$app" -- cat /data/web.pid)
kill -TERM "$web"
wait "$running" || true # buildah's own status says nothing about the process
grep -q "shutdown completed" "$work/web.log"
web=
echo "ok"
