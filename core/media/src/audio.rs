//! Recordings of sound that are no box files: frames behind each other, and
//! tags before and behind them, which go.

use crate::NotTaken;

const BROKEN: NotTaken = NotTaken::Broken;

/// MPEG audio, layer III (ISO/IEC 11172-3, 13818-3): whole frames and nothing
/// else. What tags there were (ID3, APE, Lyrics3) is not copied.
pub(crate) fn mp3(bytes: &[u8]) -> Result<Vec<u8>, NotTaken> {
    const TAGS: [&[u8]; 5] = [b"TAG", b"ID3", b"3DI", b"APETAGEX", b"LYRICSBEGIN"];
    let start = behind_id3(bytes)?;
    let (mut at, mut frames) = (start, 0_u32);
    while let Some(length) = bytes.get(at..).and_then(mp3_frame) {
        let next = at + length;
        if next > bytes.len() {
            return Err(BROKEN);
        }
        (at, frames) = (next, frames + 1);
    }
    let rest = &bytes[at..];
    let told = rest.iter().all(|byte| *byte == 0) || TAGS.iter().any(|tag| rest.starts_with(tag));
    if frames == 0 || !told {
        return Err(BROKEN);
    }
    Ok(bytes[start..at].to_vec())
}

/// Where the frames begin: behind ID3 version 2, however often it stands there.
fn behind_id3(bytes: &[u8]) -> Result<usize, NotTaken> {
    let mut at = 0;
    while bytes.get(at..at + 3) == Some(b"ID3") {
        let head = bytes.get(at..at + 10).ok_or(BROKEN)?;
        let size = head[6..].iter().try_fold(0_usize, |size, byte| {
            (*byte < 0x80).then_some(size << 7 | usize::from(*byte))
        });
        let footer = if head[5] & 0x10 == 0 { 0 } else { 10 };
        at += 10 + size.ok_or(BROKEN)? + footer;
        if at > bytes.len() {
            return Err(BROKEN);
        }
    }
    Ok(at)
}

/// The length of the frame that begins here, its head included.
fn mp3_frame(at: &[u8]) -> Option<usize> {
    const FIRST: [usize; 15] = [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ];
    const SECOND: [usize; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    const RATES: [usize; 3] = [44_100, 48_000, 32_000];
    let head: &[u8; 4] = at.first_chunk()?;
    if head[0] != 0xff || head[1] & 0xe6 != 0xe2 {
        return None;
    }
    let version = (head[1] >> 3) & 3;
    let rate = *RATES.get(usize::from((head[2] >> 2) & 3))?;
    let (kbps, rate, samples) = match version {
        3 => (&FIRST, rate, 144),
        2 => (&SECOND, rate / 2, 72),
        0 => (&SECOND, rate / 4, 72),
        _ => return None,
    };
    let kbps = *kbps.get(usize::from(head[2] >> 4))?;
    let padding = usize::from((head[2] >> 1) & 1);
    // A rate that is not said has frames whose length nobody knows.
    (kbps > 0).then(|| samples * kbps * 1000 / rate + padding)
}

/// AAC in ADTS frames (ISO/IEC 13818-7): whole frames and nothing else.
pub(crate) fn aac(bytes: &[u8]) -> Result<Vec<u8>, NotTaken> {
    let mut at = 0;
    while at < bytes.len() {
        let head = bytes.get(at..at + 7).ok_or(BROKEN)?;
        let length =
            usize::from(head[3] & 3) << 11 | usize::from(head[4]) << 3 | usize::from(head[5] >> 5);
        if head[0] != 0xff || head[1] & 0xf6 != 0xf0 || length < 7 {
            return Err(BROKEN);
        }
        at += length;
    }
    (at == bytes.len()).then(|| bytes.to_vec()).ok_or(BROKEN)
}

/// AMR, narrow or wide (RFC 4867): its frames have no room for anything else.
pub(crate) fn amr(bytes: Vec<u8>) -> Result<Vec<u8>, NotTaken> {
    const NARROW: [usize; 9] = [12, 13, 15, 17, 19, 20, 26, 31, 5];
    const WIDE: [usize; 10] = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5];
    let (mut at, sizes) = if bytes.starts_with(b"#!AMR\n") {
        (6, &NARROW[..])
    } else if bytes.starts_with(b"#!AMR-WB\n") {
        (9, &WIDE[..])
    } else {
        return Err(BROKEN);
    };
    let start = at;
    while let Some(head) = bytes.get(at) {
        let mode = usize::from((head >> 3) & 15);
        at += 1 + match mode {
            // Lost, and nothing to send.
            14 | 15 => 0,
            mode => *sizes.get(mode).ok_or(BROKEN)?,
        };
    }
    (at == bytes.len() && at > start)
        .then_some(bytes)
        .ok_or(BROKEN)
}

/// WAV: what the sound is and the sound. Comments, the place (`LIST`, `bext`,
/// `iXML`, `id3 `) go.
pub(crate) fn wav(bytes: &[u8]) -> Result<Vec<u8>, NotTaken> {
    const KEPT: [&[u8; 4]; 3] = [b"fmt ", b"fact", b"data"];
    let mut out = b"RIFF\0\0\0\0WAVE".to_vec();
    let (mut at, mut found) = (12, [false; 3]);
    while at + 8 <= bytes.len() {
        let (name, size) = (&bytes[at..at + 4], &bytes[at + 4..at + 8]);
        let size = u32::from_le_bytes([size[0], size[1], size[2], size[3]]) as usize;
        let end = at.checked_add(8 + size).ok_or(BROKEN)?;
        let chunk = bytes.get(at..end).ok_or(BROKEN)?;
        if let Some(n) = KEPT.iter().position(|kept| name == *kept) {
            if std::mem::replace(&mut found[n], true) {
                return Err(BROKEN);
            }
            out.extend_from_slice(chunk);
            out.resize(out.len() + size % 2, 0);
        }
        at = end + size % 2;
    }
    let [format, _, data] = found;
    if !format || !data || at < bytes.len() {
        return Err(BROKEN);
    }
    let size = u32::try_from(out.len() - 8).map_err(|_| BROKEN)?;
    out[4..8].copy_from_slice(&size.to_le_bytes());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"35.104512N 118.356781E";

    fn shows(bytes: &[u8]) -> bool {
        bytes.windows(SECRET.len()).any(|window| window == SECRET)
    }

    /// 128 kbit/s, 44.1 kHz: 417 bytes a frame.
    fn mp3_frames(count: usize) -> Vec<u8> {
        let frame = [&[0xff, 0xfb, 0x90, 0x00], [5; 413].as_slice()].concat();
        frame.repeat(count)
    }

    fn id3(text: &[u8]) -> Vec<u8> {
        let size = u8::try_from(text.len()).expect("small");
        [b"ID3\x04\0\0\0\0\0".as_slice(), &[size], text].concat()
    }

    #[test]
    fn an_mp3_loses_the_tags_before_and_behind_it() {
        let frames = mp3_frames(3);
        let last = [b"TAG".as_slice(), SECRET, &[0; 100]].concat();
        let tagged = [id3(SECRET), id3(b"x"), frames.clone(), last].concat();
        assert_eq!(mp3(&tagged), Ok(frames.clone()));
        assert_eq!(mp3(&frames), Ok(frames.clone()));
        for broken in [
            frames[..frames.len() - 1].to_vec(),
            [frames.clone(), SECRET.to_vec()].concat(),
            id3(SECRET),
            b"ID3\x04\0\0\x7f\x7f\x7f\x7f".to_vec(),
        ] {
            assert_eq!(mp3(&broken), Err(BROKEN));
        }
    }

    #[test]
    fn aac_is_whole_frames_and_nothing_else() {
        let frame = [
            &[0xff, 0xf1, 0x50, 0x80, 0x01, 0x5f, 0xfc],
            [9; 3].as_slice(),
        ]
        .concat();
        let frames = frame.repeat(4);
        assert_eq!(aac(&frames), Ok(frames.clone()));
        assert_eq!(aac(&frames[..frames.len() - 1]), Err(BROKEN));
        assert_eq!(aac(&[&frames, SECRET].concat()), Err(BROKEN));
    }

    #[test]
    fn amr_is_whole_frames_and_nothing_else() {
        let narrow = [b"#!AMR\n".as_slice(), &[0x3c], &[1; 31], &[0x7c]].concat();
        let wide = [b"#!AMR-WB\n".as_slice(), &[0x04], &[1; 17]].concat();
        for whole in [narrow, wide] {
            assert_eq!(amr(whole.clone()), Ok(whole.clone()));
            assert_eq!(amr([&whole[..], SECRET].concat()), Err(BROKEN));
            assert_eq!(amr([&whole[..], &[0x04]].concat()), Err(BROKEN));
        }
        assert_eq!(amr(b"#!AMR\n".to_vec()), Err(BROKEN));
    }

    #[test]
    fn a_wav_keeps_the_sound_alone() {
        let chunk = |name: &[u8], data: &[u8]| {
            let size = u32::try_from(data.len()).expect("small").to_le_bytes();
            [name, &size, data, &[0][..data.len() % 2]].concat()
        };
        let wave = |chunks: &[Vec<u8>]| {
            let body = [b"WAVE".to_vec(), chunks.concat()].concat();
            let size = u32::try_from(body.len()).expect("small").to_le_bytes();
            [b"RIFF".as_slice(), &size, &body].concat()
        };
        let (format, data) = (chunk(b"fmt ", &[1; 16]), chunk(b"data", &[7; 33]));
        let told = wave(&[
            format.clone(),
            chunk(b"bext", SECRET),
            data.clone(),
            chunk(b"LIST", SECRET),
        ]);
        let bare = wave(&[format.clone(), data.clone()]);
        assert_eq!(wav(&told), Ok(bare.clone()));
        assert_eq!(wav(&bare), Ok(bare.clone()));
        assert!(!shows(&bare));
        for broken in [
            bare[..bare.len() - 4].to_vec(),
            wave(std::slice::from_ref(&format)),
            wave(&[format, data.clone(), data]),
        ] {
            assert_eq!(wav(&broken), Err(BROKEN));
        }
    }
}
