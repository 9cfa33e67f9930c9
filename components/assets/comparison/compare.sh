#!/bin/sh
# Compares the monolith's tables with the service's, row by row, while both are written to. No row leaves a server: each
# answers with counts and digests, first of whole buckets of rows, then of the rows of buckets that are not alike.
#
# A row that is not alike may only be late. So rows are looked at twice, with a pause between, and a row counts when it
# stays as it is on both sides and is still not alike. A row that keeps changing cannot be judged; it is said, no more.
#
# Runs in the comparer and in its tests. Needs sh, psql, coreutils, grep and sed.
#   TABLES                    a file, one line a table: monolith's, service's, key columns, ignored columns ("-" for none),
#                             separated by blanks, columns by commas
#   BUCKETS PAUSE STATEMENT_TIMEOUT   parts of a table, seconds between the looks, e.g. 600s
#   MONOLITH_HOST MONOLITH_PORT MONOLITH_DATABASE MONOLITH_USER MONOLITH_AUTHORITY   one side
#   MONOLITH_LOGIN            a folder with its password
#   SERVICE_HOST SERVICE_PORT SERVICE_DATABASE SERVICE_AUTHORITY   the other side
#   SERVICE_LOGIN             a folder with username and password, for which SERVICE_ROLE is the role to be from the first
#                             statement on; or with tls.crt and tls.key of SERVICE_USER
#   PGSSLMODE TMPDIR          of libpq; a folder to write in
# Ends with 0 when all is alike, 1 when something is not, 2 when something could not be compared. It reads only.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

# Both sides must write a value in the same way, or equal rows would look unlike.
export PGCLIENTENCODING=UTF8 PGTZ=UTC PGDATESTYLE=ISO PGAPPNAME=comparer PGCONNECT_TIMEOUT=10
same="-c extra_float_digits=1 -c IntervalStyle=postgres -c bytea_output=hex -c lc_monetary=C"
careful="-c default_transaction_read_only=on -c statement_timeout=$STATEMENT_TIMEOUT -c lock_timeout=3s"

# A password in the environment ends up in dumps, and in what a node tells of its containers.
umask 077
for side in monolith service; do
  login=$MONOLITH_LOGIN
  [ "$side" = monolith ] || login=$SERVICE_LOGIN
  [ ! -e "$login/password" ] || sed 's/[\\:]/\\&/g; s/^/*:*:*:*:/' "$login/password" >"$work/$side.pass"
done
[ ! -e "$SERVICE_LOGIN/username" ] || SERVICE_USER=$(cat "$SERVICE_LOGIN/username")

monolith() (
  export PGHOST="$MONOLITH_HOST" PGPORT="$MONOLITH_PORT" PGDATABASE="$MONOLITH_DATABASE" PGUSER="$MONOLITH_USER"
  export PGPASSFILE="$work/monolith.pass" PGSSLROOTCERT="${MONOLITH_AUTHORITY:-}" PGOPTIONS="$same $careful"
  ask "$@"
)

service() (
  export PGHOST="$SERVICE_HOST" PGPORT="$SERVICE_PORT" PGDATABASE="$SERVICE_DATABASE" PGUSER="$SERVICE_USER"
  export PGPASSFILE="$work/service.pass" PGSSLROOTCERT="${SERVICE_AUTHORITY:-}"
  export PGSSLCERT="$SERVICE_LOGIN/tls.crt" PGSSLKEY="$SERVICE_LOGIN/tls.key"
  export PGOPTIONS="$same $careful ${SERVICE_ROLE:+-c role=$SERVICE_ROLE}"
  ask "$@"
)

ask() {
  file=$1
  shift
  psql --no-psqlrc --quiet --tuples-only --no-align --field-separator ' ' --set ON_ERROR_STOP=1 "$@" \
    --file "$here/$file" </dev/null
}

# Both answers to one question, sorted, in $work/monolith and $work/service.
both() {
  monolith "$@" --set table="$ours" >"$work/answer" && sort "$work/answer" >"$work/monolith" &&
    service "$@" --set table="$theirs" >"$work/answer" && sort "$work/answer" >"$work/service"
}

# What only one side says: a file with each line after its side's name.
unlike() {
  {
    comm -23 "$work/monolith" "$work/service" | sed 's/^/monolith /'
    comm -13 "$work/monolith" "$work/service" | sed 's/^/service /'
  } | sort >"$work/$1"
}

# The second word of each line: a bucket, or the digest of a key.
second() {
  cut -d ' ' -f 2 | sort -u
}

# The rows that are not alike, among those of the buckets that are not: side, digest of the key, digest of the row.
look() {
  both rows.sql --set key="$key" --set columns="$columns" --set buckets="$BUCKETS" --set wanted="$wanted" &&
    unlike "$1"
}

compare() {
  columns=$(monolith columns.sql --set table="$ours" --set ignored="$ignored") || return 2
  there=$(service columns.sql --set table="$theirs" --set ignored="$ignored") || return 2
  if [ -z "$columns" ] || [ "$columns" != "$there" ]; then
    echo "compare: the columns are not the same: ${columns:-none} and ${there:-none}" >&2
    return 2
  fi
  both buckets.sql --set key="$key" --set columns="$columns" --set buckets="$BUCKETS" || return 2
  rows=0
  while read -r _ count _; do rows=$((rows + count)); done <"$work/monolith"
  unlike buckets
  wanted=$(second <"$work/buckets" | paste -s -d , -)
  late=0
  [ -n "$wanted" ] || { alike && return 0; }
  look first || return 2
  sleep "$PAUSE"
  look second || return 2
  judge
}

alike() {
  rest=
  [ "$late" -eq 0 ] || rest=", of which $late were being written and are not judged"
  echo "$ours with $theirs: alike, $rows rows$rest"
}

# A row is judged that was the same at both looks. Only one side has it: the other lacks it.
judge() {
  comm -3 "$work/first" "$work/second" | tr -d '\t' | second >"$work/changing"
  second <"$work/second" >"$work/keys"
  comm -23 "$work/keys" "$work/changing" >"$work/settled"
  comm -12 "$work/keys" "$work/changing" >"$work/late"
  for side in monolith service; do
    { grep "^$side " "$work/second" || :; } | second >"$work/$side.keys"
  done
  comm -23 "$work/monolith.keys" "$work/service.keys" | comm -12 - "$work/settled" >"$work/service.lacks"
  comm -13 "$work/monolith.keys" "$work/service.keys" | comm -12 - "$work/settled" >"$work/monolith.lacks"
  comm -12 "$work/monolith.keys" "$work/service.keys" | comm -12 - "$work/settled" >"$work/other"
  late=$(($(wc -l <"$work/late")))
  [ -s "$work/settled" ] || { alike && return 0; }
  echo "$ours with $theirs: DIFFERENT: the service lacks $(($(wc -l <"$work/service.lacks"))), the monolith lacks" \
    "$(($(wc -l <"$work/monolith.lacks"))), unlike $(($(wc -l <"$work/other"))), not judged $late, of $rows rows;" \
    "keys begin with $(head -n 5 "$work/settled" | paste -s -d , -)"
  return 1
}

worst=0
[ -s "$TABLES" ] || worst=2
while read -r ours theirs key ignored; do
  code=0
  compare || code=$?
  [ "$code" -le "$worst" ] || worst=$code
  [ "$code" -ne 2 ] || echo "$ours with $theirs: NOT COMPARED"
done <"$TABLES"
exit "$worst"
