//! Lists of incidents, and searching them.

use gridwalk_engine::domain::Position;
use gridwalk_engine::{Engine, IncidentQuery, Near, Sort};
use std::io::Write;

use crate::args::FindIncidents;
use crate::problem::{Outcome, Problem};
use crate::show;
use crate::text::Texts;

pub(crate) fn list(
    engine: &Engine,
    asked: &FindIncidents,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    let query = query(asked)?;
    let page = engine.find_incidents(&query)?;
    if page.total == 0 {
        writeln!(out, "{}", texts.say("incident.none", &[]))?;
    }
    show::incidents(&page.incidents, texts, out)?;
    if page.total > page.incidents.len() {
        let values = [
            ("from", query.offset + 1),
            ("to", query.offset + page.incidents.len()),
            ("total", page.total),
        ];
        let values = values.map(|(name, number)| (name, number.to_string()));
        writeln!(out, "{}", texts.say("incident.page", &values))?;
    }
    Ok(())
}

fn query(asked: &FindIncidents) -> Outcome<IncidentQuery> {
    let day = asked.day.as_deref().map(|day| {
        day.parse()
            .map_err(|_| Problem::text("problem.bad_day", vec![("day", day.to_owned())]))
    });
    let near = asked.near.as_deref().map(|text| {
        near(text).ok_or_else(|| Problem::text("problem.bad_near", vec![("near", text.to_owned())]))
    });
    let near = near.transpose()?;
    let all = IncidentQuery::default();
    Ok(IncidentQuery {
        status: asked.state.clone(),
        category: asked.category.clone(),
        day: day.transpose()?,
        text: asked.text.clone(),
        near,
        sort: near.map_or(Sort::Newest, |_| Sort::Nearest),
        offset: (asked.page as usize - 1) * all.limit,
        ..all
    })
}

/// `LAT,LON,M`.
fn near(text: &str) -> Option<Near> {
    let numbers: Vec<f64> = text
        .split(',')
        .map(|number| number.trim().parse().ok())
        .collect::<Option<_>>()?;
    let [lat, lon, within_m] = numbers[..] else {
        return None;
    };
    let position = Position { lat, lon };
    Some(Near { position, within_m })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_three_numbers() {
        let read = near("35.1, 118.35,500").expect("a circle");
        assert_eq!(
            (read.position.lat, read.position.lon, read.within_m),
            (35.1, 118.35, 500.0)
        );
        for bad in ["", "35.1,118.35", "35.1,118.35,500,1", "a,b,c"] {
            assert_eq!(near(bad), None, "{bad}");
        }
    }

    #[test]
    fn all_that_is_named_is_asked_for() {
        let asked = FindIncidents {
            state: Some("reported".into()),
            category: Some("hygiene".into()),
            day: Some("2026-11-27".into()),
            text: Some("楼道".into()),
            near: Some("35.1,118.35,500".into()),
            page: 3,
        };
        let Ok(query) = query(&asked) else {
            panic!("it reads");
        };
        assert_eq!(query.status.as_deref(), Some("reported"));
        assert_eq!(query.category.as_deref(), Some("hygiene"));
        assert_eq!(query.day, "2026-11-27".parse().ok());
        assert_eq!(query.text.as_deref(), Some("楼道"));
        assert_eq!((query.offset, query.sort), (100, Sort::Nearest));
        assert_eq!(query.near, near("35.1,118.35,500"));
    }

    #[test]
    fn a_day_or_a_circle_that_is_none_is_refused() {
        let asked = |day: Option<&str>, near: Option<&str>| FindIncidents {
            state: None,
            category: None,
            day: day.map(str::to_owned),
            text: None,
            near: near.map(str::to_owned),
            page: 1,
        };
        assert!(query(&asked(None, None)).is_ok());
        assert!(query(&asked(Some("1970-01-01"), None)).is_err());
        assert!(query(&asked(Some("27.11.2026"), None)).is_err());
        assert!(query(&asked(None, Some("here"))).is_err());
    }
}
