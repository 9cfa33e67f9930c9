#!/bin/sh
# Starts a data node. It never takes itself for the primary: it asks the Sentinels, each time that its process starts,
# so also when a container starts anew inside its pod. Surroundings as in common.sh.
set -eu
. "$(dirname "$0")/common.sh"
trap 'exit 143' TERM # as the first process of its container, a shell would not heed it

# An empty primary would empty its replicas (they copy it). With no replica known, there is nothing to lose.
may_lead() {
  [ -d "$DATA/appendonlydir" ] || [ "$1" = 0 ]
}

# find_primary: sets primary, which may be this host. (No subshell around the waiting: a signal would be heard only after.)
find_primary() {
  waited_for=
  while :; do
    # shellcheck disable=SC2046  # words: EPOCH HOST KNOWN_REPLICAS FLAGS
    set -- $(primary_by_majority node)
    case "$#,${4-}" in
      0,*) why="no majority of Sentinels answers" ;;
      *failover_in_progress*) why="the primary is being moved" ;;
      *)
        primary=$2
        [ "$primary" = "$HOST" ] && ! may_lead "$3" || return 0
        why="this node is named primary but has lost its data; one of $3 replicas has to be chosen"
        ;;
    esac
    [ "$why" = "$waited_for" ] || say "waiting: $why"
    waited_for=$why
    sleep 1
  done
}

umask 077
primary=$HOST
[ -z "$SENTINELS" ] || find_primary
{
  echo "include $SETTINGS/valkey.conf"
  echo "replica-announce-ip $HOST"
  echo "primaryuser replication"
  echo "primaryauth $(cat "$PASSWORDS_FOLDER/replication/password")"
  [ "$primary" = "$HOST" ] || echo "replicaof $primary $PORT"
} >"$RUN/valkey.conf"
say "starting; the primary is $primary"
exec valkey-server "$RUN/valkey.conf"
