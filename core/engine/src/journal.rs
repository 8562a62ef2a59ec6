//! The journal: fixes that no chunk holds yet, in a file beside the database.
//!
//! A commit a fix would write some 8 KB of flash each. Here a call of `record`
//! is one `write`, which survives the death of the app; `fdatasync` every ten
//! seconds of recording makes it survive a power cut too. When a run of fixes
//! has been sealed into the database the file is emptied; were the app killed
//! between the two, the fixes' names tell which ones are sealed already.
//!
//! ```text
//! file  := head frame*
//! head  := "GWJ1" flags patrol(16) run(8) check(8)
//! frame := length(4) attempt(4) first(4) count(4) payload(length)
//! ```
//!
//! Little-endian. A payload is `count` fixes of [`FIX_BYTES`] and a checksum,
//! or, under a key, the same sealed with ChaCha20-Poly1305, whose tag is the
//! checksum. Its nonce is the run and the number of the attempt to write,
//! which goes up with failed attempts too: no nonce is ever used twice.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use gridwalk_domain::{EntityId, Fix, Position, RunId, Sha256};
use gridwalk_track::{Refusal, StoredFix};
use std::path::PathBuf;
use std::sync::Arc;

use crate::Config;
use crate::disk::{self, Disk, DiskFile, OpenFor};
use crate::error::Inner;
use crate::store::beside;

const MAGIC: &[u8; 4] = b"GWJ1";
const NAMED: usize = 4 + 1 + 16 + 8;
const HEAD: usize = NAMED + CHECK;
const FRAME_HEAD: usize = 16;
const FIX_BYTES: usize = 42;
const CHECK: usize = 8;
const TAG: usize = 16;
/// Fixes of one frame.
const MAX_COUNT: usize = 4096;

/// The open journal.
pub(crate) struct Journal {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    cipher: Option<ChaCha20Poly1305>,
    open: Option<Open>,
    attempts: u32,
}

struct Open {
    file: Box<dyn DiskFile>,
    named: [u8; NAMED],
    /// Where the next frame goes; what may lie beyond is of no account.
    len: u64,
    unsynced: bool,
}

/// What a journal held.
#[derive(Debug, PartialEq)]
pub(crate) struct Recovered {
    /// Whose fixes.
    pub(crate) patrol: EntityId,
    /// Of which run.
    pub(crate) run: RunId,
    /// The fixes, each with its ordinal in the run.
    pub(crate) fixes: Vec<(u32, StoredFix)>,
    /// Whether something before the end could not be read: more than a tail
    /// torn by the app's death.
    pub(crate) damaged: bool,
}

impl Journal {
    /// The journal beside the data file.
    pub(crate) fn new(config: &Config) -> Self {
        let cipher = config.key.as_ref().map(|key| {
            let key = key.derive(b"gridwalk journal 1");
            ChaCha20Poly1305::new(&Key::from(*key.bytes()))
        });
        Self {
            disk: Arc::clone(&config.disk),
            path: beside(&config.path, "-journal.gw"),
            cipher,
            open: None,
            attempts: 0,
        }
    }

    /// What an earlier process left; none where the file is absent or empty.
    pub(crate) fn read(&self) -> Inner<Option<Recovered>> {
        let bytes = disk::read(&*self.disk, &self.path)?;
        Ok(bytes.and_then(|bytes| parse(&bytes, self.cipher.as_ref())))
    }

    /// Whether there is more in it than a head. Where that head does not read, fixes
    /// may be behind it. Zeros are what a power cut leaves of a file that grew.
    pub(crate) fn holds_more(&self) -> Inner<bool> {
        let bytes = disk::read(&*self.disk, &self.path)?.unwrap_or_default();
        Ok(bytes.len() > HEAD && !is_zeros(&bytes))
    }

    /// Keeps a copy of a damaged journal under another name, durably.
    pub(crate) fn copy_aside(&self, suffix: &str) -> Inner<()> {
        let bytes = disk::read(&*self.disk, &self.path)?.unwrap_or_default();
        let copy = beside(&self.path, suffix);
        let mut file = self.disk.open(&copy, OpenFor::Writing)?;
        file.write_at(0, &bytes)?;
        file.sync()?;
        Ok(disk::sync_name(&*self.disk, &copy)?)
    }

    /// Appends fixes; when it returns they survive the app's death. After an
    /// error nothing was appended.
    pub(crate) fn append(
        &mut self,
        patrol: EntityId,
        run: RunId,
        first: u32,
        fixes: &[StoredFix],
    ) -> Inner<()> {
        let named = named(patrol, run, self.cipher.is_some());
        let mut open = match self.open.take() {
            Some(open) => open,
            None => Open {
                file: self.create()?,
                named,
                len: 0,
                unsynced: false,
            },
        };
        let mut bytes = Vec::with_capacity(HEAD + FRAME_HEAD + TAG + fixes.len() * FIX_BYTES);
        if open.len == 0 || open.named != named {
            open.named = named;
            open.len = 0;
            bytes.extend_from_slice(&named);
            bytes.extend_from_slice(&checksum(&[&named]));
        }
        let mut first = first;
        for part in fixes.chunks(MAX_COUNT) {
            self.attempts += 1;
            frame(
                &mut bytes,
                &named,
                self.attempts,
                first,
                part,
                self.cipher.as_ref(),
            );
            first += u32::try_from(part.len()).unwrap_or(0);
        }
        let written = open.file.write_at(open.len, &bytes);
        if written.is_ok() {
            open.len += bytes.len() as u64;
            open.unsynced = true;
        } else {
            // What was written in part is torn and would be cut on reading; it
            // is only tidier without.
            let _ = open.file.set_size(open.len);
        }
        self.open = Some(open);
        Ok(written?)
    }

    /// Makes what was appended survive a power cut.
    pub(crate) fn sync(&mut self) -> Inner<()> {
        if let Some(open) = self.open.as_mut().filter(|open| open.unsynced) {
            open.file.sync()?;
            open.unsynced = false;
        }
        Ok(())
    }

    /// Empties it: what it held is sealed.
    pub(crate) fn clear(&mut self) -> Inner<()> {
        match &mut self.open {
            Some(open) => {
                open.len = 0;
                open.unsynced = false;
                open.file.set_size(0)?;
            }
            None if self.disk.len(&self.path)?.is_some() => {
                let mut file = self.disk.open(&self.path, OpenFor::Writing)?;
                file.set_size(0)?;
            }
            None => {}
        }
        Ok(())
    }

    /// The file, its name durable: an earlier process may have made it and died
    /// before it could see to that.
    fn create(&self) -> Inner<Box<dyn DiskFile>> {
        let file = self.disk.open(&self.path, OpenFor::Writing)?;
        disk::sync_name(&*self.disk, &self.path)?;
        Ok(file)
    }
}

fn named(patrol: EntityId, run: RunId, sealed: bool) -> [u8; NAMED] {
    let mut out = [0; NAMED];
    out[..4].copy_from_slice(MAGIC);
    out[4] = u8::from(sealed);
    out[5..21].copy_from_slice(patrol.as_bytes());
    out[21..].copy_from_slice(&run.0.to_be_bytes());
    out
}

fn checksum(parts: &[&[u8]]) -> [u8; CHECK] {
    let mut out = [0; CHECK];
    out.copy_from_slice(&Sha256::of(&parts.concat()).0[..CHECK]);
    out
}

fn nonce(named: &[u8; NAMED], attempt: u32) -> Nonce {
    let mut out = [0; 12];
    out[..8].copy_from_slice(&named[21..]);
    out[8..].copy_from_slice(&attempt.to_le_bytes());
    Nonce::from(out)
}

fn frame(
    out: &mut Vec<u8>,
    named: &[u8; NAMED],
    attempt: u32,
    first: u32,
    fixes: &[StoredFix],
    cipher: Option<&ChaCha20Poly1305>,
) {
    let mut body = Vec::with_capacity(fixes.len() * FIX_BYTES + TAG);
    fixes.iter().for_each(|fix| put_fix(&mut body, fix));
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let mut head = [0; FRAME_HEAD];
    head[..4].copy_from_slice(&number(length_of(fixes.len(), cipher.is_some())));
    head[4..8].copy_from_slice(&attempt.to_le_bytes());
    head[8..12].copy_from_slice(&first.to_le_bytes());
    head[12..].copy_from_slice(&number(fixes.len()));
    let aad = [named.as_slice(), &head].concat();
    let sealed = cipher.and_then(|cipher| {
        cipher
            .encrypt(
                &nonce(named, attempt),
                Payload {
                    msg: &body,
                    aad: &aad,
                },
            )
            .ok()
    });
    out.extend_from_slice(&head);
    match sealed {
        Some(sealed) => out.extend_from_slice(&sealed),
        None => {
            out.extend_from_slice(&body);
            out.extend_from_slice(&checksum(&[&aad, &body]));
        }
    }
}

/// How long the payload of a frame of so many fixes is.
fn length_of(count: usize, sealed: bool) -> usize {
    count * FIX_BYTES + if sealed { TAG } else { CHECK }
}

fn is_zeros(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn parse(bytes: &[u8], cipher: Option<&ChaCha20Poly1305>) -> Option<Recovered> {
    let (head, mut rest) = bytes.split_at_checked(HEAD)?;
    let (name, check) = head.split_at_checked(NAMED)?;
    let name: [u8; NAMED] = name.try_into().ok()?;
    if &name[..4] != MAGIC || name[4] != u8::from(cipher.is_some()) || check != checksum(&[&name]) {
        return None;
    }
    let mut recovered = Recovered {
        patrol: EntityId::from_bytes(name[5..21].try_into().ok()?),
        run: RunId(u64::from_be_bytes(name[21..].try_into().ok()?)),
        fixes: Vec::new(),
        damaged: false,
    };
    let mut unread = false;
    while let Some((head, after)) = rest.split_at_checked(FRAME_HEAD) {
        let number =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (length, count) = (number(0) as usize, number(12) as usize);
        if count > MAX_COUNT || length != length_of(count, cipher.is_some()) {
            // No frame was ever begun like this, and where the next one begins is
            // not known any more.
            recovered.damaged |= !is_zeros(rest);
            break;
        }
        // A tail that was torn: its head is right, its bytes are too few.
        let Some((payload, after)) = after.split_at_checked(length) else {
            break;
        };
        let aad = [name.as_slice(), head].concat();
        match open_frame(payload, &aad, &name, number(4), count, cipher) {
            Some(fixes) => {
                // What is readable lies beyond what is not: no torn tail.
                recovered.damaged |= unread;
                recovered.fixes.extend((number(8)..).zip(fixes));
            }
            None => unread = true,
        }
        rest = after;
    }
    Some(recovered)
}

fn open_frame(
    payload: &[u8],
    aad: &[u8],
    named: &[u8; NAMED],
    attempt: u32,
    count: usize,
    cipher: Option<&ChaCha20Poly1305>,
) -> Option<Vec<StoredFix>> {
    let body = match cipher {
        Some(cipher) => cipher
            .decrypt(&nonce(named, attempt), Payload { msg: payload, aad })
            .ok()?,
        None => {
            let (body, check) = payload.split_at_checked(payload.len().checked_sub(CHECK)?)?;
            (check == checksum(&[aad, body])).then(|| body.to_vec())?
        }
    };
    if body.len() != count.checked_mul(FIX_BYTES)? {
        return None;
    }
    body.chunks_exact(FIX_BYTES).map(take_fix).collect()
}

fn put_fix(out: &mut Vec<u8>, stored: &StoredFix) {
    let fix = &stored.fix;
    out.extend_from_slice(&fix.time_ms.to_le_bytes());
    out.extend_from_slice(&fix.position.lat.to_le_bytes());
    out.extend_from_slice(&fix.position.lon.to_le_bytes());
    for value in [
        fix.accuracy_m,
        fix.altitude_m,
        fix.speed_mps,
        fix.bearing_deg,
    ] {
        out.extend_from_slice(&value.unwrap_or(f32::NAN).to_le_bytes());
    }
    out.push(u8::from(fix.mocked));
    out.push(stored.refused.map_or(0, Refusal::code));
}

fn take_fix(bytes: &[u8]) -> Option<StoredFix> {
    let eight = |at: usize| -> Option<[u8; 8]> { bytes.get(at..at + 8)?.try_into().ok() };
    let number = |at: usize| -> Option<f32> {
        let value = f32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
        (!value.is_nan()).then_some(value)
    };
    let refused = match bytes.get(41)? {
        0 => None,
        code => Some(Refusal::from_code(*code)?),
    };
    let fix = Fix {
        time_ms: i64::from_le_bytes(eight(0)?),
        position: Position {
            lat: f64::from_le_bytes(eight(8)?),
            lon: f64::from_le_bytes(eight(16)?),
        },
        accuracy_m: number(24),
        altitude_m: number(28),
        speed_mps: number(32),
        bearing_deg: number(36),
        mocked: *bytes.get(40)? == 1,
    };
    Some(StoredFix { fix, refused })
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
