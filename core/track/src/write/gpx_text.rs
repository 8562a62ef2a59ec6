//! GPX 1.1.

use std::fmt::Write as _;

use gridwalk_domain::Fix;
use quick_xml::escape::escape;

use super::{Labels, time};
use crate::route::Route;

const HEAD: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<gpx version=\"1.1\" creator=\"Gridwalk\" xmlns=\"http://www.topografix.com/GPX/1/1\" ",
    "xmlns:gridwalk=\"urn:gridwalk:track:1\">\n",
);

// Writing to a String cannot fail: the results are passed over.
pub(super) fn write(route: &Route, labels: &Labels) -> String {
    let mut out = String::from(HEAD);
    let _ = writeln!(out, "<trk>\n<name>{}</name>", text(&labels.name));
    if let Some(description) = &labels.description {
        let _ = writeln!(out, "<desc>{}</desc>", text(description));
    }
    for segment in &route.segments {
        out.push_str("<trkseg>\n");
        for fix in segment {
            point(&mut out, fix);
        }
        out.push_str("</trkseg>\n");
    }
    out.push_str("</trk>\n</gpx>\n");
    out
}

fn point(out: &mut String, fix: &Fix) {
    let _ = write!(
        out,
        "<trkpt lat=\"{}\" lon=\"{}\">",
        fix.position.lat, fix.position.lon
    );
    if let Some(altitude) = fix.altitude_m {
        let _ = write!(out, "<ele>{altitude}</ele>");
    }
    if let Some(time) = time(fix.time_ms) {
        let _ = write!(out, "<time>{time}</time>");
    }
    let known = [
        ("accuracy", fix.accuracy_m),
        ("speed", fix.speed_mps),
        ("course", fix.bearing_deg),
    ];
    if known.iter().any(|(_, value)| value.is_some()) {
        out.push_str("<extensions>");
        for (name, value) in known {
            if let Some(value) = value {
                let _ = write!(out, "<gridwalk:{name}>{value}</gridwalk:{name}>");
            }
        }
        out.push_str("</extensions>");
    }
    out.push_str("</trkpt>\n");
}

/// Text that XML allows: escaped, and without the control characters that it
/// cannot hold at all.
fn text(value: &str) -> String {
    let allowed: String = value
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    escape(allowed).into_owned()
}

#[cfg(test)]
mod tests {
    use gridwalk_domain::Position;

    use super::super::*;
    use crate::read;
    use crate::route::Route;

    fn fix(second: i64) -> Fix {
        Fix {
            time_ms: 1_795_219_200_000 + second * 1000,
            position: Position {
                lat: 35.05,
                lon: 118.33 + 0.000_01 * second as f64,
            },
            accuracy_m: Some(4.0),
            altitude_m: None,
            speed_mps: Some(1.2),
            bearing_deg: None,
            mocked: false,
        }
    }

    fn route() -> Route {
        let fixes: Vec<Fix> = (0..30).chain(300..330).map(fix).collect();
        Route::of(&fixes)
    }

    fn labels() -> Labels {
        Labels {
            name: "巡查 <1> & \u{1}more".to_owned(),
            description: Some("网格".to_owned()),
        }
    }

    #[test]
    fn what_is_written_can_be_read_and_a_gap_is_no_line() {
        let route = route();
        assert_eq!(route.segments.len(), 2);
        let text = gpx(&route, &labels());
        assert_eq!(text.matches("<trkseg>").count(), 2);
        assert!(
            text.contains("巡查 &lt;1&gt; &amp; more"),
            "{}",
            &text[..400]
        );
        let back = read::any(text.as_bytes()).unwrap();
        assert_eq!(back, route.fixes_used().copied().collect::<Vec<_>>());
    }

    #[test]
    fn csv_goes_there_and_back() {
        let route = route();
        let fixes: Vec<Fix> = route.fixes_used().copied().collect();
        assert_eq!(read::csv(csv(&fixes).as_bytes()).unwrap(), fixes);
        let mut odd = StoredFix::used(fix(1));
        odd.fix.mocked = true;
        odd.refused = Some(crate::Refusal::Mocked);
        let text = csv_stored(&[odd]);
        assert!(text.ends_with(",1,mocked\n"), "{text}");
        assert_eq!(read::csv(text.as_bytes()).unwrap(), [odd.fix]);
    }

    #[test]
    fn geojson_has_lines_for_segments_and_no_geometry_for_gaps() {
        let text = geojson(&route(), &labels());
        let parsed: geojson::FeatureCollection = text
            .parse::<geojson::GeoJson>()
            .unwrap()
            .try_into()
            .unwrap();
        let kind = |f: &geojson::Feature| f.property("kind").unwrap().as_str().unwrap().to_owned();
        let kinds: Vec<String> = parsed.features.iter().map(kind).collect();
        assert_eq!(kinds, ["segment", "gap", "segment"]);
        assert!(parsed.features[1].geometry.is_none());
        assert_eq!(parsed.features[1].property("cause").unwrap(), "unknown");
    }
}
