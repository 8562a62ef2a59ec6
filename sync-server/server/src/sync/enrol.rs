//! `enrol`: a one-time code makes a phone known.

use gridwalk_domain::wire::{EnrolRequest, EnrolResponse, WorkerRef};
use gridwalk_store::{AuditRow, CodeRow, DeviceRow, StoreError, Write};

use super::check_version;
use crate::error::{Error, Fault};
use crate::limiter::Limit;
use crate::random::{hashed, normal};
use crate::service::Service;

/// Guesses that one address may make.
const GUESSES: Limit = Limit {
    burst: 10,
    every_ms: 30_000,
};

/// The longest platform that is kept.
const MOST_PLATFORM: usize = 40;

fn wrong_code() -> Fault {
    let text = "The code is wrong, used or expired. Ask your supervisor for a new one.";
    Fault::new(403, "wrong_code", text)
}

impl Service {
    /// Enrols a phone. A repeat of the same request succeeds again.
    ///
    /// # Errors
    /// 403 for a code that does not do, 409 where the phone is known with
    /// another token, 429 after too many guesses from `peer`.
    pub fn enrol(&self, request: &EnrolRequest, peer: &str) -> Result<EnrolResponse, Error> {
        check_version(request.v)?;
        let plain = request.platform.chars().all(|c| !c.is_control());
        if request.platform.len() > MOST_PLATFORM || !plain {
            return Err(Fault::bad_request("platform: at most 40 bytes of plain text").into());
        }
        if request.token.len() != 64 || !request.token.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Fault::bad_request("token: expected 64 hex digits").into());
        }
        let (now, key) = (self.clock.now(), format!("enrol/{peer}"));
        self.limiter
            .take(&key, GUESSES, now.mono_ms)
            .map_err(Fault::too_many_attempts)?;
        let request = request.clone();
        let code = hashed(&normal(&request.code));
        let answer = self.commit(move |tx| {
            let row = tx.code(code)?.ok_or_else(wrong_code)?;
            take(tx, &request, row, now.wall_ms)
        })?;
        self.limiter.give_back(&key);
        Ok(answer)
    }
}

fn take(
    tx: &mut dyn Write,
    request: &EnrolRequest,
    code: CodeRow,
    now_ms: i64,
) -> Result<EnrolResponse, Error> {
    let device = DeviceRow {
        id: request.device,
        tenant: code.tenant,
        worker: code.worker,
        token: hashed(&request.token),
        platform: request.platform.clone(),
        enrolled_ms: now_ms,
    };
    let known = tx.device(request.device)?;
    let again = known
        .as_ref()
        .is_some_and(|row| row.token == device.token && row.worker == device.worker);
    match code.used_by {
        Some(by) if by == request.device && again => {}
        None if code.expires_ms > now_ms => {
            if known.is_some() && !again {
                let text = "This phone is known with another token. Draw a new identity.";
                return Err(Fault::new(409, "device_known", text).into());
            }
            tx.put_device(&device).map_err(|error| match error {
                StoreError::Refused(_) => Error::from(wrong_code()),
                other => other.into(),
            })?;
            tx.put_code(&CodeRow {
                used_by: Some(request.device),
                ..code.clone()
            })?;
            let line = AuditRow {
                at_ms: now_ms,
                who: format!("device/{}", request.device),
                what: "enrol".to_owned(),
                on: format!("worker/{}", code.worker),
            };
            tx.add_audit(code.tenant, &line)?;
        }
        _ => return Err(wrong_code().into()),
    }
    let workers = tx.workers(code.tenant, Some(&[code.worker]))?;
    let worker = workers.into_iter().next();
    let worker = worker.ok_or_else(|| StoreError::Damaged("a code without a worker".into()))?;
    Ok(EnrolResponse {
        tenant: code.tenant,
        worker: WorkerRef {
            id: worker.id,
            name: worker.name,
        },
    })
}
