//! Users, workers, settings.

use gridwalk_domain::{GridLevel, TenantId, Text, UserId, WorkerId};
use gridwalk_store::{AssignmentRow, AuditRow, Role, UserRow, WorkerRow, Write};
use std::sync::Arc;

use super::Admin;
use super::error::AdminError;
use super::grids::find;
use crate::error::Error;
use crate::page::hash_password;
use crate::random::letters;

/// Groups of four letters in a generated password: 80 random bits.
const PASSWORD_GROUPS: usize = 4;
/// The longest name, in characters.
const MOST_NAME: usize = 100;

/// A user who was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// Who.
    pub id: UserId,
    /// The district.
    pub tenant: TenantId,
    /// To be shown once: only its hash is stored.
    pub password: String,
}

/// What can be set for a district; none leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What the page shows to everybody; an empty text takes it away.
    pub notice: Option<Text>,
    /// Minutes that the district's clocks are ahead of UTC.
    pub utc_offset_min: Option<i32>,
}

pub(super) fn audit(now_ms: i64, what: &str, on: &str) -> AuditRow {
    AuditRow {
        at_ms: now_ms,
        who: "operator".to_owned(),
        what: what.to_owned(),
        on: on.to_owned(),
    }
}

pub(super) fn checked(name: &str) -> Result<String, AdminError> {
    let name = name.trim();
    let plain = !name.chars().any(char::is_control);
    if name.is_empty() || name.chars().count() > MOST_NAME || !plain {
        return Err(AdminError::BadName);
    }
    Ok(name.to_owned())
}

/// Stores a worker on a base grid from now on.
pub(super) fn put_worker(
    tx: &mut dyn Write,
    name: &str,
    grid: &str,
    id: WorkerId,
    now_ms: i64,
) -> Result<Result<TenantId, AdminError>, Error> {
    let (tenant, row) = match find(tx, grid)? {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    if row.level != GridLevel::Base {
        return Ok(Err(AdminError::WrongLevel {
            role: "worker".to_owned(),
            level: GridLevel::Base.as_str().to_owned(),
        }));
    }
    tx.put_worker(
        tenant,
        &WorkerRow {
            id,
            name: name.to_owned(),
        },
    )?;
    let assignment = AssignmentRow {
        worker: id,
        grid: row.id,
        // A phone's clock may run a little behind at its first record.
        from_ms: now_ms - 24 * 3_600_000,
        until_ms: None,
    };
    tx.put_assignment(tenant, &assignment)?;
    tx.add_audit(
        tenant,
        &audit(now_ms, "worker add", &format!("worker/{id}")),
    )?;
    Ok(Ok(tenant))
}

impl Admin<'_> {
    /// Adds somebody who logs in to the page, with a password that is drawn.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is changed then.
    pub fn add_user(&self, name: &str, role: Role, grid: &str) -> Result<NewUser, AdminError> {
        let password = letters(&*self.service.tools.rng, PASSWORD_GROUPS);
        self.put_user(name, role, grid, password)
    }

    /// [`Self::add_user`] with a password that is given, for demonstrations.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is changed then.
    pub fn put_user(
        &self,
        name: &str,
        role: Role,
        grid: &str,
        password: String,
    ) -> Result<NewUser, AdminError> {
        let name = checked(name)?;
        let (id, now_ms) = (
            UserId::draw(&*self.service.tools.rng),
            self.service.now_ms(),
        );
        let hash = hash_password(&*self.service.tools.rng, &password)?;
        let grid = grid.to_owned();
        let tenant = self.service.commit(move |tx| {
            let (tenant, row) = match find(tx, &grid)? {
                Ok(found) => found,
                Err(error) => return Ok(Err(error)),
            };
            if let Some(level) = role.level().filter(|level| row.level != *level) {
                return Ok(Err(AdminError::WrongLevel {
                    role: role.to_string(),
                    level: level.as_str().to_owned(),
                }));
            }
            if tx.user_by_name(&name)?.is_some() {
                return Ok(Err(AdminError::UserExists(name.clone())));
            }
            tx.put_user(&UserRow {
                id,
                tenant,
                name: name.clone(),
                password: hash.clone(),
                role,
                grid: row.id,
            })?;
            tx.add_audit(tenant, &audit(now_ms, "user add", &format!("user/{id}")))?;
            Ok(Ok(tenant))
        })??;
        Ok(NewUser {
            id,
            tenant,
            password,
        })
    }

    /// Adds a gridworker and gives them a base grid from now on.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is changed then.
    pub fn add_worker(&self, name: &str, grid: &str) -> Result<WorkerId, AdminError> {
        let (name, grid) = (checked(name)?, grid.to_owned());
        let (id, now_ms) = (
            WorkerId::draw(&*self.service.tools.rng),
            self.service.now_ms(),
        );
        self.service
            .commit(move |tx| put_worker(tx, &name, &grid, id, now_ms))??;
        Ok(id)
    }

    /// Sets what can be set for the district of this code, or for the only one.
    ///
    /// # Errors
    /// [`AdminError::NoDistrict`], or [`AdminError::ChooseDistrict`] where there
    /// are several and none is named.
    pub fn settings_of(&self, code: Option<&str>, settings: &Settings) -> Result<(), AdminError> {
        self.settings(self.tenant_of(code)?, settings)
    }

    /// The district of this code, or the only one.
    ///
    /// # Errors
    /// [`AdminError::NoDistrict`], [`AdminError::UnknownGrid`], or
    /// [`AdminError::ChooseDistrict`] where there are several and none is named.
    pub fn tenant_of(&self, code: Option<&str>) -> Result<TenantId, AdminError> {
        match code {
            Some(code) => self
                .service
                .read(|tx| Ok(find(tx, code)?.map(|(tenant, _)| tenant)))?,
            None => match self.tenants()?.as_slice() {
                [] => Err(AdminError::NoDistrict),
                [only] => Ok(only.id),
                _ => Err(AdminError::ChooseDistrict),
            },
        }
    }

    /// Sets what can be set for a district.
    ///
    /// # Errors
    /// [`AdminError::NoDistrict`] where it is not there.
    pub fn settings(&self, tenant: TenantId, settings: &Settings) -> Result<(), AdminError> {
        let (settings, now_ms) = (Arc::new(settings.clone()), self.service.now_ms());
        self.service.commit(move |tx| {
            let Some(mut row) = tx.tenant(tenant)? else {
                return Ok(Err(AdminError::NoDistrict));
            };
            if let Some(notice) = &settings.notice {
                let empty = notice.zh.is_empty() && notice.en.is_empty();
                row.notice = (!empty).then(|| notice.clone());
            }
            if let Some(minutes) = settings.utc_offset_min {
                row.utc_offset_min = minutes;
            }
            tx.put_tenant(&row)?;
            tx.add_audit(tenant, &audit(now_ms, "settings", ""))?;
            Ok(Ok(()))
        })?
    }
}
