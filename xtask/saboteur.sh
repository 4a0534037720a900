#!/bin/sh
# Cargo calls this as `saboteur.sh rustc ARGUMENTS` for the workspace's own crates alone: what they stand on is built
# as ever. The only place where the flag is set.
exec "$@" --cfg saboteur
