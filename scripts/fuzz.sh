# shellcheck shell=bash
# Fuzzing with libFuzzer on the stable compiler. A target is a file in
# tests/fuzz/src/bin; nothing else names it.

FUZZ=tests/fuzz
# What cargo-fuzz sets, but for the address sanitizer: our code is safe Rust.
FUZZ_FLAGS="--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"

fuzz_targets() {
    find "$FUZZ/src/bin" -name '*.rs' -printf '%f\n' | sed 's|\.rs$||' | sort
}

fuzz_folder() {
    printf '%s/fuzz' "$(realpath -m "$(target_folder)")"
}

# Named for its own sake: build scripts must not get the flags.
fuzz_host() {
    rustc -vV | sed -n 's/^host: //p'
}

fuzz_build() {
    need_to_build
    say "编译模糊测试（首次约需数分钟）" "building the fuzz targets (minutes, the first time)"
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="$FUZZ_FLAGS" CARGO_TARGET_DIR="$(fuzz_folder)" \
        cargo build --release --manifest-path "$FUZZ/Cargo.toml" --target "$(fuzz_host)" --bins
}

# fuzz_run TARGET SECONDS: first all that is kept in tests/fuzz/cases, then what
# libFuzzer makes of it. What crashes is written to tests/fuzz/cases/TARGET: it
# stays there as a test once the fault is mended.
fuzz_run() {
    local target="$1" seconds="$2" corpus="$STATE/fuzz/$1" cases="$FUZZ/cases/$1"
    mkdir -p "$corpus" "$cases"
    say "模糊测试 $target，$seconds 秒" "fuzzing $target for $seconds s"
    "$(fuzz_folder)/$(fuzz_host)/release/$target" -max_total_time="$seconds" -timeout=20 \
        -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$cases/" "$corpus" "$cases" >&2 ||
        die "$target 发现问题，输入保存在 $cases" "$target found a fault; the input is in $cases"
}
