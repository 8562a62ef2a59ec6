# shellcheck shell=bash
# The supervisor's page: the server carries it inside, so it is built first.

PAGE=sync-server/web
# Where there is code in TypeScript or JavaScript: the page, and what tests it in a browser.
PAGE_CODE=("$PAGE" tests/web)

# npm_install FOLDER: what the lock file says, unless it is there already.
npm_install() {
    need_node
    local stamp print
    stamp="npm-$(printf '%s' "$1" | tr / -)"
    print="$(node --version) $(fingerprint "$1/package.json" "$1/package-lock.json")"
    [ -d "$1/node_modules" ] && is_done "$stamp" "$print" && return 0
    say "安装 $1 的依赖" "installing the dependencies of $1"
    (cd "$1" && npm ci --no-audit --no-fund >&2) ||
        die "npm ci 失败（$1），请检查网络" "npm ci failed in $1: see the lines above; is the network there?"
    mark_done "$stamp" "$print"
}

page_deps() {
    npm_install "$PAGE"
}

page_build() {
    local print
    print="$(fingerprint "$PAGE")"
    [ -f "$PAGE/dist/index.html" ] && is_done page "$print" && return 0
    page_deps
    say "构建页面" "building the page"
    (cd "$PAGE" && npm run --silent build >&2) || die "页面构建失败" "the page does not build: see the lines above"
    mark_done page "$print"
}

# page_code SCRIPT: that npm script wherever there is code that has it.
page_code() {
    local folder status=0
    for folder in "${PAGE_CODE[@]}"; do
        npm_install "$folder"
        (cd "$folder" && npm run --silent --if-present "$1") || status=1
    done
    return $status
}
