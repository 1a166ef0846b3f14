#!/usr/bin/env bash
# Does what the Dockerfile does, without a container runtime: runs the program compiled ahead of time, as a user other than root, with a read-only
# file system except for its data, and an empty environment; and checks its health check, and the options of the compose example.
#   bash eng/container.sh [FOLDER]      FOLDER: the published program; if omitted, it is published first. Needs root on Linux.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
app=${1:-}
[ -n "$app" ] || { app=$work/app; dotnet publish src/MixpanelConnector.Tool.Native -c Release -v quiet -o "$app"; }
app=$(cd "$app" && pwd)
if [ "${2:-}" != --in-a-network-of-its-own ]; then # where the port is free, as in a container
  unshare --net bash -c 'ip link set lo up && exec bash "$@"' - eng/container.sh "$app" --in-a-network-of-its-own
  exit
fi
user=1654 # APP_UID of the image

words() { # words INSTRUCTION: the words of an instruction of the Dockerfile, with this folder in the place of the image's
  grep -oP "^$1 .*?\K\[.*(?=\])" Dockerfile | tr -d '["' | sed "s|/app/|/opt/app/|; s/, /\n/g"
}
mapfile -t entry < <(words ENTRYPOINT)
mapfile -t health < <(words HEALTHCHECK)
mapfile -t command < <(grep -oP '^    command: \[\K"--host.*(?=\])' examples/compose/compose.yaml | tr -d '"' | sed 's/, /\n/g')
[ ${#entry[@]} -gt 3 ] && [ ${#health[@]} -gt 2 ] && [ ${#command[@]} -gt 3 ]

# The image's root: the system's libraries, the program, the data, the seed; everything but /data and /tmp is read-only.
root=$work/root
mkdir -p "$root"/{usr,etc,proc,dev,tmp,data,opt/app}
for link in bin lib lib64; do [ ! -L /$link ] || cp -a /$link "$root/"; done
cp examples/compose/seed.json "$root/seed.json"
chown $user:$user "$root/data"; chmod 1777 "$root/tmp"; chmod 755 "$work" "$root"
inside() { # (inside COMMAND...): in the image's root, as its user, with no capability, and nothing in its environment
  exec unshare --mount bash -c '
    root=$1 app=$2 user=$3; shift 3
    mount --bind "$root" "$root"
    mount --rbind /usr "$root/usr"; mount --bind /etc "$root/etc"; mount --rbind /dev "$root/dev"; mount --rbind /proc "$root/proc"
    mount --bind "$app" "$root/opt/app"; mount --bind "$root/data" "$root/data"; mount -t tmpfs tmpfs "$root/tmp"
    for place in "$root" "$root/usr" "$root/etc" "$root/opt/app"; do mount -o remount,bind,ro "$place"; done
    exec env -i "$(command -v chroot)" "$root" /usr/bin/setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
  ' inside "$root" "$app" $user "$@"
}

status=0; (inside "${health[@]}") 2> /dev/null || status=$?
[ $status -eq 5 ] || { echo "The health check ends with $status where nothing serves, not with 5." >&2; exit 1; }
inside "${entry[@]}" "${command[@]}" > "$work/output" 2>&1 & server=$!
healthy=
for _ in $(seq 50); do
  (inside "${health[@]}") 2> /dev/null && { healthy=1; break; }
  kill -0 $server 2>/dev/null || break
done
[ -n "$healthy" ] || { cat "$work/output" >&2; echo "The container's program is not healthy." >&2; exit 1; }

fail() { cat "$work/output" >&2; echo "$*" >&2; exit 1; }
for host in localhost 172.17.0.2 mixpanel; do # a published port, an address of the container's network, its name in compose
  [ "$(curl -s --noproxy '*' -H "Host: $host:8123" http://127.0.0.1:8123/track --data 'data=[{"event":"Order Placed","properties":{"token":"shop"}}]')" = 1 ] || fail "It does not answer as $host."
done
[ "$(curl -s --noproxy '*' -o /dev/null -w '%{http_code}' -H 'Host: example.com' http://127.0.0.1:8123/healthz)" = 421 ] || fail "It answers under a name that it was not given."
curl -s --noproxy '*' -H 'Accept: text/html' http://127.0.0.1:8123/ | grep -q '<html' || fail "The console does not answer."
[ "$(stat -c %u "$root/data/"* | sort -u)" = $user ] || fail "The data is not the user's."
kill -TERM $server; wait $server || [ $? -eq 143 ] || [ $? -eq 130 ] || fail "It does not end in order."
server=
echo "As in the container: healthy, as user $user, on a root that is read only, under localhost, addresses and the name that it was given."
