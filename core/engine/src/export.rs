//! Files that other programs read.

use gridwalk_domain::kind;
use gridwalk_track::StoredFix;
use gridwalk_track::route::Route;
use gridwalk_track::write::{self, Labels};

/// A format of exported tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// GPX 1.1: a track segment for each stretch that was walked.
    Gpx,
    /// GeoJSON (RFC 7946): a line for each stretch, with gaps and stops.
    GeoJson,
    /// All fixes, the refused ones with the reason.
    Csv,
}

pub(crate) fn text(
    format: Format,
    runs: &[Vec<StoredFix>],
    route: &Route,
    patrol: &gridwalk_domain::Entity,
) -> String {
    let labels = Labels {
        name: format!("{} {}", kind::patrol::KIND.name, patrol.id),
        description: None,
    };
    match format {
        Format::Gpx => write::gpx(route, &labels),
        Format::GeoJson => write::geojson(route, &labels),
        Format::Csv => write::csv_stored(&runs.concat()),
    }
}
