//! The track points of a GPX file.
//!
//! Read event by event instead of into a whole document: a patrol needs a
//! handful of elements, other programs' extensions are passed over whatever
//! they hold, and an error knows its line.

use chrono::{DateTime, NaiveDateTime};
use gridwalk_domain::{Fix, Position};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::LocalName;
use quick_xml::{Reader, XmlVersion};

use super::{Problem, ReadError, shown};

const MEND: &str = "correct the file or export it again with times";
const FETCH: &str = "get the file again from where it was made";

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Fix>, ReadError> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(ReadError {
            line: 1,
            problem: Problem::NotText,
            advice: FETCH,
        });
    };
    let mut reader = Reader::from_str(text);
    let mut points = Points::default();
    loop {
        let step = match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(event) => points.event(&event),
            Err(error) => Err(Problem::BadXml(shown(&error.to_string()))),
        };
        step.map_err(|problem| {
            let at = reader.error_position().max(reader.buffer_position());
            ReadError {
                line: line_of(text, at),
                problem,
                advice: MEND,
            }
        })?;
    }
    let line = line_of(text, text.len() as u64);
    if points.depth > 0 {
        return Err(ReadError {
            line,
            problem: Problem::CutShort,
            advice: FETCH,
        });
    }
    if !points.is_gpx {
        let problem = Problem::NotATrack;
        return Err(ReadError {
            line: 1,
            problem,
            advice: "give a GPX or a CSV file",
        });
    }
    if points.fixes.is_empty() {
        return Err(ReadError {
            line,
            problem: Problem::Empty,
            advice: MEND,
        });
    }
    Ok(points.fixes)
}

fn line_of(text: &str, at: u64) -> u64 {
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
    1 + text.as_bytes()[..at]
        .iter()
        .filter(|b| **b == b'\n')
        .count() as u64
}

/// The fixes so far and the one that is being read.
#[derive(Default)]
struct Points {
    is_gpx: bool,
    /// Elements that are open.
    depth: usize,
    fixes: Vec<Fix>,
    point: Option<Point>,
    /// The field whose text comes next.
    field: Option<Field>,
    text: String,
}

#[derive(Default)]
struct Point {
    /// Where it was opened.
    depth: usize,
    lat: f64,
    lon: f64,
    time_ms: Option<i64>,
    altitude_m: Option<f32>,
    accuracy_m: Option<f32>,
    speed_mps: Option<f32>,
    bearing_deg: Option<f32>,
    mocked: bool,
}

#[derive(Clone, Copy)]
enum Field {
    Time,
    Altitude,
    Accuracy,
    Speed,
    Bearing,
    Mocked,
}

impl Field {
    /// By the element's name without its prefix: GPX 1.0 has speed and course
    /// of its own, for 1.1 there are several extensions with the same names,
    /// at any depth. Time and altitude count only where GPX itself has them.
    fn of(name: LocalName<'_>) -> Option<Self> {
        Some(match name.as_ref() {
            "time" => Self::Time,
            "ele" => Self::Altitude,
            "accuracy" => Self::Accuracy,
            "speed" => Self::Speed,
            "course" | "bearing" => Self::Bearing,
            "mocked" => Self::Mocked,
            _ => return None,
        })
    }
}

impl Points {
    fn event(&mut self, event: &Event<'_>) -> Result<(), Problem> {
        match event {
            Event::Start(element) => {
                self.depth += 1;
                self.open(element)
            }
            Event::Empty(element) => {
                self.depth += 1;
                self.open(element)?;
                self.close()
            }
            Event::End(_) => self.close(),
            Event::Text(text) if self.field.is_some() => {
                self.text.push_str(text);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), Problem> {
        let name = element.local_name();
        if self.depth == 1 {
            self.is_gpx = name.as_ref() == "gpx";
        } else if self.is_gpx && name.as_ref() == "trkpt" {
            self.point = Some(Point {
                depth: self.depth,
                lat: degrees(element, "lat")?,
                lon: degrees(element, "lon")?,
                ..Point::default()
            });
        } else if let Some(point) = &self.point {
            let own = self.depth == point.depth + 1;
            self.field =
                Field::of(name).filter(|f| own || !matches!(f, Field::Time | Field::Altitude));
            self.text.clear();
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        let depth = self.depth;
        self.depth = self.depth.saturating_sub(1);
        if let (Some(field), Some(point)) = (self.field.take(), &mut self.point) {
            return point.set(field, self.text.trim());
        }
        if let Some(point) = self.point.take_if(|p| p.depth == depth) {
            self.fixes.push(point.fix()?);
        }
        Ok(())
    }
}

impl Point {
    fn set(&mut self, field: Field, text: &str) -> Result<(), Problem> {
        let number = |field| {
            let found = text.parse().map(Some);
            found.map_err(|_| Problem::BadValue {
                field,
                found: shown(text),
                expected: "a number",
            })
        };
        match field {
            Field::Time => self.time_ms = Some(time_ms(text)?),
            Field::Altitude => self.altitude_m = number("ele")?,
            Field::Accuracy => self.accuracy_m = number("accuracy")?,
            Field::Speed => self.speed_mps = number("speed")?,
            Field::Bearing => self.bearing_deg = number("course")?,
            Field::Mocked => self.mocked = matches!(text, "1" | "true"),
        }
        Ok(())
    }

    fn fix(self) -> Result<Fix, Problem> {
        let time_ms = self.time_ms.ok_or(Problem::BadValue {
            field: "time",
            found: "missing".to_owned(),
            expected: "the time of the track point",
        })?;
        Ok(Fix {
            time_ms,
            position: Position {
                lat: self.lat,
                lon: self.lon,
            },
            accuracy_m: self.accuracy_m,
            altitude_m: self.altitude_m,
            speed_mps: self.speed_mps,
            bearing_deg: self.bearing_deg,
            mocked: self.mocked,
        })
    }
}

fn degrees(element: &BytesStart<'_>, field: &'static str) -> Result<f64, Problem> {
    let bad = |found: String| Problem::BadValue {
        field,
        found,
        expected: "a number of degrees",
    };
    let attribute = element
        .try_get_attribute(field)
        .map_err(|e| Problem::BadXml(shown(&e.to_string())))?
        .ok_or_else(|| bad("missing".to_owned()))?;
    let value = attribute
        .normalized_value(XmlVersion::Implicit1_0)
        .map_err(|e| Problem::BadXml(shown(&e.to_string())))?;
    value.trim().parse().map_err(|_| bad(shown(&value)))
}

/// A time as XML writes it; one without an offset is taken as UTC.
fn time_ms(text: &str) -> Result<i64, Problem> {
    let with_offset = DateTime::parse_from_rfc3339(text).map(|t| t.timestamp_millis());
    let time = with_offset.or_else(|_| {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
            .map(|t| t.and_utc().timestamp_millis())
    });
    time.map_err(|_| Problem::BadValue {
        field: "time",
        found: shown(text),
        expected: "a time like 2026-11-21T08:00:00Z",
    })
}

#[cfg(test)]
mod tests {
    use super::super::{any, gpx};
    use super::*;

    fn point(inside: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<gpx version=\"1.1\">\n<trk><trkseg>\n\
             <trkpt lat=\"35.5\" lon=\"118.25\">{inside}</trkpt>\n</trkseg></trk></gpx>\n"
        )
    }

    fn error(text: &str) -> String {
        gpx(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn reads_points_with_what_extensions_say() {
        let text = point(
            "<ele>70.5</ele><time>2026-11-21T08:00:00.250+08:00</time><extensions>\
             <x:TrackPointExtension><x:speed>1.5</x:speed><x:course>90</x:course>\
             <other><time>nonsense</time></other></x:TrackPointExtension>\
             <accuracy>4</accuracy></extensions>",
        );
        let fixes = any(text.as_bytes()).unwrap();
        assert_eq!(fixes.len(), 1);
        let fix = fixes[0];
        assert_eq!(fix.time_ms, 1_795_219_200_250);
        assert_eq!(
            fix.position,
            Position {
                lat: 35.5,
                lon: 118.25
            }
        );
        assert_eq!((fix.altitude_m, fix.accuracy_m), (Some(70.5), Some(4.0)));
        assert_eq!((fix.speed_mps, fix.bearing_deg), (Some(1.5), Some(90.0)));
    }

    #[test]
    fn reads_gpx_1_0_and_leaves_waypoints_and_routes_aside() {
        let text = "<gpx version='1.0' xmlns='http://www.topografix.com/GPX/1/0'>\
            <wpt lat='1' lon='2'><time>2026-01-01T00:00:00Z</time></wpt>\
            <rte><rtept lat='1' lon='2'/></rte><trk><trkseg>\
            <trkpt lat='3' lon='4'><time>2026-01-01T00:00:00Z</time><speed>2</speed><fix>3d</fix></trkpt>\
            </trkseg><trkseg><trkpt lat='5' lon='6'><time>2026-01-01T00:01:00Z</time></trkpt>\
            </trkseg></trk></gpx>";
        let fixes = gpx(text.as_bytes()).unwrap();
        assert_eq!(
            fixes.iter().map(|f| f.position.lat).collect::<Vec<_>>(),
            [3.0, 5.0]
        );
        assert_eq!(fixes[0].speed_mps, Some(2.0));
    }

    #[test]
    fn says_the_line_what_is_wrong_and_what_to_do() {
        assert_eq!(
            error(&point("")),
            "line 4: \"time\" is missing, not the time of the track point; \
             correct the file or export it again with times"
        );
        assert!(
            error(&point("<time>yesterday</time>"))
                .starts_with("line 4: \"time\" is \"yesterday\"")
        );
        assert!(
            error(&point("<time>").replace("</trkpt>", ""))
                .starts_with("line 5: the XML is broken")
        );
        let good = point("<time>2026-01-01T00:00:00Z</time>");
        assert!(error(&good.replace("lat=\"35.5\"", "")).contains("\"lat\" is missing"));
        assert!(error(&good.replace("35.5", "north")).contains("\"lat\" is \"north\""));
        assert!(error(&good.replace("</trk></gpx>", "")).contains("ends in the middle"));
        assert!(error("<gpx></gpx>").contains("no track point"));
        assert!(error("<html></html>").starts_with("line 1: this is neither"));
        assert_eq!(
            gpx(b"<gpx>\xff</gpx>").unwrap_err().problem,
            Problem::NotText
        );
    }
}
