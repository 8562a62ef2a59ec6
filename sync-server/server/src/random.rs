//! Secrets and numbers, all drawn from the [`Rng`] that the main plugged in.

use gridwalk_domain::{Rng, Sha256};

/// Crockford's base 32: no I, L, O, U.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `groups` groups of four letters: 20 random bits each.
pub(crate) fn letters(rng: &dyn Rng, groups: usize) -> String {
    let mut out = String::new();
    for group in 0..groups {
        if group > 0 {
            out.push('-');
        }
        let bytes = rng.bytes::<4>();
        out.extend(bytes.map(|byte| char::from(LETTERS[usize::from(byte % 32)])));
    }
    out
}

/// A code as it is hashed: what a person may write otherwise does not matter.
pub(crate) fn normal(code: &str) -> String {
    let kept = code.chars().filter(|c| !c.is_whitespace() && *c != '-');
    kept.map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    })
    .collect()
}

/// 64 random hex digits.
pub(crate) fn token(rng: &dyn Rng) -> String {
    hex::encode(rng.bytes::<32>())
}

/// What the server keeps of a token or a code.
pub(crate) fn hashed(secret: &str) -> Sha256 {
    Sha256::of(secret.as_bytes())
}

/// A stream's tag.
pub(crate) fn tag(rng: &dyn Rng) -> u64 {
    u64::from_be_bytes(rng.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bytes(u8);

    impl Rng for Bytes {
        fn fill(&self, out: &mut [u8]) {
            for (n, byte) in (self.0..).zip(out) {
                *byte = n;
            }
        }
    }

    #[test]
    fn codes_read_as_people_write_them() {
        let code = letters(&Bytes(16), 3);
        assert_eq!(code, "GHJK-GHJK-GHJK");
        assert_eq!(normal(&code), normal(" ghjk ghjkghjk"));
        assert_eq!(normal("oil"), "011");
    }
}
