//! Generates Kotlin, Swift and Python from the built library.
//!
//! `bindings/generate` calls it; it is `uniffi-bindgen` at the version that the
//! library was built with, so that the two cannot drift apart.

fn main() {
    uniffi::uniffi_bindgen_main();
}
