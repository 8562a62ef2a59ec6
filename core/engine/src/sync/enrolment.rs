//! Making the phone known to the server.

use gridwalk_domain::wire::{EnrolRequest, EnrolResponse, PROTOCOL_VERSION};
use gridwalk_domain::{DeviceId, WorkerId};
use serde::{Deserialize, Serialize};
use std::sync::PoisonError;

use super::call::{Halt, Line};
use super::meter::Meter;
use super::{CancelToken, Run};
use crate::core::{Shared, begin};
use crate::error::{EngineError, Result};
use crate::identity::Me;
use crate::observe::Touched;
use crate::schedule::Schedule;
use crate::store::meta::{self, name};
use crate::{Identity, Invitation, Transport, account};

/// An enrolment that was begun, for one code at one server.
#[derive(Clone, Serialize, Deserialize)]
struct Begun {
    server: String,
    code: String,
    device: DeviceId,
    token: String,
    send_token: String,
    /// Whose phone it is, where it goes on with what it holds.
    worker: Option<WorkerId>,
}

pub(crate) fn enrol(
    shared: &Shared,
    transport: &dyn Transport,
    invitation: &Invitation,
) -> Result<Identity> {
    let _one = shared
        .syncing
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let mut begun = begin_enrolment(shared, invitation)?;
    let asked = ask(shared, transport, &begun);
    let answer = match asked {
        // The id belongs to somebody else, who knows why: another one is drawn.
        Err(EngineError::EnrolRefused { code, .. })
            if code == "device_known" && begun.worker.is_none() =>
        {
            begun = draw(shared, invitation, None)?;
            ask(shared, transport, &begun)?
        }
        other => other?,
    };
    let me = take_over(shared, invitation, begun, answer)?;
    // So that a shift can begin at once. Where the line breaks just now the
    // phone is enrolled all the same, and the next sync asks again.
    let identity = me.identity();
    let mut line = Line::new(transport, CancelToken::new(), None);
    line.token.clone_from(&me.token);
    let mut run = Run::new(shared, line, Meter::new(None), me);
    if run.hello() == Err(Halt::HelloAgain) {
        let _ = run.hello();
    }
    Ok(identity)
}

fn ask(shared: &Shared, transport: &dyn Transport, begun: &Begun) -> Result<EnrolResponse> {
    let request = EnrolRequest {
        v: PROTOCOL_VERSION,
        code: begun.code.clone(),
        device: begun.device,
        token: begun.token.clone(),
        send_token: begun.send_token.clone(),
        platform: shared.platform.clone(),
        worker: begun.worker,
    };
    Line::new(transport, CancelToken::new(), None)
        .post("/v1/enrol", &request)
        .map_err(refused)
}

/// Keeps who this phone is now.
fn take_over(
    shared: &Shared,
    invitation: &Invitation,
    begun: Begun,
    answer: EnrolResponse,
) -> Result<Me> {
    let me = Me {
        account: 0,
        tenant: answer.tenant,
        worker: answer.worker,
        device: begun.device,
        token: Some(begun.token),
        send_token: begun.send_token,
        server: invitation.server.url.clone(),
        ca: invitation.server.ca,
    };
    shared.change(|core| {
        let tx = begin(&mut core.conn)?;
        let me = match &core.me {
            Some(before) => {
                if (before.worker.id, before.tenant) != (me.worker.id, me.tenant) {
                    return Err(EngineError::OtherWorker.into());
                }
                let account = before.account;
                let me = Me { account, ..me };
                account::keep(&tx, &me)?;
                let mut line = account::line(&tx, account)?;
                line.signed_out = false;
                account::keep_line(&tx, account, &line)?;
                me
            }
            None => account::add(&tx, me)?,
        };
        meta::remove(&tx, name::ENROLLING)?;
        meta::remove(&tx, name::SCHEDULE)?;
        tx.commit()?;
        core.me = Some(me.clone());
        core.schedule = Schedule::default();
        Ok((me, Touched::all()))
    })
}

/// What a refused enrolment says.
fn refused(halt: Halt) -> EngineError {
    match halt {
        Halt::Failed(EngineError::ServerError {
            status: 400..=499,
            code,
            text,
        }) => match code.as_str() {
            "other_worker" => EngineError::OtherWorker,
            _ => EngineError::EnrolRefused { code, text },
        },
        Halt::Failed(EngineError::SignedOut) => EngineError::EnrolRefused {
            code: "wrong_code".to_owned(),
            text: "the code is not known".to_owned(),
        },
        Halt::Failed(other) => other,
        Halt::HelloAgain | Halt::Misfit | Halt::Budget | Halt::Wait => EngineError::BadAnswer {
            message: "an enrolment has no time line".to_owned(),
        },
    }
}

/// The enrolment that was begun with this code, or a new one. A phone that was
/// signed out goes on with its identity and what it holds.
fn begin_enrolment(shared: &Shared, invitation: &Invitation) -> Result<Begun> {
    let (known, me) = shared.with(|core| {
        if let Some(me) = &core.me
            && !account::line(&core.conn, me.account)?.signed_out
        {
            return Err(EngineError::AlreadyEnrolled.into());
        }
        let known: Option<Begun> = meta::get(&core.conn, name::ENROLLING)?;
        Ok((known, core.me.clone()))
    })?;
    let worker = me.as_ref().map(|me| me.worker.id);
    let same = |begun: &Begun| {
        begun.code == invitation.code
            && begun.server == invitation.server.url
            && begun.worker == worker
    };
    match known.filter(same) {
        Some(begun) => Ok(begun),
        None => draw(shared, invitation, me.as_ref()),
    }
}

/// Draws identity and tokens and stores them before anything is sent; the same
/// code goes on with the same ones.
fn draw(shared: &Shared, invitation: &Invitation, me: Option<&Me>) -> Result<Begun> {
    let begun = Begun {
        server: invitation.server.url.clone(),
        code: invitation.code.clone(),
        device: me.map_or_else(|| DeviceId::draw(&*shared.rng), |me| me.device),
        token: hex::encode(shared.rng.bytes::<32>()),
        send_token: hex::encode(shared.rng.bytes::<32>()),
        worker: me.map(|me| me.worker.id),
    };
    shared.with(|core| {
        let tx = begin(&mut core.conn)?;
        meta::put(&tx, name::ENROLLING, &begun)?;
        tx.commit()
    })?;
    Ok(begun)
}
