//! A trace in whole numbers: what every codec is given, and must give back.

use gridwalk_domain::Fix;

/// Fixes as columns: seconds, millionths of a degree, metres, decimetres a
/// second. A column that is not measured is empty; −1 is an unknown value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) time: Vec<i64>,
    pub(super) lat: Vec<i64>,
    pub(super) lon: Vec<i64>,
    pub(super) accuracy: Vec<i64>,
    pub(super) speed: Vec<i64>,
}

/// Which columns are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fields {
    Position,
    Accuracy,
    Speed,
}

impl Columns {
    /// Of quantised fixes whose times are whole seconds.
    pub(super) fn of(fixes: &[Fix], fields: Fields) -> Self {
        let column = |of: &dyn Fn(&Fix) -> f64| fixes.iter().map(|f| whole(of(f))).collect();
        let if_measured = |from: Fields, of: &dyn Fn(&Fix) -> f64| {
            if fields as u8 >= from as u8 {
                column(of)
            } else {
                Vec::new()
            }
        };
        Self {
            time: fixes.iter().map(|f| f.time_ms / 1000).collect(),
            lat: column(&|f| f.position.lat * 1e6),
            lon: column(&|f| f.position.lon * 1e6),
            accuracy: if_measured(Fields::Accuracy, &|f| f.accuracy_m.map_or(-1.0, f64::from)),
            speed: if_measured(Fields::Speed, &|f| {
                f.speed_mps.map_or(-1.0, |s| f64::from(s) * 10.0)
            }),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.time.len()
    }

    /// Those that are measured, in order.
    pub(super) fn measured(&self) -> impl Iterator<Item = &Vec<i64>> {
        [
            &self.time,
            &self.lat,
            &self.lon,
            &self.accuracy,
            &self.speed,
        ]
        .into_iter()
        .filter(|column| !column.is_empty())
    }

    /// From columns in the order of [`Columns::measured`].
    pub(super) fn from_measured(columns: Vec<Vec<i64>>) -> Self {
        let mut columns = columns.into_iter();
        let mut next = || columns.next().unwrap_or_default();
        Self {
            time: next(),
            lat: next(),
            lon: next(),
            accuracy: next(),
            speed: next(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "quantised values")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}
