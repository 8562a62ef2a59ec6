//! Reading grids from files: CSV of divisions, GeoJSON of boundaries.

use gridwalk_domain::{Boundary, GridCode, GridLevel, Position};
use gridwalk_track::coordinates::{System, convert};
use std::str::FromStr;

use super::error::{AdminError, FileFault};

/// The longest name of a grid, in characters.
const MOST_NAME: usize = 100;

/// A file.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its name, for messages.
    pub name: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// A coordinate system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crs {
    /// WGS-84, and CGCS2000, which for our purpose is the same.
    Wgs84,
    /// GCJ-02 (Amap, Tencent).
    Gcj02,
    /// BD-09 (Baidu).
    Bd09,
}

/// A text that names no coordinate system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected wgs84, cgcs2000, gcj02 or bd09")]
pub struct BadCrs;

impl FromStr for Crs {
    type Err = BadCrs;

    fn from_str(text: &str) -> Result<Self, BadCrs> {
        match text.to_ascii_lowercase().as_str() {
            "wgs84" | "cgcs2000" => Ok(Self::Wgs84),
            "gcj02" => Ok(Self::Gcj02),
            "bd09" => Ok(Self::Bd09),
            _ => Err(BadCrs),
        }
    }
}

impl Crs {
    pub(super) const fn system(self) -> System {
        match self {
            Self::Wgs84 => System::Wgs84,
            Self::Gcj02 => System::Gcj02,
            Self::Bd09 => System::Bd09,
        }
    }
}

/// A grid as a file says it.
#[derive(Debug)]
pub(super) struct Line {
    /// From 1: a line, or a feature.
    pub(super) number: usize,
    pub(super) code: GridCode,
    pub(super) parent: Option<GridCode>,
    pub(super) level: GridLevel,
    pub(super) name: String,
    pub(super) synthetic: Option<bool>,
    pub(super) boundary: Option<Boundary>,
}

/// Reads a file of either format.
pub(super) fn read(source: Source<'_>, crs: Option<Crs>) -> Result<Vec<Line>, AdminError> {
    let text = source
        .bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(source.bytes);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    let lines = match (first, crs) {
        (Some(b'{'), None) => {
            return Err(AdminError::NoCrs {
                file: source.name.to_owned(),
            });
        }
        (Some(b'{'), Some(crs)) => geojson(text, crs),
        _ => csv(text),
    };
    let at = |(line, why)| AdminError::File {
        file: source.name.to_owned(),
        line,
        why,
    };
    match lines {
        Ok(lines) if lines.is_empty() => Err(at((1, FileFault::Empty))),
        Ok(lines) => Ok(lines),
        Err(fault) => Err(at(fault)),
    }
}

type At = (usize, FileFault);

struct Fields<'a> {
    code: &'a str,
    parent: &'a str,
    level: &'a str,
    name: &'a str,
}

fn line(number: usize, fields: &Fields<'_>) -> Result<Line, At> {
    let code = |text: &str| {
        text.parse::<GridCode>()
            .map_err(|_| (number, FileFault::BadCode(text.to_owned())))
    };
    let name = fields.name.trim();
    let plain = !name.chars().any(char::is_control);
    if name.is_empty() || name.chars().count() > MOST_NAME || !plain {
        return Err((number, FileFault::BadName));
    }
    let level: GridLevel = fields
        .level
        .trim()
        .parse()
        .map_err(|_| (number, FileFault::BadLevel(fields.level.to_owned())))?;
    let parent = fields.parent.trim();
    let parent = if parent.is_empty() {
        None
    } else {
        Some(code(parent)?)
    };
    if parent.is_none() != (level == GridLevel::District) {
        return Err((number, FileFault::ParentMissing));
    }
    Ok(Line {
        number,
        code: code(fields.code.trim())?,
        parent,
        level,
        name: name.to_owned(),
        synthetic: None,
        boundary: None,
    })
}

fn csv(text: &[u8]) -> Result<Vec<Line>, At> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text);
    let unreadable = |number: usize, why: &dyn std::fmt::Display| {
        (
            number,
            FileFault::Unreadable(why.to_string().replace('\n', " ")),
        )
    };
    let headers = reader.headers().map_err(|why| unreadable(1, &why))?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let needed = |name: &str| {
        column(name).ok_or_else(|| {
            unreadable(
                1,
                &format!("no column {name}; expected code,parent,level,name"),
            )
        })
    };
    let columns = (
        needed("code")?,
        needed("parent")?,
        needed("level")?,
        needed("name")?,
    );
    let synthetic = column("synthetic");
    let mut lines = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|why| {
            let number = why
                .position()
                .map_or(index + 2, |at| usize::try_from(at.line()).unwrap_or(0));
            unreadable(number, &why)
        })?;
        let number = record
            .position()
            .and_then(|at| usize::try_from(at.line()).ok());
        let get = |column: usize| record.get(column).unwrap_or_default();
        let fields = Fields {
            code: get(columns.0),
            parent: get(columns.1),
            level: get(columns.2),
            name: get(columns.3),
        };
        let mut line = line(number.unwrap_or(index + 2), &fields)?;
        line.synthetic = synthetic.map(|column| matches!(get(column), "true" | "1"));
        lines.push(line);
    }
    Ok(lines)
}

fn geojson(text: &[u8], crs: Crs) -> Result<Vec<Line>, At> {
    let unreadable =
        |line, why: &dyn std::fmt::Display| (line, FileFault::Unreadable(why.to_string()));
    let collection: geojson::FeatureCollection =
        serde_json::from_slice(text).map_err(|why| unreadable(why.line(), &why))?;
    let features = collection.features.into_iter().enumerate();
    features
        .map(|(index, feature)| one(index + 1, &feature, crs))
        .collect()
}

fn one(number: usize, feature: &geojson::Feature, crs: Crs) -> Result<Line, At> {
    let property = |name: &str| feature.property(name);
    let text = |name: &str| {
        property(name)
            .and_then(|value| value.as_str())
            .unwrap_or_default()
    };
    let fields = Fields {
        code: text("code"),
        parent: text("parent"),
        level: text("level"),
        name: text("name"),
    };
    let mut line = line(number, &fields)?;
    line.synthetic = property("synthetic").and_then(serde_json::Value::as_bool);
    if let Some(geometry) = &feature.geometry {
        line.boundary = Some(boundary(&geometry.value, crs).map_err(|fault| (number, fault))?);
    }
    Ok(line)
}

fn boundary(value: &geojson::GeometryValue, crs: Crs) -> Result<Boundary, FileFault> {
    let polygon = |rings: &[Vec<geojson::Position>]| {
        let rings: Result<Vec<_>, _> = rings.iter().map(|points| ring(points, crs)).collect();
        rings.and_then(|rings| {
            if rings.is_empty() {
                Err(FileFault::BadRing)
            } else {
                Ok(rings)
            }
        })
    };
    match value {
        geojson::GeometryValue::Polygon { coordinates } => {
            Ok(Boundary(vec![polygon(coordinates)?]))
        }
        geojson::GeometryValue::MultiPolygon { coordinates } => {
            let polygons: Result<_, _> = coordinates.iter().map(|rings| polygon(rings)).collect();
            Ok(Boundary(polygons?))
        }
        _ => Err(FileFault::NoPolygon),
    }
}

/// A ring in WGS-84; the last point repeats the first, bit for bit.
fn ring(points: &[geojson::Position], crs: Crs) -> Result<Vec<[f64; 2]>, FileFault> {
    let point = |position: &geojson::Position| match position.as_slice() {
        [lon, lat, ..] => {
            let at = Position {
                lat: *lat,
                lon: *lon,
            };
            at.is_valid()
                .then(|| convert(at, crs.system(), System::Wgs84))
        }
        _ => None,
    };
    let ring: Option<Vec<_>> = points
        .iter()
        .map(|p| point(p).map(|at| [at.lon, at.lat]))
        .collect();
    ring.filter(|ring| ring.len() >= 4 && ring.first() == ring.last())
        .ok_or(FileFault::BadRing)
}
