//! `import sites`: must-visit sites from a CSV, as records that a user of the
//! page makes. The grid and the name say which site a line is about; the same
//! file again changes nothing, and what a file does not name stays.

use gridwalk_domain::kind::site::KIND;
use gridwalk_domain::{
    Author, Change, Entity, EntityId, GridId, Intent, OpId, Position, Rng, StreamKey, TenantId,
    UserId, apply,
};
use gridwalk_store::{EntityFilter, Read, StoreError};
use gridwalk_track::coordinates::{System, convert};
use serde_json::{Value, json};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::Admin;
use super::error::{AdminError, FileFault};
use super::grids::find;
use super::read::{Crs, Source};
use crate::act::Act;
use crate::error::Error;
use crate::project::state;

/// What an import of sites did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SitesReport {
    /// Sites that are new.
    pub added: usize,
    /// Sites that changed.
    pub updated: usize,
    /// Sites that were as the file says.
    pub unchanged: usize,
}

type At = (usize, FileFault);
/// In whose name, what to do, and what that comes to.
type Plan = (UserId, Vec<Act>, SitesReport);
type Fields = BTreeMap<String, Value>;

/// A site as the file says it.
struct Line {
    number: usize,
    grid: String,
    fields: Fields,
}

impl Admin<'_> {
    /// Imports sites in the name of a user; their grids must be below the
    /// user's. Positions are in `crs` and stored in WGS-84.
    ///
    /// # Errors
    /// [`AdminError`] with the line at fault; nothing is changed then.
    pub fn import_sites(
        &self,
        source: Source<'_>,
        crs: Crs,
        user: &str,
    ) -> Result<SitesReport, AdminError> {
        let at = |(line, why)| AdminError::File {
            file: source.name.to_owned(),
            line,
            why,
        };
        let lines = read(source.bytes, crs).map_err(at)?;
        let plan = self.service.read(|tx| Ok(self.plan(tx, &lines, user)?));
        let (user, plan, report) = plan?.map_err(|fault| match fault {
            Fault::Line(fault) => at(fault),
            Fault::Whole(error) => error,
        })?;
        for act in &plan {
            self.service.act(user, act).map_err(|error| match error {
                Error::Fault(_) => AdminError::NotTheirs(act.entity.to_string()),
                other => other.into(),
            })?;
        }
        Ok(report)
    }

    /// What is to be done, all of it checked: no act is taken before.
    fn plan(
        &self,
        tx: &dyn Read,
        lines: &[Line],
        user: &str,
    ) -> Result<Result<Plan, Fault>, StoreError> {
        let Some(row) = tx.user_by_name(user)? else {
            return Ok(Err(Fault::Whole(AdminError::UnknownUser(user.to_owned()))));
        };
        let Some(tenant) = tx.tenant(row.tenant)? else {
            return Err(StoreError::Damaged("a user without a district".into()));
        };
        let tree = self.service.tools.trees.get(tx, &tenant)?;
        let (mut report, mut acts) = (SitesReport::default(), Vec::new());
        let mut known: HashMap<GridId, HashMap<String, Entity>> = HashMap::new();
        let mut seen = HashSet::new();
        for line in lines {
            let unknown = || FileFault::UnknownGrid(line.grid.clone());
            let grid = match find(tx, &line.grid)? {
                Ok((of, grid)) if of == tenant.id && tree.is_below(grid.id, row.grid) => grid.id,
                _ => return Ok(Err(Fault::Line((line.number, unknown())))),
            };
            let name = line.fields["name"].as_str().unwrap_or_default().to_owned();
            if !seen.insert((grid, name.clone())) {
                return Ok(Err(Fault::Line((line.number, FileFault::Twice(name)))));
            }
            let sites = match known.entry(grid) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(stored(tx, tenant.id, grid)?),
            };
            let stored = sites.get(&name);
            let act = act_for(&*self.service.tools.rng, line, grid, stored);
            match (&act, stored) {
                (None, _) => report.unchanged += 1,
                (Some(_), None) => report.added += 1,
                (Some(_), Some(_)) => report.updated += 1,
            }
            if let Some(act) = act {
                let before = stored.cloned();
                if let Err(why) = self.would_stand(tenant.id, row.id, &act, before) {
                    return Ok(Err(Fault::Line((line.number, FileFault::BadValue(why)))));
                }
                acts.push(act);
            }
        }
        Ok(Ok((row.id, acts, report)))
    }

    /// Whether an act would be taken, by the same rules.
    fn would_stand(
        &self,
        tenant: TenantId,
        user: UserId,
        act: &Act,
        mut state: Option<Entity>,
    ) -> Result<(), String> {
        let tools = &self.service.tools;
        let (kind, by) = (KIND.name.to_owned(), Author::User { user });
        let body = act.op(tenant, kind, by, tools.clock.now(), &*tools.rng);
        let now_ms = tools.now_ms();
        apply(&mut state, &body, now_ms)
            .map(drop)
            .map_err(|why| why.to_string())
    }
}

/// Why nothing is imported: a line, or all of it.
enum Fault {
    Line(At),
    Whole(AdminError),
}

/// The sites of a grid, by name.
fn stored(
    tx: &dyn Read,
    tenant: TenantId,
    grid: GridId,
) -> Result<HashMap<String, Entity>, StoreError> {
    let filter = EntityFilter {
        kind: Some(KIND.name),
        grids: Some(std::slice::from_ref(&grid)),
        ..EntityFilter::default()
    };
    let mut sites = HashMap::new();
    for row in tx.find(tenant, &filter)? {
        let state = state(&row)?;
        let name = state.text("name").unwrap_or_default().to_owned();
        sites.insert(name, state);
    }
    Ok(sites)
}

/// What makes the stored site as the line says; none where it is.
fn act_for(rng: &dyn Rng, line: &Line, grid: GridId, stored: Option<&Entity>) -> Option<Act> {
    let op = OpId::from_bytes(rng.bytes());
    let Some(state) = stored else {
        let mut fields = line.fields.clone();
        fields.retain(|_, value| !value.is_null());
        fields.insert("grid".to_owned(), json!(grid));
        return Some(Act {
            op,
            entity: EntityId::draw(rng),
            kind: Some(KIND.name.to_owned()),
            intent: Intent::Create {
                home: StreamKey::Records(grid),
                fields,
            },
        });
    };
    let differs =
        |(name, value): &(&String, &Value)| state.value(name).unwrap_or(&Value::Null) != *value;
    let changes: BTreeMap<String, Change> = line
        .fields
        .iter()
        .filter(differs)
        .map(|(name, value)| {
            let change = Change {
                value: value.clone(),
                base: state.base(name),
            };
            (name.clone(), change)
        })
        .collect();
    (!changes.is_empty()).then_some(Act {
        op,
        entity: state.id,
        kind: None,
        intent: Intent::Set(changes),
    })
}

fn read(bytes: &[u8], crs: Crs) -> Result<Vec<Line>, At> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text);
    let unreadable = |line: usize, why: &dyn std::fmt::Display| {
        (
            line,
            FileFault::Unreadable(why.to_string().replace('\n', " ")),
        )
    };
    let headers = reader.headers().map_err(|why| unreadable(1, &why))?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    for needed in ["grid", "name", "lat", "lon", "radius_m", "every"] {
        if column(needed).is_none() {
            let why = format!(
                "no column {needed}; expected grid,name,lat,lon,radius_m,every and times,sort"
            );
            return Err(unreadable(1, &why));
        }
    }
    let mut lines = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|why| {
            let line = why
                .position()
                .map_or(index + 2, |at| usize::try_from(at.line()).unwrap_or(0));
            unreadable(line, &why)
        })?;
        let line = record
            .position()
            .and_then(|at| usize::try_from(at.line()).ok());
        let get = |name: &str| {
            column(name)
                .and_then(|at| record.get(at))
                .unwrap_or_default()
        };
        lines.push(one(line.unwrap_or(index + 2), get, crs)?);
    }
    if lines.is_empty() {
        return Err((1, FileFault::Empty));
    }
    Ok(lines)
}

fn one<'a>(number: usize, get: impl Fn(&str) -> &'a str, crs: Crs) -> Result<Line, At> {
    let bad = |name: &str, expected: &str| {
        let why = format!("{name}: “{}”; expected {expected}", get(name));
        (number, FileFault::BadValue(why))
    };
    let float = |name: &str| get(name).parse::<f64>().map_err(|_| bad(name, "a number"));
    let at = Position {
        lat: float("lat")?,
        lon: float("lon")?,
    };
    if !at.is_valid() {
        return Err(bad("lat", "a place on the earth"));
    }
    let at = convert(at, crs.system(), System::Wgs84);
    // A hundred-millionth of a degree is a millimetre: the same file again
    // must give the same numbers.
    let degrees = |v: f64| (v * 1e8).round() / 1e8;
    let optional = |name: &str| match get(name) {
        "" => Value::Null,
        text => json!(text),
    };
    let times = match get("times") {
        "" => Value::Null,
        text => json!(
            text.parse::<u64>()
                .map_err(|_| bad("times", "a whole number"))?
        ),
    };
    let fields = [
        ("name", json!(get("name"))),
        (
            "place",
            json!({ "lat": degrees(at.lat), "lon": degrees(at.lon) }),
        ),
        ("radius_m", json!(float("radius_m")?)),
        ("every", json!(get("every"))),
        ("times", times),
        ("sort", optional("sort")),
    ];
    Ok(Line {
        number,
        grid: get("grid").to_owned(),
        fields: fields.map(|(name, value)| (name.to_owned(), value)).into(),
    })
}
