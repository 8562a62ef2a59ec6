//! Logging in and out: Argon2id passwords, sessions on the server.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use gridwalk_domain::Rng;
use gridwalk_store::{AuditRow, SessionRow, StoreError, UserRow};
use serde::Deserialize;
use std::sync::atomic::Ordering;

use super::answers::{Grid, Me};
use super::look::{Answer, COOKIE, text};
use crate::commits::lock;
use crate::district;
use crate::error::{Error, Fault};
use crate::http::Request;
use crate::limiter::Limit;
use crate::random::{hashed, token};
use crate::rights::{Sight, Viewer};
use crate::service::{SESSION_IDLE_MS, Service};

/// Wrong passwords for one account.
const PER_ACCOUNT: Limit = Limit {
    burst: 5,
    every_ms: 60_000,
};
/// Wrong passwords from one address; a street's office shares one.
const PER_ADDRESS: Limit = Limit {
    burst: 20,
    every_ms: 10_000,
};
/// A session's last use is written down only this often.
const TOUCH_EVERY_MS: i64 = 5 * 60_000;
/// The longest password that is hashed.
const MOST_PASSWORD: usize = 256;
/// Logins that wait while a password is hashed.
const MOST_WAITING: usize = 8;
/// What an unknown name's password is checked against, so that it takes as
/// long as a known one's. No password has this hash.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ib2R5$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[derive(Deserialize)]
pub(super) struct Login {
    name: String,
    password: String,
}

fn wrong() -> Fault {
    Fault::new(
        401,
        "wrong_credentials",
        "The name or the password is wrong.",
    )
}

fn signed_out() -> Fault {
    Fault::new(
        401,
        "signed_out",
        "You are not logged in, or were away for too long.",
    )
}

/// A password's hash: a PHC string.
pub(crate) fn hash_password(rng: &dyn Rng, password: &str) -> Result<String, StoreError> {
    let salt = rng.bytes::<16>();
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string())
        .map_err(|why| StoreError::Failed(format!("a password cannot be hashed: {why}")))
}

fn matches(user: Option<&UserRow>, password: &str) -> bool {
    let hash = user.map_or(NOBODY, |user| &user.password);
    let Ok(hash) = PasswordHash::new(hash) else {
        tracing::error!("a stored password's hash cannot be read");
        return false;
    };
    let fits = Argon2::default().verify_password(password.as_bytes(), &hash);
    fits.is_ok() && user.is_some()
}

impl Service {
    pub(super) fn log_in(&self, login: &Login, peer: &str) -> Result<Answer, Error> {
        let now = self.tools.clock.now();
        let keys = [
            format!("login/{}", hashed(&login.name)),
            format!("login-from/{peer}"),
        ];
        for (key, limit) in keys.iter().zip([PER_ACCOUNT, PER_ADDRESS]) {
            self.limiter
                .take(key, limit, now.mono_ms)
                .map_err(Fault::too_many_attempts)?;
        }
        let user = self.read(|tx| Ok(tx.user_by_name(&login.name)?))?;
        let fits = self.check_password(user.as_ref(), &login.password)?;
        let Some(user) = user.filter(|_| fits) else {
            tracing::info!("a login failed");
            return Err(wrong().into());
        };
        for key in &keys {
            self.limiter.give_back(key);
        }
        let token = token(&*self.tools.rng);
        let session = SessionRow {
            token: hashed(&token),
            user: user.id,
            tenant: user.tenant,
            used_ms: now.wall_ms,
        };
        self.log_session(&user, "login", move |tx| tx.put_session(&session))?;
        let viewer = self.viewer_of(user)?;
        Ok(Answer::LoggedIn(text(&self.me(&viewer)?)?, token))
    }

    /// One password at a time; a flood of them must not take the threads that
    /// phones need.
    fn check_password(&self, user: Option<&UserRow>, password: &str) -> Result<bool, Fault> {
        let busy = self.waiting.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING;
        let fits = if busy {
            Err(Fault::too_many_attempts(2))
        } else {
            let _one = lock(&self.hashing);
            Ok(password.len() <= MOST_PASSWORD && matches(user, password))
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        fits
    }

    pub(super) fn log_out(&self, request: &Request) -> Result<Answer, Error> {
        if let Some(session) = self.session(request)? {
            let user = self.read(|tx| Ok(tx.users(session.tenant, &[session.user])?))?;
            if let Some(user) = user.into_iter().next() {
                self.log_session(&user, "logout", move |tx| tx.drop_session(session.token))?;
            }
        }
        Ok(Answer::LoggedOut)
    }

    fn log_session(
        &self,
        user: &UserRow,
        what: &str,
        change: impl Fn(&mut dyn gridwalk_store::Write) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), Error> {
        let tenant = user.tenant;
        let line = AuditRow {
            at_ms: self.now_ms(),
            who: format!("user/{}", user.id),
            what: what.to_owned(),
            on: String::new(),
        };
        self.commit(move |tx| {
            change(tx)?;
            Ok(tx.add_audit(tenant, &line)?)
        })
    }

    fn session(&self, request: &Request) -> Result<Option<SessionRow>, Error> {
        let Some(token) = request.cookie(COOKIE) else {
            return Ok(None);
        };
        let session = self.read(|tx| Ok(tx.session(hashed(token))?))?;
        let now_ms = self.now_ms();
        Ok(session.filter(|session| now_ms - session.used_ms < SESSION_IDLE_MS))
    }

    /// Who asks.
    ///
    /// # Errors
    /// 401 where nobody is logged in.
    pub(super) fn viewer(&self, request: &Request) -> Result<Viewer, Error> {
        let session = self.session(request)?.ok_or_else(signed_out)?;
        let now_ms = self.now_ms();
        if now_ms - session.used_ms >= TOUCH_EVERY_MS {
            let used = SessionRow {
                used_ms: now_ms,
                ..session.clone()
            };
            self.commit(move |tx| {
                // It may have ended since it was read.
                match tx.session(used.token)? {
                    Some(_) => Ok(tx.put_session(&used)?),
                    None => Ok(()),
                }
            })?;
        }
        let users = self.read(|tx| Ok(tx.users(session.tenant, &[session.user])?))?;
        let user = users.into_iter().next().ok_or_else(signed_out)?;
        self.viewer_of(user)
    }

    /// A user, with what decides what they see.
    pub(crate) fn viewer_of(&self, user: UserRow) -> Result<Viewer, Error> {
        let (tenant, tree, law) = self.read(|tx| {
            let missing = || StoreError::Damaged("a user without a district".into());
            let tenant = tx.tenant(user.tenant)?.ok_or_else(missing)?;
            let tree = self.tools.trees.get(tx, &tenant)?;
            let law = self.tools.laws.get(tx, &tenant)?;
            Ok((tenant, tree, law))
        })?;
        Ok(Viewer {
            person: district::user(&user),
            at_ms: self.now_ms(),
            user,
            tenant,
            tree,
            law,
        })
    }

    pub(super) fn me(&self, viewer: &Viewer) -> Result<Me, Error> {
        let latest = self.seen(viewer, |sight: &Sight<'_>| {
            let area = sight.area(viewer.user.grid)?;
            sight.days(&area, &super::KINDS, 1)
        })?;
        let grid = viewer.tree.get(viewer.user.grid);
        let missing = || StoreError::Damaged("a user without a grid".into());
        Ok(Me {
            id: viewer.user.id,
            name: viewer.user.name.clone(),
            role: viewer.user.role.word(),
            grid: Grid::new(grid.ok_or_else(missing)?, viewer.user.grid),
            utc_offset_min: viewer.tenant.utc_offset_min,
            now_ms: self.now_ms(),
            latest_day: latest.first().map(|day| super::day::date(*day)),
            notice: viewer.tenant.notice.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_a_hash_that_reads_and_fits_nothing() {
        PasswordHash::new(NOBODY).expect("reads");
        assert!(!matches(None, ""));
    }
}
