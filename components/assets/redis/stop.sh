#!/bin/sh
# Before a data node stops: if it is the primary, another takes over, after it has all that was acknowledged (a
# coordinated failover, Valkey 9). Gives up after 20 seconds: a node has to be able to stop. Surroundings as in common.sh.
set -eu
. "$(dirname "$0")/common.sh"

leads() { ask node "$HOST" "$PORT" role | head -n 1 | grep -qx master; }
hand_over() {
  for sentinel in $SENTINELS; do
    said=$(ask node "$sentinel" "$SENTINEL_PORT" sentinel failover "$STORE" coordinated) || continue
    [ "$said" != OK ] || return 0
  done
  return 1
}

tries=20
leads || exit 0
until hand_over || [ "$tries" = 0 ]; do
  tries=$((tries - 1))
  sleep 1
done
while leads && [ "$tries" != 0 ]; do
  tries=$((tries - 1))
  sleep 1
done
