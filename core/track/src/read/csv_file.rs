//! The CSV of a track.

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Trim};
use gridwalk_domain::{Fix, Position};

use super::{Problem, ReadError, shown};

const HEADER: &str = "the first line must be t_ms,lat,lon,alt,acc,speed,bearing";
const MEND: &str = "correct the line or leave it out, and read the file again";
const FETCH: &str = "get the file again from where it was made";

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Fix>, ReadError> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
    let columns = Columns::of(reader.headers().map_err(broken)?)?;
    let mut fixes = Vec::new();
    let mut record = StringRecord::new();
    while next(&mut reader, &mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        let fix = columns.fix(&record);
        fixes.push(fix.map_err(|problem| ReadError {
            line,
            problem,
            advice: MEND,
        })?);
    }
    if fixes.is_empty() {
        let line = reader.position().line();
        return Err(ReadError {
            line,
            problem: Problem::Empty,
            advice: FETCH,
        });
    }
    Ok(fixes)
}

fn next(reader: &mut Reader<&[u8]>, record: &mut StringRecord) -> Result<bool, ReadError> {
    reader.read_record(record).map_err(broken)
}

fn broken(error: csv::Error) -> ReadError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => ReadError {
            line,
            problem: Problem::WrongFields {
                expected: expected_len,
                found: len,
            },
            advice: MEND,
        },
        ErrorKind::Utf8 { .. } => ReadError {
            line,
            problem: Problem::NotText,
            advice: FETCH,
        },
        _ => ReadError {
            line,
            problem: Problem::CutShort,
            advice: FETCH,
        },
    }
}

/// Where the columns stand.
struct Columns {
    time: usize,
    lat: usize,
    lon: usize,
    altitude: Option<usize>,
    accuracy: Option<usize>,
    speed: Option<usize>,
    bearing: Option<usize>,
    mocked: Option<usize>,
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, ReadError> {
        let find = |name: &str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
        let Some(time) = find("t_ms") else {
            return Err(ReadError {
                line: 1,
                problem: Problem::NotATrack,
                advice: HEADER,
            });
        };
        let needed = |name: &'static str| {
            let problem = Problem::MissingColumn(name);
            find(name).ok_or(ReadError {
                line: 1,
                problem,
                advice: HEADER,
            })
        };
        Ok(Self {
            time,
            lat: needed("lat")?,
            lon: needed("lon")?,
            altitude: find("alt"),
            accuracy: find("acc"),
            speed: find("speed"),
            bearing: find("bearing"),
            mocked: find("mocked"),
        })
    }

    fn fix(&self, record: &StringRecord) -> Result<Fix, Problem> {
        let text = |at: usize| record.get(at).unwrap_or_default();
        let degrees = |field, at| {
            let found = text(at);
            found
                .parse::<f64>()
                .map_err(|_| bad(field, found, "a number of degrees"))
        };
        let maybe = |field, at: Option<usize>| {
            let Some(found) = at.map(text).filter(|t| !t.is_empty()) else {
                return Ok(None);
            };
            found
                .parse::<f32>()
                .map(Some)
                .map_err(|_| bad(field, found, "a number or empty"))
        };
        let time = text(self.time);
        let time_ms = time.parse();
        let time_ms = time_ms.map_err(|_| bad("t_ms", time, "whole milliseconds since 1970"))?;
        let mocked = match self.mocked.map(text) {
            None | Some("" | "0" | "false") => false,
            Some("1" | "true") => true,
            Some(found) => return Err(bad("mocked", found, "1 or 0")),
        };
        Ok(Fix {
            time_ms,
            position: Position {
                lat: degrees("lat", self.lat)?,
                lon: degrees("lon", self.lon)?,
            },
            accuracy_m: maybe("acc", self.accuracy)?,
            altitude_m: maybe("alt", self.altitude)?,
            speed_mps: maybe("speed", self.speed)?,
            bearing_deg: maybe("bearing", self.bearing)?,
            mocked,
        })
    }
}

fn bad(field: &'static str, found: &str, expected: &'static str) -> Problem {
    Problem::BadValue {
        field,
        found: shown(found),
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::super::csv;
    use super::*;

    const HEAD: &str = "t_ms,lat,lon,alt,acc,speed,bearing\n";

    fn error(text: &str) -> String {
        csv(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn reads_what_is_known_and_leaves_the_rest_unknown() {
        let text =
            format!("\u{feff}{HEAD}1000,35.1,118.2,,5.5,,\r\n\r\n2000,35.2,118.3,70,,1.2,90\n");
        let fixes = csv(text.as_bytes()).unwrap();
        assert_eq!(fixes.len(), 2);
        assert_eq!(fixes[0].time_ms, 1000);
        assert_eq!(
            (fixes[0].accuracy_m, fixes[0].altitude_m),
            (Some(5.5), None)
        );
        assert_eq!(
            (fixes[1].speed_mps, fixes[1].bearing_deg),
            (Some(1.2), Some(90.0))
        );
    }

    #[test]
    fn reads_columns_by_name() {
        let fixes = csv(b"mocked,lon,lat,t_ms,note\n1,118.0,35.0,7,x\n").unwrap();
        assert_eq!((fixes[0].time_ms, fixes[0].mocked), (7, true));
        assert_eq!(
            fixes[0].position,
            Position {
                lat: 35.0,
                lon: 118.0
            }
        );
    }

    #[test]
    fn senseless_numbers_are_for_the_filter() {
        let text = format!("{HEAD}1,NaN,200,,,,\n");
        assert!(csv(text.as_bytes()).unwrap()[0].position.lat.is_nan());
    }

    #[test]
    fn says_the_line_what_is_wrong_and_what_to_do() {
        assert_eq!(
            error(&format!("{HEAD}1000,35,118,,,,\n2000,north,118,,,,\n")),
            "line 3: \"lat\" is \"north\", not a number of degrees; \
             correct the line or leave it out, and read the file again"
        );
        assert!(
            error(&format!("{HEAD}1.5,35,118,,,,\n")).starts_with("line 2: \"t_ms\" is \"1.5\"")
        );
        assert!(
            error(&format!("{HEAD}1,35,118,,\n"))
                .starts_with("line 2: 5 fields where the header has 7")
        );
        assert!(error(&format!("{HEAD}1,35,118,,x,,\n")).contains("\"acc\" is \"x\""));
        assert!(error(&format!("{HEAD}1,,118,,,,\n")).contains("\"lat\" is empty"));
        assert!(error("t_ms,lat\n1,2\n").contains("the column \"lon\" is missing"));
        assert!(error("hello\n").starts_with("line 1: this is neither"));
        assert!(error(HEAD).contains("no track point"));
        assert!(error("").starts_with("line 1: this is neither"));
        let not_text = csv(b"t_ms,lat,lon\n1,\xff,2\n").unwrap_err();
        assert_eq!((not_text.line, not_text.problem), (2, Problem::NotText));
    }
}
