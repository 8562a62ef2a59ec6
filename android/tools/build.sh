# shellcheck shell=bash
# An Android app without Gradle, SDK or emulator: what android/test and
# android/apk have in common. Everything made lies in .gridwalk/android; a step
# whose input did not change is not done again.

ANDROID="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
ROOT="$(dirname "$ANDROID")"
WORK="${GRIDWALK_ANDROID_WORK:-$ROOT/.gridwalk/android}"
PACKAGE=org.gridwalk.app
MIN_SDK=26
TARGET_SDK=35
VERSION="$(sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml" | head -n 1)"
mkdir -p "$WORK/stamps"

say() { printf '▸ %s\n' "$*" >&2; }
die() {
    printf '✗ %s\n' "$*" >&2
    exit 1
}

# ./dev installs these first, where it can. Without them a person's machine is
# told so and goes on; CI fails.
need_tools() {
    local tool missing=()
    for tool in javac mvn aapt2 zipalign apksigner zip unzip python3; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    [ ${#missing[@]} -eq 0 ] && return
    [ "${CI:-}" = true ] && die "android: missing: ${missing[*]}"
    say "android: skipped: missing: ${missing[*]}"
    exit 77
}

# done_already NAME INPUT…: whether this step was done with these files and
# folders as they are now; if not, remembers what `finish NAME` shall write down.
done_already() {
    local name="$1"
    shift
    find "$@" -type f -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum >"$WORK/stamps/$name.new"
    cmp -s "$WORK/stamps/$name" "$WORK/stamps/$name.new"
}
finish() { mv "$WORK/stamps/$1.new" "$WORK/stamps/$1"; }

# section NAME: the lines of the locked list under that heading.
section() { awk -v want="# $1" '/^#/ { on = index($0, want) == 1 } !/^#/ && NF && on' "$ANDROID/lock.txt"; }

# fetch FOLDER < lines: each coordinate is a dependency of its own with nothing
# behind it, so that nothing is resolved but what the list says.
fetch() {
    local folder="$WORK/fetched/$1"
    mkdir -p "$folder"
    cat >"$folder/lines"
    done_already "fetch-$1" "$folder/lines" && return
    say "fetching $1: $(wc -l <"$folder/lines") files"
    rm -rf "$folder/files" "$folder/jars" "$folder/aar"
    {
        echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        echo '<groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>'
        awk -F: '{ printf "<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version><type>%s</type>" \
            "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>\n", $1, $2, $3, $4 }' "$folder/lines"
        echo '</dependencies></project>'
    } >"$folder/pom.xml"
    mvn -q -B -f "$folder/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
        -DoutputDirectory="$folder/files" >&2
    unpack "$folder"
    finish "fetch-$1"
}

# An archive's classes become a jar; its resources stay beside it.
unpack() {
    local file name
    mkdir -p "$1/jars" "$1/aar"
    for file in "$1"/files/*; do
        name="$(basename "${file%.*}")"
        case $file in
            *.aar) unzip -qo "$file" -d "$1/aar/$name" && ln -f "$1/aar/$name/classes.jar" "$1/jars/$name.jar" ;;
            *) ln -f "$file" "$1/jars/" ;;
        esac
    done
}

fetch_all() {
    section app | fetch app
    section test | fetch test
    section framework | fetch framework
    section tools | fetch tools
    FRAMEWORK="$(ls "$WORK"/fetched/framework/jars/android-all-14*.jar)"
}

class_path() { find "$@" -name '*.jar' | LC_ALL=C sort | paste -sd:; }

# The manifest of the app and of every archive as one, then all resources
# linked against the framework.
link_resources() {
    done_already resources "$ANDROID"/{app,shared}/src/main/res "$ANDROID"/{app/src/main,app/src/debug,shared/src/main}/AndroidManifest.xml \
        "$ANDROID/tools/merge_manifests.py" "$WORK/fetched/app/lines" && return
    say "linking resources"
    local made="$WORK/resources" folder
    rm -rf "$made"
    mkdir -p "$made"/{flat,gen,r}
    python3 "$ANDROID/tools/merge_manifests.py" --package "$PACKAGE" --min "$MIN_SDK" --target "$TARGET_SDK" \
        "$ANDROID/app/src/main/AndroidManifest.xml" "$ANDROID/app/src/debug/AndroidManifest.xml" "$ANDROID/shared/src/main/AndroidManifest.xml" \
        "$WORK"/fetched/app/aar/*/AndroidManifest.xml >"$made/AndroidManifest.xml"
    for folder in "$WORK"/fetched/app/aar/*/res; do
        [ -z "$(find "$folder" -type f)" ] || aapt2 compile --dir "$folder" -o "$made/flat/0-$(basename "$(dirname "$folder")").zip"
    done
    for folder in shared app; do
        aapt2 compile --dir "$ANDROID/$folder/src/main/res" -o "$made/flat/1-$folder.zip"
    done
    local packages
    packages="org.gridwalk.shared:$(grep -ho 'package="[^"]*"' "$WORK"/fetched/app/aar/*/AndroidManifest.xml | cut -d'"' -f2 | sort -u | paste -sd:)"
    aapt2 link -o "$made/app.ap_" -I "$FRAMEWORK" --manifest "$made/AndroidManifest.xml" --auto-add-overlay --java "$made/gen" \
        --extra-packages "$packages" --non-final-ids --min-sdk-version "$MIN_SDK" --target-sdk-version "$TARGET_SDK" \
        --version-code 1 --version-name "$VERSION" \
        "$made"/flat/*.zip 2>"$made/aapt2.log" || die "$(cat "$made/aapt2.log")"
    find "$made/gen" -name R.java >"$made/r.list"
    javac -nowarn -d "$made/r" -cp "$FRAMEWORK" @"$made/r.list"
    (cd "$made/r" && jar cf ../r.jar .)
    finish resources
}

# compile MODULE CLASSPATH BENEATH SOURCE…: Kotlin to $WORK/classes/MODULE.
# BENEATH names the steps whose results it compiles against.
compile() {
    local module="$1" class_path="$2" beneath stamps=() out="$WORK/classes/$1"
    for beneath in $3; do stamps+=("$WORK/stamps/$beneath"); done
    shift 3
    done_already "$module" "$@" "$ANDROID/lock.txt" "${stamps[@]}" && return
    say "compiling $module"
    rm -rf "$out"
    mkdir -p "$out"
    java -Xmx2g -XX:+UseSerialGC -cp "$(class_path "$WORK/fetched/tools/jars")" org.jetbrains.kotlin.cli.jvm.K2JVMCompiler \
        -no-stdlib -no-reflect -jvm-target 17 -Xplugin="$(ls "$WORK"/fetched/tools/jars/kotlin-compose-compiler-plugin*.jar)" \
        -Xannotation-default-target=param-property -Xfriend-paths="$WORK/classes/app" -Werror \
        -module-name "$module" -cp "$class_path" -d "$out" "$@" >&2
    finish "$module"
}

# The generated Kotlin and the library that it calls. Sets LIBRARY; a library
# that GRIDWALK_LIBRARY names is not built again.
make_bindings() {
    say "building the core and its Kotlin bindings"
    LIBRARY="$("$ROOT/bindings/generate" "$WORK/bindings" kotlin | tail -n 1)"
    [ -f "$LIBRARY" ] || die "bindings/generate named no library"
}

compile_app() {
    APP_PATH="$(class_path "$WORK/fetched/app/jars"):$WORK/resources/r.jar"
    local classes="$WORK/classes"
    compile bindings "$APP_PATH:$FRAMEWORK" "" "$WORK/bindings"
    compile shared "$classes/bindings:$APP_PATH:$FRAMEWORK" "resources bindings" "$ANDROID/shared/src/main/kotlin"
    compile app "$classes/shared:$classes/bindings:$APP_PATH:$FRAMEWORK" "resources bindings shared" "$ANDROID/app/src/main/kotlin" "$ANDROID/app/src/debug/kotlin"
}
