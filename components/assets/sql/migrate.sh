#!/bin/sh
# Brings one service's database up to date: its roles, then every migration that has not run yet, in order, once.
#
# Runs in the migrations Job and in its tests, with the files of this folder beside it. Needs sh, psql and coreutils.
#   PGHOST PGPORT PGDATABASE PGSSLMODE PGSSLROOTCERT   the way to the database (libpq)
#   LOGIN           a folder with the administrator's username and password; left out, libpq's PGUSER and PGPASSWORD
#   SERVICE         whose database: its schema, and the first part of its roles' names
#   LOCK_TIMEOUT    how long a migration may wait for a table, e.g. 3s; then it gives up, and the Job tries again
#   TMPDIR          a folder to write in
# Ends with 0 when all has been applied, here or by another run at the same time.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
plan=$(mktemp)
finished=$(mktemp -u)
login=$(mktemp)
trap 'rm -f "$plan" "$finished" "$login"' EXIT

# A password in the environment ends up in dumps, and in what a node tells of its containers.
if [ -n "${LOGIN:-}" ]; then
  PGUSER=$(cat "$LOGIN/username")
  sed 's/[\\:]/\\&/g; s/^/*:*:*:*:/' "$LOGIN/password" >"$login"
  PGPASSFILE=$login
  export PGUSER PGPASSFILE
fi

refuse() {
  echo "migrate: $1" >&2
  exit 1
}

# A file that ends the transaction around it would be half applied when its second half fails. ("end;" is left out: it
# closes the blocks of PL/pgSQL.)
transactions='^[[:space:]]*(begin|start transaction|commit|rollback)([[:space:]]+(work|transaction))?[[:space:]]*;'

{
  # The lock goes with the session, so a run that dies leaves none behind. Advisory locks are counted per database; the
  # number is this project's own.
  printf '%s\n' "select pg_try_advisory_lock(7402919350126) as mine \\gset"
  printf '%s\n' "\\if :mine"
  printf '%s\n' "\\i '$here/start.sql'"
  for file in "$here"/[0-9][0-9][0-9][0-9]_*.sql; do
    [ -e "$file" ] || continue
    revision=$(basename "$file" .sql)
    alone=off
    if head -n 1 "$file" | grep -qx -- '-- migrate: no transaction'; then alone=on; fi
    if grep -qiE "$transactions" "$file"; then
      refuse "$revision: remove begin and commit: each file is one transaction already"
    fi
    checksum=$(sha256sum "$file" | cut -d ' ' -f 1)
    printf '%s\n' "\\set file '$file'"
    printf '%s\n' "\\set revision '$revision'"
    printf '%s\n' "\\set checksum '$checksum'"
    printf '%s\n' "\\set alone $alone"
    printf '%s\n' "\\i '$here/step.sql'"
  done
  printf '%s\n' "\\i '$here/finish.sql'"
  printf '%s\n' "\\! touch '$finished'"
  printf '%s\n' "\\else"
  printf '%s\n' "\\echo another run is at work here"
  printf '%s\n' "\\endif"
} >"$plan"

# Another run holds the lock: come again. Waiting inside the server would hold a snapshot that a CREATE INDEX
# CONCURRENTLY of that other run waits for in turn (a deadlock that has marked invalid indexes as applied).
while :; do
  psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 \
    --set service="$SERVICE" --set lock_timeout="$LOCK_TIMEOUT" --file "$plan"
  [ ! -e "$finished" ] || break
  sleep 1
done
