# shellcheck shell=bash
# Talking to the person at the terminal, and remembering what has been done.

# What ./dev makes for itself: stamps, a Node of its own, the demo's data.
STATE="$PWD/.gridwalk"

# Standard output belongs to the program that is run: the last line of
# `./dev demo --once` is for machines.
say() {
    printf '▸ %s · %s\n' "$1" "$2" >&2
}

die() {
    printf '✗ %s · %s\n' "$1" "$2" >&2
    exit 1
}

in_ci() {
    [ "${CI:-}" = true ]
}

# A part that lacks its tools ends with this status: on somebody's own machine
# it is left out, in CI it has failed.
readonly SKIP_STATUS=77

# skip ZH EN: leaves the part under way, which runs in a subshell.
skip() {
    in_ci && die "$1" "$2"
    say "跳过：$1" "skipped: $2"
    exit "$SKIP_STATUS"
}

target_folder() {
    printf '%s' "${CARGO_TARGET_DIR:-target}"
}

# version_at_least HAVE WANT
version_at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# fingerprint FOLDER_OR_FILE…: one hash over names and contents, without what
# tools put there.
fingerprint() {
    find "$@" \( -name node_modules -o -name dist \) -prune -o -type f -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

# is_done NAME FINGERPRINT: whether this was done with the same input.
is_done() {
    [ "$(cat "$STATE/stamps/$1" 2>/dev/null)" = "$2" ]
}

mark_done() {
    mkdir -p "$STATE/stamps"
    printf '%s\n' "$2" >"$STATE/stamps/$1"
}
