#!/bin/sh
# Whether a Sentinel may count as one: it can reach enough others to move the primary. Surroundings as in common.sh.
set -eu
. "$(dirname "$0")/common.sh"

ask sentinel "$HOST" "$SENTINEL_PORT" sentinel ckquorum "$STORE" | grep -q '^OK'
