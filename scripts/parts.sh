# shellcheck shell=bash
# The parts of `test` and `check`. Each runs by itself and in a subshell; one
# that fails does not keep the others from running.

TEST_PARTS=(rust sim conformance tus web bindings android browser fuzz)
CHECK_PARTS=(format scripts page clippy phones)
# What runs when it is named: house is within rust.
NAMED_TEST_PARTS=(house)
NAMED_CHECK_PARTS=()

# CI writes no snapshot, and neither does a test run at home.
export INSTA_UPDATE=no

test_rust() {
    need_to_build
    page_build
    cargo test --workspace --no-fail-fast
}

# Two hundred districts under faults; `./dev sim` runs more.
test_sim() {
    build_programs
    "$(target_folder)/debug/gridwalk-sim" --seeds 200
}

# The protocol, spoken over plain HTTP by a client that shares no code with ours.
test_conformance() {
    need_python
    build_programs
    bash tests/conformance/run
}

# The same server, and attachments sent by the clients that others have.
test_tus() {
    need_python
    npm_install tests/tus
    pip_install tests/tus
    build_programs
    bash tests/tus/run
}

test_house() {
    need_to_build
    cargo test --package gridwalk-house
}

test_web() {
    page_deps
    (cd "$PAGE" && npm test --silent)
}

# The programs and the library that other languages drive. All at once, as the
# Rust tests were built: alone each would have features of its own, and nearly
# everything would be built again for each.
build_programs() {
    need_to_build
    page_build
    say "编译程序和手机库" "building the programs and the phones' library"
    cargo build --quiet --workspace >&2
    local built
    built="$(cd "$(target_folder)" && pwd)/debug"
    export GRIDWALK_SERVER="$built/gridwalk-server" GRIDWALK_BINDGEN="$built/gridwalk-bindgen"
    GRIDWALK_LIBRARY="$(find "$built" -maxdepth 1 -name libgridwalk.so -o -maxdepth 1 -name libgridwalk.dylib)"
    export GRIDWALK_LIBRARY
}

test_bindings() {
    need_python
    need_maven
    need_swift
    build_programs
    bash tests/bindings/run all
}

test_android() {
    need_android_tools
    build_programs
    bash android/test
}

# Each target for a short time; ./dev fuzz gives them longer.
test_fuzz() {
    local target seconds=5
    if in_ci; then seconds=30; fi
    fuzz_build
    for target in $(fuzz_targets); do
        fuzz_run "$target" "$seconds"
    done
}

test_browser() {
    need_chromium
    npm_install tests/web
    build_programs
    browser_tests
}

# The page in a real browser, against the demo's server and the demo's day.
browser_tests() {
    local folder="$STATE/browser" ready demo
    mkdir -p "$folder"
    ready="$folder/ready.json"
    rm -f "$ready"
    "$(target_folder)/debug/gridwalk-demo" --listen 127.0.0.1:0 --data "$folder/data" \
        --ready-file "$ready" >&2 &
    demo=$!
    # shellcheck disable=SC2064 # the process is known now, and not later
    trap "kill -INT $demo 2>/dev/null || true; wait $demo || true" EXIT
    until [ -s "$ready" ]; do
        kill -0 "$demo" 2>/dev/null || die "演示服务器没有启动" "the demo's server did not start: see the lines above"
        sleep 0.2
    done
    of_demo() { node -p "JSON.parse(require('fs').readFileSync('$ready', 'utf8')).$1"; }
    GRIDWALK_URL="$(of_demo url)" \
        GRIDWALK_USER="$(of_demo user)" GRIDWALK_PASSWORD="$(of_demo password)" \
        GRIDWALK_ADMIN="$(of_demo admin)" GRIDWALK_ADMIN_PASSWORD="$(of_demo admin_password)" \
        node tests/web/run.mjs
}

check_format() {
    need_rust
    need_rustfmt
    cargo fmt --all --check
    cargo fmt --manifest-path "$FUZZ/Cargo.toml" --check
    page_code format:check
}

check_clippy() {
    need_to_build
    need_clippy
    page_build
    cargo clippy --workspace --all-targets -- -D warnings
}

check_page() {
    page_code lint
    page_code types
}

check_scripts() {
    need_shellcheck
    local scripts
    mapfile -t scripts < <(git ls-files -z --cached --others --exclude-standard |
        xargs -0 grep -lE '^#!.*\b(bash|sh)\b|^# shellcheck shell=bash' --)
    shellcheck --severity=warning --external-sources "${scripts[@]}"
}

# Whether what is meant for phones compiles for them. It proves no more than
# that: nothing is linked, and the C parts need the platforms' own headers.
check_phones() {
    need_to_build
    need_std_source
    bash ios/check-phones
}

# Each is a file in a folder `benches`, or a folder there with a `main.rs`.
bench_files() {
    find core sync-server tests -path '*/node_modules' -prune -o \
        -regex '.*/benches/\([^/]*\|[^/]*/main\)\.rs' -print
}

bench_names() {
    bench_files | sed 's|/main\.rs$||; s|.*/||; s|\.rs$||' | sort
}

# bench_run NAME [ARGUMENT…]: builds the bench's own crate and what that needs.
bench_run() {
    local name="$1" file argument arguments=()
    shift
    # Cargo runs it from its own folder: paths were meant from the caller's.
    for argument in "$@"; do
        [ ! -e "$CALLED_FROM/$argument" ] || argument="$CALLED_FROM/$argument"
        arguments+=("$argument")
    done
    file="$(bench_files | grep -E "/benches/$name(/main)?\.rs$")"
    # The server has the page in it.
    case "$file" in sync-server/* | tests/*) page_build ;; esac
    cargo bench --manifest-path "${file%/benches/*}/Cargo.toml" --bench "$name" -- "${arguments[@]}"
}

# run_parts VERB [PART…]: all of them, then a table of what they took.
run_parts() {
    local verb="$1" known named part status started rows=() passed=0 failed=0 skipped=0
    shift
    if [ "$verb" = test ]; then
        known=("${TEST_PARTS[@]}") named=("${NAMED_TEST_PARTS[@]}")
    else
        known=("${CHECK_PARTS[@]}") named=("${NAMED_CHECK_PARTS[@]}")
    fi
    local chosen=("$@")
    [ -n "${1:-}" ] || chosen=("${known[@]}")
    for part in "${chosen[@]}"; do
        [[ " ${known[*]} ${named[*]} " == *" $part "* ]] ||
            die "$verb 没有这个部分：$part" "$verb has no part $part; it has: ${known[*]} ${named[*]}"
    done
    # What CI builds is built once: no traces for the next small change.
    if in_ci; then export CARGO_INCREMENTAL=0; fi
    for part in "${chosen[@]}"; do
        say "── $verb $part ──" "$(date +%T)"
        started=$SECONDS
        # Not in a condition: that would switch off `set -e` within.
        set +e
        (
            set -e
            "${verb}_$part"
        )
        status=$?
        set -e
        case $status in
            0) passed=$((passed + 1)) && status="通过 passed" ;;
            "$SKIP_STATUS") skipped=$((skipped + 1)) && status="跳过 skipped" ;;
            *) failed=$((failed + 1)) && status="失败 FAILED" ;;
        esac
        rows+=("$(printf '%-10s %5.1f min  %s' "$part" "$(minutes $((SECONDS - started)))" "$status")")
    done
    printf '\n'
    printf '  %s\n' "${rows[@]}"
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" -eq 0 ]
}

minutes() {
    printf '%d.%d' $(($1 / 60)) $(($1 % 60 / 6))
}
