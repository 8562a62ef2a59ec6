// The core's Kotlin, made from the library itself, and the library for the
// phone's processors. Nothing of it is committed.
plugins {
    alias(libs.plugins.android.library)
    alias(libs.plugins.kotlin.android)
}

val repository = rootDir.parentFile
val generated = layout.buildDirectory.dir("generated/kotlin")
val libraries = layout.buildDirectory.dir("generated/jniLibs")

val generateBindings by tasks.registering(Exec::class) {
    inputs.files(fileTree(repository.resolve("core")) { include("**/*.rs", "**/Cargo.toml") }, fileTree(repository.resolve("bindings/ffi/src")))
    outputs.dir(generated)
    workingDir = repository
    commandLine("bindings/generate", generated.get().asFile.path, "kotlin")
}

val buildLibraries by tasks.registering(Exec::class) {
    inputs.files(fileTree(repository.resolve("core")) { include("**/*.rs", "**/Cargo.toml") }, fileTree(repository.resolve("bindings/ffi/src")))
    outputs.dir(libraries)
    workingDir = repository
    commandLine("android/native", libraries.get().asFile.path)
}

android {
    namespace = "org.gridwalk.core"
    compileSdk = 36
    defaultConfig { minSdk = 26 }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    sourceSets["main"].kotlin.srcDir(generated)
    sourceSets["main"].jniLibs.srcDir(libraries)
}

tasks.matching { it.name.startsWith("compile") && it.name.endsWith("Kotlin") }.configureEach { dependsOn(generateBindings) }
tasks.matching { it.name.endsWith("JniLibFolders") }.configureEach { dependsOn(buildLibraries) }

dependencies {
    implementation(libs.annotation)
    implementation(libs.jna) { artifact { type = "aar" } }
}
