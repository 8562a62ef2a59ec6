//! What an engine needs to open.

use gridwalk_domain::{Clock, Rng};
use hkdf::Hkdf;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

use crate::Disk;

/// What an engine needs to open.
#[derive(Clone)]
pub struct Config {
    /// The data file; other files of the same name with a suffix lie beside it.
    pub path: PathBuf,
    /// The disk that it lies on: [`crate::SystemDisk`], outside of simulations.
    pub disk: Arc<dyn Disk>,
    /// The key of the data file, from the system's key store; none for a plain
    /// file.
    pub key: Option<Key32>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub rng: Arc<dyn Rng>,
    /// What this is: `android`, `ios`, `terminal` …
    pub platform: String,
    /// The app's version, as the server shall see it.
    pub app: String,
}

/// 32 raw bytes of key, wiped from memory when dropped.
#[derive(Clone)]
pub struct Key32(Zeroizing<[u8; 32]>);

impl Key32 {
    /// Takes the bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads 64 hex digits; none where the text is anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text, bytes.as_mut_slice()).ok()?;
        Some(Self(bytes))
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key for one purpose, from which this one cannot be found.
    ///
    /// This key is uniform already, so HKDF (RFC 5869) needs no salt.
    pub(crate) fn derive(&self, purpose: &[u8]) -> Self {
        let mut out = Zeroizing::new([0; 32]);
        // 32 bytes are within what HKDF-SHA-256 can give (8,160).
        let given =
            Hkdf::<sha2::Sha256>::new(None, self.0.as_slice()).expand(purpose, out.as_mut_slice());
        debug_assert!(given.is_ok());
        Self(out)
    }
}

impl fmt::Debug for Key32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key32(…)")
    }
}

/// A phone whose clock stands and whose random numbers count.
#[cfg(test)]
pub(crate) fn for_tests(path: PathBuf, key: Option<Key32>) -> Config {
    use gridwalk_domain::{BootId, Moment};
    use std::sync::atomic::{AtomicU8, Ordering};

    struct Still;
    impl Clock for Still {
        fn now(&self) -> Moment {
            Moment {
                wall_ms: 1,
                boot: BootId::from_bytes([1; 16]),
                mono_ms: 1,
            }
        }
    }
    struct Count(AtomicU8);
    impl Rng for Count {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0.fetch_add(1, Ordering::Relaxed));
        }
    }
    Config {
        path,
        disk: Arc::new(crate::SystemDisk),
        key,
        clock: Arc::new(Still),
        rng: Arc::new(Count(AtomicU8::new(0))),
        platform: "test".into(),
        app: "0".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_give_different_keys_and_nothing_shows() {
        let key = Key32::from_hex(&"ab".repeat(32)).expect("64 digits");
        assert_ne!(key.derive(b"a").bytes(), key.derive(b"b").bytes());
        assert_eq!(key.derive(b"a").bytes(), key.derive(b"a").bytes());
        assert_eq!(format!("{key:?}"), "Key32(…)");
        assert!(Key32::from_hex("ab").is_none());
    }
}
