//! Documents. A PDF is taken as it is: what its author put in belongs to it.

use crate::NotTaken;

/// Its end is marked within so many bytes of it.
const TAIL: usize = 1024;

/// A PDF that has an end.
pub(crate) fn pdf(bytes: Vec<u8>) -> Result<Vec<u8>, NotTaken> {
    let tail = &bytes[bytes.len().saturating_sub(TAIL)..];
    let ends = tail.windows(5).any(|window| window == b"%%EOF");
    ends.then_some(bytes).ok_or(NotTaken::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pdf_without_its_end_is_cut() {
        let whole = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n".to_vec();
        assert_eq!(pdf(whole.clone()), Ok(whole.clone()));
        let cut = whole[..whole.len() - 3].to_vec();
        assert_eq!(pdf(cut), Err(NotTaken::Broken));
    }
}
