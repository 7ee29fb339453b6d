#!/bin/sh
# Makes the secrets of compose.yaml in docker/secrets (or the folder given), each in its own file; those that exist stay.
set -eu
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
# The folder keeps other people out. The files are readable, because compose mounts them with the owner they have here
# and the containers run as users of their own.
chmod 700 "$folder"

random() { head -c 48 /dev/urandom | base64 | tr -d '\n/+=' | cut -c 1-56; }
put() {
    [ -s "$folder/$1" ] && return 0
    printf '%s\n' "$2" >"$folder/$1"
    chmod 444 "$folder/$1"
    echo "made $folder/$1"
}

put secret_key "$(random)"
put jwt_signing_key "$(random)"
put field_encryption_keys "$(random)"
put seal_keys "$(random)"
put metrics_token "$(random)"
put postgres_password "$(random)"
put valkey_password "$(random)"
put database_url "postgres://gameplatform:$(cat "$folder/postgres_password")@postgres:5432/gameplatform"
put redis_url "redis://:$(cat "$folder/valkey_password")@valkey:6379/0"
