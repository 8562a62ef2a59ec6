// What stands between the core and the screens: flows, the location service,
// the sync worker, the key.
plugins {
    alias(libs.plugins.android.library)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "org.gridwalk.shared"
    compileSdk = 36
    defaultConfig { minSdk = 26 }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
}

dependencies {
    api(project(":bindings"))
    api(libs.coroutines.android)
    api(libs.work.runtime)
    implementation(libs.core.ktx)
    implementation(libs.lifecycle.service)
}
