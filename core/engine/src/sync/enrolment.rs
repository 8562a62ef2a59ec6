//! Making the phone known to the server.

use gridwalk_domain::DeviceId;
use gridwalk_domain::wire::{EnrolRequest, EnrolResponse, PROTOCOL_VERSION};
use serde::{Deserialize, Serialize};
use std::sync::PoisonError;

use super::CancelToken;
use super::call::Line;
use crate::core::{Shared, begin};
use crate::error::{EngineError, Result};
use crate::identity::Me;
use crate::observe::Touched;
use crate::store::meta::{self, name};
use crate::{Identity, Invitation, Transport};

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
    let answer: EnrolResponse = Line::new(transport, None, CancelToken::new())
        .post("/v1/enrol", &request)
        .map_err(|error| match error {
            EngineError::ServerError {
                status: 400..=499,
                code,
                text,
            } => EngineError::EnrolRefused { code, text },
            EngineError::SignedOut => EngineError::EnrolRefused {
                code: "wrong_code".to_owned(),
                text: "the code is not known".to_owned(),
            },
            other => other,
        })?;
    let me = Me {
        tenant: answer.tenant,
        worker: answer.worker,
        device: begun.device,
        token: begun.token,
        server: invitation.server.url.clone(),
        ca: invitation.server.ca,
    };
    let identity = shared.change(|core| {
        let tx = begin(&mut core.conn)?;
        meta::put(&tx, name::IDENTITY, &me)?;
        meta::remove(&tx, name::ENROLLING)?;
        tx.commit()?;
        let identity = me.identity();
        core.me = Some(me.clone());
        Ok((identity, Touched::status()))
    })?;
    // So that a shift can begin at once. Where the line breaks just now the
    // phone is enrolled all the same, and the next sync asks again.
    let mut line = Line::new(transport, Some(me.token), CancelToken::new());
    let _ = super::hello(shared, &mut line);
    Ok(identity)
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
