#!/bin/sh
# Loads every library beside it into the primary, in place of its older self. Loading again changes nothing.
# Replicas get libraries as they get data. FOUND_BY says how the primary is found; other surroundings as in common.sh.
#   sentinel   by the Sentinels
#   cluster    HOST is any node of a cluster of one shard, which names its primary first
#   address    HOST is the primary
set -eu
. "$(dirname "$0")/common.sh"

primary() {
  case $FOUND_BY in
    sentinel) primary_by_majority loader | cut -d ' ' -f 2 ;;
    cluster) ask loader "$HOST" "$PORT" cluster slots | sed -n 3p ;;
    address) echo "$HOST" ;;
  esac
}

# load_all HOST: whether the primary took every library. It answers with the library's name, or with what is wrong: what
# passes by itself (no replica, a failover) is told by a word of its own, and what does not by ERR or a lack of rights.
load_all() {
  for library in "$(dirname "$0")"/*.lua; do
    name=$(basename "$library" .lua)
    said=$(ask loader "$1" "$PORT" -x function load replace <"$library") || return 1
    [ "$said" = "$name" ] || say "$name was not loaded: $said"
    case $said in
      "$name") say "$name is loaded" ;;
      ERR* | NOPERM* | NOAUTH* | WRONGPASS*) exit 1 ;;
      *) return 1 ;;
    esac
  done
}

# The Job's deadline ends this.
until host=$(primary) && [ -n "$host" ] && load_all "$host"; do
  sleep 2
done
