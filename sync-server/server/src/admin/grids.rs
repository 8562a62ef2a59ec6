//! `import grids`: all of a file or nothing of it. The code says which grid a
//! line is about; its id stays, its name, parent and boundary follow the file.

use gridwalk_domain::{Boundary, GridCode, GridId, GridLevel, Rng, TenantId, Text};
use gridwalk_store::{GridChangeRow, GridRow, StoreError, TenantRow, Write};
use std::collections::HashMap;
use std::sync::Arc;

use super::error::{AdminError, FileFault};
use super::read::{Crs, Line, Source, read};
use super::{Admin, people};
use crate::random::tag;

/// China's standard time.
const UTC_OFFSET_MIN: i32 = 480;

/// How to import.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// The coordinate system of the boundaries; a GeoJSON file must name it.
    pub crs: Option<Crs>,
    /// What the page shows to everybody from now on.
    pub notice: Option<Text>,
}

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportReport {
    /// The district.
    pub tenant: TenantId,
    /// Grids that are new.
    pub added: usize,
    /// Grids that changed.
    pub updated: usize,
    /// Grids that were as the file says.
    pub unchanged: usize,
}

impl Admin<'_> {
    /// Imports grids; the same file again changes nothing. A district that is
    /// new becomes a tenant.
    ///
    /// # Errors
    /// [`AdminError`] with the line at fault; nothing is changed then.
    pub fn import_grids(
        &self,
        source: Source<'_>,
        import: &Import,
    ) -> Result<ImportReport, AdminError> {
        let lines = Arc::new(read(source, import.crs)?);
        let (file, notice) = (source.name.to_owned(), import.notice.clone());
        let (rng, now_ms) = (Arc::clone(&self.service.tools.rng), self.service.now_ms());
        // A fault is the value here: what the store says is its own.
        let result = self.service.commit(move |tx| {
            let result = take(tx, &*rng, &lines, notice.as_ref(), now_ms)?;
            Ok(result.map_err(|(line, why)| AdminError::File {
                file: file.clone(),
                line,
                why,
            }))
        });
        result?
    }
}

type At = (usize, FileFault);

/// What is stored of the grids that the file is about.
struct Known {
    tenant: TenantRow,
    by_code: HashMap<GridCode, GridRow>,
    boundaries: HashMap<GridId, String>,
}

fn take(
    tx: &mut dyn Write,
    rng: &dyn Rng,
    lines: &[Line],
    notice: Option<&Text>,
    now_ms: i64,
) -> Result<Result<ImportReport, At>, StoreError> {
    let mut known = match district(tx, rng, lines)? {
        Ok(known) => known,
        Err(fault) => return Ok(Err(fault)),
    };
    let (rows, report) = match plan(rng, lines, &known) {
        Ok(plan) => plan,
        Err(fault) => return Ok(Err(fault)),
    };
    if report.added + report.updated > 0 {
        known.tenant.grids_version = fresh_version(rng);
    }
    if notice.is_some() {
        known.tenant.notice = notice.cloned();
    }
    tx.put_tenant(&known.tenant)?;
    for (row, boundary) in rows {
        let before = known.by_code.get(&row.code);
        tx.put_grid(known.tenant.id, &row, boundary.as_deref())?;
        log_change(tx, known.tenant.id, before, &row, now_ms)?;
    }
    let line = people::audit(now_ms, "import", &format!("{} grids", lines.len()));
    tx.add_audit(known.tenant.id, &line)?;
    Ok(Ok(report))
}

/// A version that nothing which is kept was read at.
pub(super) fn fresh_version(rng: &dyn Rng) -> u64 {
    tag(rng) >> 1
}

/// Logs what a grid is called and where it stands from now on, where that is new.
pub(super) fn log_change(
    tx: &mut dyn Write,
    tenant: TenantId,
    before: Option<&GridRow>,
    now: &GridRow,
    now_ms: i64,
) -> Result<(), StoreError> {
    let said = |row: &GridRow| {
        let closed = row.closed_ms.is_some();
        (row.code.clone(), row.parent, row.name.clone(), closed)
    };
    if before.map(said) == Some(said(now)) {
        return Ok(());
    }
    let (code, parent, name, closed) = said(now);
    let change = GridChangeRow {
        grid: now.id,
        at_ms: now_ms,
        code,
        parent,
        name,
        closed,
    };
    tx.add_grid_change(tenant, &change)
}

/// The district that the file is about: the one it holds, else the one that
/// its first grid or that grid's parent belongs to.
fn district(
    tx: &dyn Write,
    rng: &dyn Rng,
    lines: &[Line],
) -> Result<Result<Known, At>, StoreError> {
    let mut districts = lines
        .iter()
        .filter(|line| line.level == GridLevel::District);
    let named = districts.next();
    if let Some(second) = districts.next() {
        let fault = FileFault::SecondDistrict(second.code.to_string());
        return Ok(Err((second.number, fault)));
    }
    let tenant = match named {
        Some(line) => {
            let stored = tx.grids_by_code(&line.code)?;
            let same = |(_, row): &&(TenantId, GridRow)| row.level == GridLevel::District;
            match stored.iter().find(same) {
                Some((tenant, _)) => *tenant,
                None => TenantId::draw(rng),
            }
        }
        None => match belongs(tx, lines)? {
            Ok(tenant) => tenant,
            Err(fault) => return Ok(Err(fault)),
        },
    };
    let row = tx.tenant(tenant)?.unwrap_or(TenantRow {
        id: tenant,
        utc_offset_min: UTC_OFFSET_MIN,
        notice: None,
        grids_version: 0,
        law_version: 0,
    });
    // A closed grid is history: its code may be another's by now.
    let grids = tx.grids(tenant)?.into_iter();
    let grids = grids.filter(|row| row.closed_ms.is_none());
    Ok(Ok(Known {
        tenant: row,
        by_code: grids.map(|row| (row.code.clone(), row)).collect(),
        boundaries: tx.boundaries(tenant, None)?.into_iter().collect(),
    }))
}

fn belongs(tx: &dyn Write, lines: &[Line]) -> Result<Result<TenantId, At>, StoreError> {
    for line in lines {
        for code in std::iter::once(&line.code).chain(&line.parent) {
            if let Some((tenant, _)) = tx.grids_by_code(code)?.first() {
                return Ok(Ok(*tenant));
            }
        }
    }
    // No grid of the file stands under anything that is known.
    let line = lines.iter().min_by_key(|line| line.level);
    let fault = line.map_or((1, FileFault::Empty), |line| {
        let parent = line
            .parent
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        (line.number, FileFault::UnknownParent(parent))
    });
    Ok(Err(fault))
}

type Planned = (Vec<(GridRow, Option<String>)>, ImportReport);

fn plan(rng: &dyn Rng, lines: &[Line], known: &Known) -> Result<Planned, At> {
    let mut in_file: HashMap<&GridCode, (GridId, GridLevel)> = HashMap::new();
    for line in lines {
        let stored = known.by_code.get(&line.code);
        let id = stored.map_or_else(|| GridId::draw(rng), |row| row.id);
        if in_file.insert(&line.code, (id, line.level)).is_some() {
            return Err((line.number, FileFault::Twice(line.code.to_string())));
        }
    }
    let mut report = ImportReport {
        tenant: known.tenant.id,
        added: 0,
        updated: 0,
        unchanged: 0,
    };
    let mut rows = Vec::new();
    for line in lines {
        let Some((id, _)) = in_file.get(&line.code) else {
            continue;
        };
        let parent = parent_of(line, &in_file, known)?;
        let stored = known.by_code.get(&line.code);
        let row = GridRow {
            id: *id,
            code: line.code.clone(),
            parent,
            level: line.level,
            name: line.name.clone(),
            synthetic: line
                .synthetic
                .unwrap_or_else(|| stored.is_some_and(|row| row.synthetic)),
            closed_ms: None,
        };
        let boundary = line
            .boundary
            .as_ref()
            .map(|boundary| text_of(boundary, line.number));
        let boundary = boundary.transpose()?;
        let same_area = boundary.is_none() || boundary.as_ref() == known.boundaries.get(id);
        match stored {
            None => report.added += 1,
            Some(stored) if *stored == row && same_area => {
                report.unchanged += 1;
                continue;
            }
            Some(_) => report.updated += 1,
        }
        rows.push((row, boundary));
    }
    Ok((rows, report))
}

fn parent_of(
    line: &Line,
    in_file: &HashMap<&GridCode, (GridId, GridLevel)>,
    known: &Known,
) -> Result<Option<GridId>, At> {
    let Some(code) = &line.parent else {
        return Ok(None);
    };
    let stored = || known.by_code.get(code).map(|row| (row.id, row.level));
    let found = in_file.get(code).copied().or_else(stored);
    let (id, level) =
        found.ok_or_else(|| (line.number, FileFault::UnknownParent(code.to_string())))?;
    if level >= line.level {
        return Err((line.number, FileFault::ParentNotAbove(code.to_string())));
    }
    Ok(Some(id))
}

fn text_of(boundary: &Boundary, number: usize) -> Result<String, At> {
    serde_json::to_string(boundary).map_err(|why| (number, FileFault::Unreadable(why.to_string())))
}

/// The one grid that bears a code.
pub(super) fn find(
    tx: &dyn gridwalk_store::Read,
    code: &str,
) -> Result<Result<(TenantId, GridRow), AdminError>, StoreError> {
    let unknown = || AdminError::UnknownGrid(code.to_owned());
    let Ok(parsed) = code.parse::<GridCode>() else {
        return Ok(Err(unknown()));
    };
    let mut found = tx.grids_by_code(&parsed)?.into_iter();
    Ok(match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(AdminError::AmbiguousGrid(code.to_owned())),
        (None, _) => Err(unknown()),
    })
}
