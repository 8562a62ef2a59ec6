//! GeoJSON.

use geojson::{Feature, FeatureCollection, GeoJson, Geometry, GeometryValue};
use gridwalk_domain::{Fix, Position};
use serde_json::{Map, Value, json};

use super::{Labels, cause, time};
use crate::route::{Gap, Route, Stop};

pub(super) fn write(route: &Route, labels: &Labels) -> String {
    let mut features: Vec<(i64, Feature)> = Vec::new();
    for segment in &route.segments {
        features.push((segment.first().map_or(0, |f| f.time_ms), line(segment)));
    }
    features.extend(route.gaps.iter().map(|g| (g.from_ms, gap(g))));
    features.extend(route.stops.iter().map(|s| (s.from_ms, stop(s))));
    // In the order of time; what begins together stays as it was put.
    features.sort_by_key(|(ms, _)| *ms);
    let mut foreign = Map::new();
    foreign.insert("name".to_owned(), json!(labels.name));
    if let Some(description) = &labels.description {
        foreign.insert("description".to_owned(), json!(description));
    }
    foreign.insert("distance_m".to_owned(), json!(route.distance_m.round()));
    foreign.insert("moving_s".to_owned(), json!(route.moving_ms / 1000));
    let collection = FeatureCollection {
        bbox: route.bbox.map(|b| vec![b.west, b.south, b.east, b.north]),
        features: features.into_iter().map(|(_, f)| f).collect(),
        foreign_members: Some(foreign),
    };
    GeoJson::from(collection).to_string()
}

fn line(segment: &[Fix]) -> Feature {
    let coordinates: Vec<_> = segment.iter().map(|f| coordinate(f.position)).collect();
    let value = match &coordinates[..] {
        [one] => GeometryValue::new_point(*one),
        _ => GeometryValue::new_line_string(coordinates),
    };
    let times: Vec<Option<String>> = segment.iter().map(|f| time(f.time_ms)).collect();
    feature(
        Some(value),
        [("kind", json!("segment")), ("times", json!(times))],
    )
}

fn gap(gap: &Gap) -> Feature {
    feature(
        None,
        [
            ("kind", json!("gap")),
            ("cause", json!(cause(gap.cause))),
            ("from", json!(time(gap.from_ms))),
            ("to", json!(time(gap.to_ms))),
        ],
    )
}

fn stop(stop: &Stop) -> Feature {
    feature(
        Some(GeometryValue::new_point(coordinate(stop.at))),
        [
            ("kind", json!("stop")),
            ("from", json!(time(stop.from_ms))),
            ("to", json!(time(stop.to_ms))),
        ],
    )
}

fn coordinate(p: Position) -> [f64; 2] {
    [p.lon, p.lat]
}

fn feature<const N: usize>(value: Option<GeometryValue>, facts: [(&str, Value); N]) -> Feature {
    Feature {
        geometry: value.map(Geometry::new),
        properties: Some(facts.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ..Feature::default()
    }
}
