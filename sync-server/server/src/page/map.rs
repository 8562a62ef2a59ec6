//! Grids and their boundaries.

use gridwalk_domain::GridId;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

use super::answers::Grid;
use super::look::{Answer, text};
use crate::error::{Error, Fault};
use crate::http::Request;
use crate::rights::Viewer;
use crate::service::Service;

#[derive(Serialize)]
struct Grids {
    grids: Vec<Grid>,
}

/// GeoJSON (RFC 7946).
#[derive(Serialize)]
struct Collection {
    r#type: &'static str,
    features: Vec<Feature>,
}

#[derive(Serialize)]
struct Feature {
    r#type: &'static str,
    id: GridId,
    properties: Grid,
    geometry: Option<Geometry>,
}

#[derive(Serialize)]
struct Geometry {
    r#type: &'static str,
    coordinates: Box<RawValue>,
}

impl Service {
    pub(super) fn grids(&self, viewer: &Viewer, request: &Request) -> Result<Answer, Error> {
        let top = viewer.user.grid;
        self.tagged(viewer, request, top, "grids", || {
            self.seen(viewer, |sight| {
                let rows = sight.grids_below(top)?.into_iter();
                let open = rows.filter(|row| row.closed_ms.is_none());
                text(&Grids {
                    grids: open.map(|row| Grid::new(row, top)).collect(),
                })
            })
        })
    }

    pub(super) fn map(
        &self,
        viewer: &Viewer,
        request: &Request,
        id: &str,
    ) -> Result<Answer, Error> {
        let grid: GridId = id.parse().map_err(|_| Fault::not_found())?;
        self.seen(viewer, |sight| sight.area(grid).map(drop))?;
        self.tagged(viewer, request, grid, "map", || {
            self.collection(viewer, grid)
        })
    }

    fn collection(&self, viewer: &Viewer, grid: GridId) -> Result<Vec<u8>, Error> {
        self.seen(viewer, |sight| {
            let area = sight.area(grid)?;
            let mut boundaries: HashMap<_, _> = sight.boundaries(&area)?.into_iter().collect();
            let rows = sight.grids_below(grid)?.into_iter();
            let open = rows.filter(|row| row.closed_ms.is_none());
            let features = open.map(|row| {
                let boundary = boundaries.remove(&row.id).map(RawValue::from_string);
                let boundary = boundary.transpose().map_err(|why| {
                    gridwalk_store::StoreError::Damaged(format!("a boundary: {why}"))
                })?;
                Ok(Feature {
                    r#type: "Feature",
                    id: row.id,
                    properties: Grid::new(row, viewer.user.grid),
                    // A boundary is kept in the shape of a MultiPolygon.
                    geometry: boundary.map(|coordinates| Geometry {
                        r#type: "MultiPolygon",
                        coordinates,
                    }),
                })
            });
            let features = features.collect::<Result<_, Error>>()?;
            text(&Collection {
                r#type: "FeatureCollection",
                features,
            })
        })
    }

    /// Answers that nothing changed where nothing did.
    fn tagged(
        &self,
        viewer: &Viewer,
        request: &Request,
        grid: GridId,
        what: &str,
        json: impl FnOnce() -> Result<Vec<u8>, Error>,
    ) -> Result<Answer, Error> {
        let (version, user) = (viewer.tenant.grids_version, viewer.user.grid);
        let tag = format!("\"{what}-{version}-{grid}-{user}\"");
        // A proxy that compressed the answer may have made the tag a weak one.
        let theirs = request.header("if-none-match").unwrap_or_default();
        if theirs.trim_start_matches("W/") == tag {
            return Ok(Answer::Tagged { tag, json: None });
        }
        Ok(Answer::Tagged {
            tag,
            json: Some(json()?),
        })
    }
}
