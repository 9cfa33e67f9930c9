#!/bin/sh
# Before a data node stops: if it is the primary, another takes over, after it has all that was acknowledged (a
# coordinated failover, Valkey 9). Gives up after 20 seconds: a node has to be able to stop. Surroundings as in common.sh.
set -eu
. "$(dirname "$0")/common.sh"

leads() { ask node "$HOST" "$PORT" role | head -n 1 | grep -qx master; }
hand_over() {
  for sentinel in $SENTINELS; do
    said=$(ask node "$sentinel" "$SENTINEL_PORT" sentinel failover "$STORE" coordinated) || continue
    case $said in OK | INPROG*) return 0 ;; esac
  done
  return 1
}

end=$(($(date +%s) + 20))
leads || exit 0
until hand_over || [ "$(date +%s)" -ge "$end" ]; do
  sleep 1
done
while leads && [ "$(date +%s)" -lt "$end" ]; do
  sleep 1
done
