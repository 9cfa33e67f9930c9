#!/bin/sh
# Whether a data node may count as one: the primary with its data loaded, or a replica that has copied it.
# Surroundings as in common.sh.
set -eu
. "$(dirname "$0")/common.sh"

told=$(ask node "$HOST" "$PORT" info | tr -d '\r')
has() { printf '%s\n' "$told" | grep -qx "$1"; }
has loading:0
has role:master || { has master_link_status:up && has master_sync_in_progress:0; }
