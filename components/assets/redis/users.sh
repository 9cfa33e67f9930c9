#!/bin/sh
# Makes the file of users (ACL) of a server from its rules: for each line "user NAME RULES", NAME's passwords are put in
# as digests. The server never sees a password, and the file, in memory, holds none.
#
# users.sh RULES TO: reads the first file, writes the second. Surroundings as in common.sh.
set -eu
. "$(dirname "$0")/common.sh"

# digests NAME: "#digest " for its password, and for the one before while services still change over.
digests() {
  for file in password previous; do
    path="$PASSWORDS_FOLDER/$1/$file"
    [ -s "$path" ] || continue
    secret=$(cat "$path")
    case $secret in
      *[!A-Za-z0-9_-]*)
        say "the $file of user $1 may hold letters, digits, - and _ only"
        exit 1
        ;;
    esac
    printf '#%s ' "$(printf %s "$secret" | sha256sum | cut -d ' ' -f 1)"
  done
}

umask 077
{
  echo "user default off resetchannels -@all"
  while read -r _ name rules; do
    if [ ! -s "$PASSWORDS_FOLDER/$name/password" ]; then
      say "user $name has no password: its Secret needs one"
      exit 1
    fi
    known=$(digests "$name")
    echo "user $name on $known$rules"
  done <"$1"
} >"$2.new"
mv "$2.new" "$2"
