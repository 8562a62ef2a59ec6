// The screens.
plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
    alias(libs.plugins.kotlin.compose)
}

android {
    namespace = "org.gridwalk.app"
    compileSdk = 36
    defaultConfig {
        applicationId = "org.gridwalk.app"
        minSdk = 26
        targetSdk = 35
        versionCode = 1
        versionName = "0.1.0"
    }
    buildTypes {
        release {
            isMinifyEnabled = true
            isShrinkResources = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"), rootProject.file("tools/keep.pro"))
        }
    }
    buildFeatures { compose = true }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    testOptions {
        unitTests.isIncludeAndroidResources = true
        unitTests.all {
            // A file that goes to another app is handed over by its descriptor.
            it.jvmArgs("--add-opens=java.base/java.io=ALL-UNNAMED")
            it.systemProperty("gridwalk.android", rootDir.path)
            it.systemProperty("gridwalk.drawn", layout.buildDirectory.dir("drawn").get().asFile.path)
            // The core and the server for this machine: cargo build --package gridwalk-ffi --package gridwalk-server
            val built = rootDir.parentFile.resolve("target/debug")
            it.systemProperty("jna.library.path", built.path)
            it.systemProperty("gridwalk.server", built.resolve("gridwalk-server").path)
        }
    }
}

dependencies {
    implementation(project(":shared"))
    implementation(libs.activity.compose)
    implementation(libs.compose.foundation)
    implementation(libs.compose.material3)
    implementation(libs.compose.runtime)
    implementation(libs.compose.ui)
    implementation(libs.compose.ui.tooling.preview)
    implementation(libs.core.ktx)
    implementation(libs.lifecycle.runtime.compose)
    implementation(libs.lifecycle.viewmodel.savedstate)

    testImplementation(libs.compose.ui.test.junit4)
    testImplementation(libs.coroutines.test)
    testImplementation(libs.jna)
    testImplementation(libs.junit)
    testImplementation(libs.robolectric)
    testImplementation(libs.test.core)
    testImplementation(libs.work.testing)
}
