#!/bin/sh
# Starts a Sentinel. Sentinel writes what it learns into its own file, so that file lies on a volume; settings come from
# the ConfigMap each time, and only what was learnt is carried over. Surroundings as in common.sh.
set -eu
. "$(dirname "$0")/common.sh"
trap 'exit 143' TERM

file=$DATA/sentinel.conf
learnt='^sentinel (myid|current-epoch|config-epoch|leader-epoch|known-replica|known-sentinel) '

# first_primary: where to begin with nothing learnt: what another Sentinel knows; else what the data nodes say of
# themselves; else, when nobody answers since nothing has ever run, the first node.
first_primary() {
  for other in $SENTINELS; do
    [ "$other" != "$HOST" ] || continue
    found=$(ask sentinel "$other" "$SENTINEL_PORT" sentinel primary "$STORE" | field ip)
    [ -z "$found" ] || { echo "$found" && return; }
  done
  for node in $NODES; do
    role=$(ask sentinel "$node" "$PORT" role) || continue
    # shellcheck disable=SC2086  # words: "master OFFSET ..." or "slave HOST PORT ..."
    set -- $role
    case $1 in
      master) echo "$node" && return ;;
      slave) echo "$2" && return ;;
    esac
  done
  echo "${NODES%% *}"
}

umask 077
primary=
[ ! -e "$file" ] || primary=$(sed -n "s/^sentinel monitor $STORE \([^ ]*\) .*/\1/p" "$file")
[ -n "$primary" ] || primary=$(first_primary)
{
  echo "sentinel announce-ip $HOST"
  echo "sentinel announce-port $SENTINEL_PORT"
  echo "sentinel monitor $STORE $primary $PORT $QUORUM"
  cat "$SETTINGS/sentinel.conf"
  echo "sentinel auth-pass $STORE $(cat "$PASSWORDS_FOLDER/sentinel/password")"
  echo "sentinel sentinel-pass $(cat "$PASSWORDS_FOLDER/sentinel/password")"
  [ ! -e "$file" ] || grep -E "$learnt" "$file" || true
} >"$file.new"
mv "$file.new" "$file"
say "starting; the primary is $primary"
exec valkey-sentinel "$file"
