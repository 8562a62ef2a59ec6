//! Our chunk.

use anyhow::{Result, ensure};
use gridwalk_track::codec;

use super::codecs::{Codec, Input};

pub(super) struct Chunk;

impl Codec for Chunk {
    fn name(&self) -> &'static str {
        "gridwalk"
    }

    fn encode(&self, input: &Input) -> Result<Vec<u8>> {
        Ok(codec::encode(&input.fixes)?)
    }

    fn decode(&self, chunk: &[u8], input: &Input, check: bool) -> Result<()> {
        let fixes = std::hint::black_box(codec::decode(chunk)?);
        // As text, so that what is not a number equals itself.
        let same = || format!("{fixes:?}") == format!("{:?}", input.fixes);
        ensure!(!check || same(), "our chunk did not give back what went in");
        Ok(())
    }
}
