# What the scripts of a store share. They source it; it does nothing by itself.
#
# All get their surroundings from the pod (components/valkey_pods.py):
#   STORE HOST            the store's name, which is also what Sentinels call it; this pod's own name in the network
#   PORT SENTINEL_PORT    where data nodes and Sentinels listen
#   NODES SENTINELS       names of all data nodes and of all Sentinels; no Sentinels where there is one node
#   PASSWORDS_FOLDER      a folder with a folder per user: password, and previous while the password is being changed
#   SETTINGS RUN DATA     folders: files of the ConfigMap, scratch in memory, what outlives the pod
#   TLS                   options by which valkey-cli speaks TLS
# They run in the image of Valkey: sh, coreutils, grep, sed.

# ask USER HOST PORT COMMAND...: the answer, a line for each of its elements; fails when there is none within 3 seconds.
ask() {
  user=$1 host=$2 port=$3
  shift 3
  secret=$(cat "$PASSWORDS_FOLDER/$user/password")
  # shellcheck disable=SC2086  # TLS is a list of options
  VALKEYCLI_AUTH=$secret REDISCLI_AUTH=$secret \
    timeout 3 valkey-cli --no-auth-warning --user "$user" -h "$host" -p "$port" $TLS "$@" 2>/dev/null
}

# field NAME: the value that follows a name in an answer of names and values.
field() {
  paste -d = - - | sed -n "s/^$1=//p"
}

# The newest word of Sentinels on the primary: "EPOCH HOST KNOWN_REPLICAS FLAGS". Fails without a majority of them: one
# that was cut off, or has just come back, tells of a primary that was.
primary_by_majority() {
  as=$1 asked=0 answered=0 newest=
  for sentinel in $SENTINELS; do
    asked=$((asked + 1))
    said=$(ask "$as" "$sentinel" "$SENTINEL_PORT" sentinel primary "$STORE") || continue
    epoch=$(printf '%s\n' "$said" | field config-epoch)
    [ -n "$epoch" ] || continue
    answered=$((answered + 1))
    if [ -z "$newest" ] || [ "$epoch" -gt "${newest%% *}" ]; then
      newest="$epoch $(printf '%s\n' "$said" | field ip) $(printf '%s\n' "$said" | field num-slaves) $(printf '%s\n' "$said" | field flags)"
    fi
  done
  [ "$answered" -gt $((asked / 2)) ] || return 1
  printf '%s\n' "$newest"
}

# say TEXT: a line in the pod's log.
say() {
  echo "$STORE: $*" >&2
}
