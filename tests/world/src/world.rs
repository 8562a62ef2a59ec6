//! The district: its areas at all four levels.

use std::collections::HashMap;

use geo::{Area as _, Centroid, Coord, MapCoords, Polygon};
use geojson::{
    Feature, FeatureCollection, GeoJson, Geometry, GeometryValue, JsonObject, JsonValue,
};
use gridwalk_domain::{GridLevel, Position};

use crate::divisions::{self, Division};
use crate::{Plane, WorldError, cells, partition};

/// Base grids of the district, as the report counts them.
pub const BASE_GRIDS: usize = 1956;

const DIVISIONS: &str = include_str!("../../fixtures/lanshan/divisions.csv");
const OUTLINE: &str = include_str!("../../fixtures/lanshan/outline.geojson");

/// One area of one level.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// 6, 9, 12 or 15 digits, by level.
    pub code: String,
    /// The code of the area it lies in; none for the district.
    pub parent: Option<String>,
    /// Its level.
    pub level: GridLevel,
    /// Its name: the list's, or for a base grid one that was made up.
    pub name: String,
    /// Whether the boundary was made up, whatever the name is.
    pub synthetic: bool,
    /// Its boundary, WGS-84: x is the longitude, y the latitude, in degrees.
    pub boundary: Polygon<f64>,
}

/// The district and everything in it.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    areas: Vec<Area>,
}

impl World {
    /// Lanshan, from the list and the outline that this crate carries.
    ///
    /// # Errors
    ///
    /// A seed from which no partition can be made.
    pub fn lanshan(seed: u64) -> Result<Self, WorldError> {
        Self::make(
            &divisions::read(DIVISIONS)?,
            &read_outline(OUTLINE)?,
            BASE_GRIDS,
            seed,
        )
    }

    /// A district with this list of divisions, this outline (degrees) and so many base grids.
    ///
    /// # Errors
    ///
    /// A list or outline that cannot be used, or a seed from which no partition can be made.
    pub fn make(
        list: &[Division],
        outline: &Polygon<f64>,
        base_grids: usize,
        seed: u64,
    ) -> Result<Self, WorldError> {
        let corner = outline
            .centroid()
            .ok_or(WorldError::Outline("it is empty".into()))?;
        let plane = Plane::at(Position {
            lat: corner.y(),
            lon: corner.x(),
        });
        let mesh = cells::cut(&plane.polygon(outline), base_grids, seed)?;
        let (centres, neighbours) = (mesh.centres(), mesh.neighbours());

        let communities = by_town(list);
        let towns: Vec<&str> = list
            .iter()
            .filter(|d| d.level == GridLevel::Town)
            .map(|d| &*d.code)
            .collect();
        let town_of = |c: &&Division| {
            towns
                .iter()
                .position(|t| *t == c.parent)
                .unwrap_or_default()
        };
        let families: Vec<usize> = communities.iter().map(town_of).collect();
        let groups = communities.len().max(1);
        let sizes = base_grids / groups..=base_grids.div_ceil(groups);
        let all = partition::Cells {
            centres: &centres,
            neighbours: &neighbours,
        };
        let shared = partition::share(all, &families, &sizes)?;

        let mut members: HashMap<&str, Vec<usize>> = HashMap::new();
        for (community, cells) in communities.iter().zip(&shared) {
            members.insert(&community.code, cells.clone());
            members.entry(&community.parent).or_default().extend(cells);
        }
        let boundary = |cells: &[usize]| {
            mesh.union(cells)
                .map_coords(|metres| rounded(plane.degrees(metres)))
        };
        let everything: Vec<usize> = (0..mesh.len()).collect();
        let mut areas: Vec<Area> = list
            .iter()
            .map(|d| Area {
                code: d.code.clone(),
                parent: (!d.parent.is_empty()).then(|| d.parent.clone()),
                level: d.level,
                name: d.name.clone(),
                synthetic: d.level != GridLevel::District,
                boundary: boundary(members.get(&*d.code).unwrap_or(&everything)),
            })
            .collect();
        for (community, cells) in communities.iter().zip(&shared) {
            let mut cells = cells.clone();
            cells.sort_by(|&a, &b| reading_order(centres[a], centres[b]));
            areas.extend(cells.iter().zip(1..).map(|(&cell, number)| Area {
                code: format!("{}{number:03}", community.code),
                parent: Some(community.code.clone()),
                level: GridLevel::Base,
                name: format!(
                    "{}第{}网格",
                    divisions::short_name(&community.name),
                    divisions::numeral(number)
                ),
                synthetic: true,
                boundary: boundary(&[cell]),
            }));
        }
        Ok(Self { areas })
    }

    /// All areas, parents before children.
    #[must_use]
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// The areas of one level, in the order of the list.
    pub fn level(&self, level: GridLevel) -> impl Iterator<Item = &Area> {
        self.areas.iter().filter(move |a| a.level == level)
    }

    /// The area with this code.
    #[must_use]
    pub fn area(&self, code: &str) -> Option<&Area> {
        self.areas.iter().find(|a| a.code == code)
    }

    /// All areas as a GeoJSON FeatureCollection. `crs_name` names the coordinate
    /// system, and `note` says what was made up.
    #[must_use]
    pub fn to_geojson(&self) -> FeatureCollection {
        let text = |value: &str| JsonValue::String(value.into());
        let feature = |area: &Area| {
            let mut properties = JsonObject::new();
            properties.insert("code".into(), text(&area.code));
            properties.insert(
                "parent".into(),
                area.parent.as_deref().map_or(JsonValue::Null, text),
            );
            properties.insert("level".into(), serde_json::json!(area.level));
            properties.insert("name".into(), text(&area.name));
            properties.insert("synthetic".into(), JsonValue::Bool(area.synthetic));
            Feature {
                bbox: None,
                geometry: Some(Geometry::new(GeometryValue::from(&area.boundary))),
                id: None,
                properties: Some(properties),
                foreign_members: None,
            }
        };
        let mut top = JsonObject::new();
        top.insert("crs_name".into(), text("wgs84"));
        top.insert("synthetic".into(), JsonValue::Bool(true));
        top.insert("note".into(), text(NOTE));
        FeatureCollection {
            bbox: None,
            features: self.areas.iter().map(feature).collect(),
            foreign_members: Some(top),
        }
    }
}

const NOTE: &str = "合成边界：除区界外，各级边界均为程序生成，并非真实网格；名称和编码取自统计用区划代码。\
    Synthetic boundaries: all but the district's outline were generated and are not the real grids; \
    names and codes are those of the official list.";

/// The outline, as longitude (x) and latitude (y) in degrees.
///
/// # Errors
///
/// Text that is not GeoJSON, or holds anything but one polygon.
pub fn read_outline(text: &str) -> Result<Polygon<f64>, WorldError> {
    let json: GeoJson = text
        .parse()
        .map_err(|e: geojson::Error| WorldError::Outline(e.to_string()))?;
    let collection = geo::GeometryCollection::<f64>::try_from(&json)
        .map_err(|e: geojson::Error| WorldError::Outline(e.to_string()))?;
    let mut polygons = Vec::new();
    for geometry in collection {
        match geometry {
            geo::Geometry::Polygon(polygon) => polygons.push(polygon),
            geo::Geometry::MultiPolygon(several) => polygons.extend(several),
            _ => {
                return Err(WorldError::Outline(
                    "it holds something that is no area".into(),
                ));
            }
        }
    }
    match <[Polygon<f64>; 1]>::try_from(polygons) {
        Ok([polygon]) if polygon.unsigned_area() > 0.0 => Ok(polygon),
        Ok(_) => Err(WorldError::Outline("it has no area".into())),
        Err(several) => Err(WorldError::Outline(format!(
            "it holds {} polygons",
            several.len()
        ))),
    }
}

/// The communities, those of one town one after the other.
fn by_town(list: &[Division]) -> Vec<&Division> {
    let towns = list.iter().filter(|d| d.level == GridLevel::Town);
    let within = |town: &'_ Division| {
        let code = town.code.clone();
        list.iter()
            .filter(move |d| d.level == GridLevel::Community && d.parent == code)
    };
    towns.flat_map(within).collect()
}

/// From the north-west to the south-east, as one reads.
fn reading_order(a: Coord<f64>, b: Coord<f64>) -> std::cmp::Ordering {
    (a.x - a.y).total_cmp(&(b.x - b.y))
}

/// To a millionth of a degree: a tenth of a metre, and the file half as long.
fn rounded(degrees: Coord<f64>) -> Coord<f64> {
    let round = |value: f64| (value * 1e6).round() / 1e6;
    Coord {
        x: round(degrees.x),
        y: round(degrees.y),
    }
}
