//! `enrol`: a one-time code makes a phone known.

use gridwalk_domain::wire::{EnrolRequest, EnrolResponse, WorkerRef};
use gridwalk_store::{AuditRow, CodeRow, DeviceRow, DeviceStanding, StoreError, Write};

use crate::error::{Error, Fault};
use crate::keep::{Book, Enrolment, Keep, Order, append};
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

fn device_known() -> Fault {
    let text = "This phone is known as somebody else's, or as stolen. Draw a new identity.";
    Fault::new(409, "device_known", text)
}

fn is_token(token: &str) -> bool {
    token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit())
}

impl Service {
    /// Enrols a phone. A repeat of the same request succeeds again.
    ///
    /// # Errors
    /// 403 for a code that does not do, 409 where the code is for another worker
    /// or the phone somebody else's, 429 after too many guesses from `peer`.
    pub fn enrol(&self, request: &EnrolRequest, peer: &str) -> Result<EnrolResponse, Error> {
        let plain = request.platform.chars().all(|c| !c.is_control());
        if request.platform.len() > MOST_PLATFORM || !plain {
            return Err(Fault::bad_request("platform: at most 40 bytes of plain text").into());
        }
        let differ = request.token != request.send_token;
        if !(is_token(&request.token) && is_token(&request.send_token) && differ) {
            let text = "token, send_token: expected 64 hex digits each, not the same";
            return Err(Fault::bad_request(text).into());
        }
        let (now, key) = (self.tools.clock.now(), format!("enrol/{peer}"));
        self.limiter
            .take(&key, GUESSES, now.mono_ms)
            .map_err(Fault::too_many_attempts)?;
        let request = request.clone();
        let code = hashed(&normal(&request.code));
        let answer = self.commit_with(move |tx, tools| {
            let row = tx.code(code)?.ok_or_else(wrong_code)?;
            take(tx, &*tools.keep, &request, row, now.wall_ms)
        })?;
        self.limiter.give_back(&key);
        Ok(answer)
    }
}

fn take(
    tx: &mut dyn Write,
    keep: &dyn Keep,
    request: &EnrolRequest,
    code: CodeRow,
    now_ms: i64,
) -> Result<EnrolResponse, Error> {
    let known = tx.device(request.device)?;
    let worker = tx.workers(code.tenant, Some(&[code.worker]))?;
    let worker = worker.into_iter().next();
    let worker = worker.ok_or_else(|| StoreError::Damaged("a code without a worker".into()))?;
    let worker = WorkerRef {
        id: worker.id,
        name: worker.name,
    };
    let device = DeviceRow {
        id: request.device,
        tenant: code.tenant,
        worker: code.worker,
        token: hashed(&request.token),
        send_token: hashed(&request.send_token),
        standing: DeviceStanding::Active,
        watermark: known.as_ref().map_or(0, |row| row.watermark),
        platform: request.platform.clone(),
        enrolled_ms: now_ms,
    };
    match (code.used_by, &known) {
        // The answer was lost: what was done stays done.
        (Some(by), Some(row)) if by == request.device && row.token == device.token => {}
        (None, known) if code.expires_ms > now_ms => {
            if request.worker.is_some_and(|worker| worker != code.worker) {
                let text = "The code is for another worker. Log out first.";
                return Err(Fault::new(409, "other_worker", text).into());
            }
            let theirs = known.as_ref().is_none_or(|row| {
                (row.tenant, row.worker) == (code.tenant, code.worker)
                    && row.standing != DeviceStanding::Stolen
            });
            if !theirs {
                return Err(device_known().into());
            }
            enrol(tx, &device, &code, now_ms)?;
            // Into the ledger before it is committed: a backup from before it must
            // not make a stranger of the phone. Not before it is known that it can
            // be: what is refused here would be at each start.
            append(keep, Book::Ledger, &[order(&device, &worker, &code)])?;
        }
        _ => return Err(wrong_code().into()),
    }
    Ok(EnrolResponse {
        tenant: code.tenant,
        worker,
    })
}

fn order(device: &DeviceRow, worker: &WorkerRef, code: &CodeRow) -> Order {
    Order::Enrol(Enrolment {
        tenant: device.tenant,
        at_ms: device.enrolled_ms,
        device: device.id,
        worker: worker.clone(),
        token: device.token,
        send_token: device.send_token,
        platform: device.platform.clone(),
        code: code.code,
    })
}

/// Makes the phone known; the worker's others may only send from now on.
fn enrol(tx: &mut dyn Write, device: &DeviceRow, code: &CodeRow, now_ms: i64) -> Result<(), Error> {
    tx.put_device(device).map_err(|error| match error {
        StoreError::Refused(_) => Error::from(wrong_code()),
        other => other.into(),
    })?;
    for other in tx.devices(device.tenant, Some(device.worker))? {
        if other.id != device.id && other.standing == DeviceStanding::Active {
            let standing = DeviceStanding::SendOnly;
            tx.put_device(&DeviceRow { standing, ..other })?;
        }
    }
    tx.put_code(&CodeRow {
        used_by: Some(device.id),
        ..code.clone()
    })?;
    let line = AuditRow {
        at_ms: now_ms,
        who: format!("device/{}", device.id),
        what: "enrol".to_owned(),
        on: format!("worker/{}", code.worker),
    };
    Ok(tx.add_audit(code.tenant, &line)?)
}
