//! Making the phone known to the server.

use gridwalk_domain::DeviceId;
use gridwalk_domain::wire::{EnrolRequest, EnrolResponse, PROTOCOL_VERSION};
use serde::{Deserialize, Serialize};
use std::sync::PoisonError;

use super::call::{Halt, Line};
use super::meter::Meter;
use super::{CancelToken, Run};
use crate::core::{Shared, begin};
use crate::error::{EngineError, Result};
use crate::identity::Me;
use crate::observe::Touched;
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
    let begun = begin_enrolment(shared, invitation)?;
    let request = EnrolRequest {
        v: PROTOCOL_VERSION,
        code: begun.code.clone(),
        device: begun.device,
        token: begun.token.clone(),
        send_token: begun.send_token.clone(),
        platform: shared.platform.clone(),
        worker: None,
    };
    let answer: EnrolResponse = Line::new(transport, CancelToken::new(), None)
        .post("/v1/enrol", &request)
        .map_err(refused)?;
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
    let me = shared.change(|core| {
        let tx = begin(&mut core.conn)?;
        let me = account::add(&tx, me)?;
        meta::remove(&tx, name::ENROLLING)?;
        tx.commit()?;
        core.me = Some(me.clone());
        Ok((me, Touched::status()))
    })?;
    // So that a shift can begin at once. Where the line breaks just now the
    // phone is enrolled all the same, and the next sync asks again.
    let identity = me.identity();
    let mut line = Line::new(transport, CancelToken::new(), None);
    line.token.clone_from(&me.token);
    let _ = Run::new(shared, line, Meter::new(None), me).hello();
    Ok(identity)
}

/// What a refused enrolment says.
fn refused(halt: Halt) -> EngineError {
    match halt {
        Halt::Failed(EngineError::ServerError {
            status: 400..=499,
            code,
            text,
        }) => EngineError::EnrolRefused { code, text },
        Halt::Failed(EngineError::SignedOut) => EngineError::EnrolRefused {
            code: "wrong_code".to_owned(),
            text: "the code is not known".to_owned(),
        },
        Halt::Failed(other) => other,
        Halt::HelloAgain | Halt::Budget | Halt::Wait => EngineError::BadAnswer {
            message: "an enrolment has no time line".to_owned(),
        },
    }
}

/// Draws identity and token and stores them before anything is sent; the same
/// code goes on with the same ones.
fn begin_enrolment(shared: &Shared, invitation: &Invitation) -> Result<Begun> {
    shared.with(|core| {
        if core.me.is_some() {
            return Err(EngineError::AlreadyEnrolled.into());
        }
        let known: Option<Begun> = meta::get(&core.conn, name::ENROLLING)?;
        let same =
            |begun: &Begun| begun.code == invitation.code && begun.server == invitation.server.url;
        if let Some(begun) = known.filter(same) {
            return Ok(begun);
        }
        let begun = Begun {
            server: invitation.server.url.clone(),
            code: invitation.code.clone(),
            device: DeviceId::draw(&*shared.rng),
            token: hex::encode(shared.rng.bytes::<32>()),
            send_token: hex::encode(shared.rng.bytes::<32>()),
        };
        let tx = begin(&mut core.conn)?;
        meta::put(&tx, name::ENROLLING, &begun)?;
        tx.commit()?;
        Ok(begun)
    })
}
