//! `Finding` (巡查结果): for a patrol and a category, that nothing was abnormal
//! or which incident it led to. "Nothing abnormal" is a result that is
//! recorded, not an absence.

use serde_json::Value;
use std::collections::BTreeMap;

use super::Kind;
use crate::EntityId;
use crate::apply::Refusal;
use crate::check;
use crate::entity::Entity;
use crate::rules::{Breach, Case};

/// 正常: nothing abnormal.
pub const NORMAL: &str = "normal";
/// 异常: something was, and an incident says what.
pub const ABNORMAL: &str = "abnormal";

/// The table.
pub const KIND: Kind = Kind {
    name: "finding",
    fields: &[
        ("worker", check::id),
        ("grid", check::id),
        ("patrol", check::id),
        ("catalogue", check::count),
        ("category", check::word),
        ("result", result),
        ("incident", check::id),
        ("note", check::line),
        ("place", check::place),
        ("found_ms", check::time_ms),
    ],
    required: &[
        "worker",
        "grid",
        "patrol",
        "catalogue",
        "category",
        "result",
    ],
    fixed: &["worker", "grid", "patrol", "catalogue", "category"],
    together,
    law,
    ..Kind::RECORD
};

fn result(value: &Value) -> Result<(), String> {
    check::one_of(value, &[NORMAL, ABNORMAL])
}

/// What is abnormal has an incident that says what it is, and nothing else has.
fn together(fields: &BTreeMap<String, Value>) -> Result<(), Refusal> {
    let abnormal = fields.get("result").and_then(Value::as_str) == Some(ABNORMAL);
    let incident = fields.get("incident").is_some_and(|id| !id.is_null());
    let why = match (abnormal, incident) {
        (true, false) => "is required where something is abnormal",
        (false, true) => "means nothing where all is normal",
        _ => return Ok(()),
    };
    Err(Refusal::BadValue {
        field: "incident".to_owned(),
        why: why.to_owned(),
    })
}

/// The category is one of the catalogue's version.
fn law(case: &Case<'_>) -> Result<(), Breach> {
    if case.state.is_some() {
        return Ok(());
    }
    let fields = case.fields();
    let catalogue = case.catalogue()?;
    let value = |name: &str| fields.get(name).copied();
    Ok(catalogue.check_report(value, std::iter::empty())?)
}

/// What a patrol found, by category: the incidents that it led to, none where
/// nothing was abnormal.
pub fn of_patrol<'a>(
    patrol: EntityId,
    findings: impl IntoIterator<Item = &'a Entity>,
) -> BTreeMap<&'a str, Vec<EntityId>> {
    let mut found: BTreeMap<&str, Vec<EntityId>> = BTreeMap::new();
    for finding in findings {
        let of = finding.text("patrol").and_then(|id| id.parse().ok());
        let stands = finding.kind == KIND.name && finding.deleted.is_none();
        if !stands || of != Some(patrol) {
            continue;
        }
        if let Some(category) = finding.text("category") {
            let incident: Option<EntityId> =
                finding.text("incident").and_then(|id| id.parse().ok());
            found.entry(category).or_default().extend(incident);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{T0, entity, id};
    use serde_json::json;

    #[test]
    fn what_is_abnormal_has_an_incident_and_nothing_else_has() {
        let check = |value: Value| {
            let fields: BTreeMap<String, Value> = serde_json::from_value(value).expect("a map");
            KIND.check_required(&fields)
                .map_err(|refusal| refusal.code())
        };
        let base = json!({"worker": id(1), "grid": id(2), "patrol": id(3), "catalogue": 1,
            "category": "hygiene", "result": "normal"});
        let with = |name: &str, value: Value| {
            let mut fields = base.clone();
            fields[name] = value;
            fields
        };
        assert_eq!(check(base.clone()), Ok(()));
        assert_eq!(check(with("incident", json!(id(4)))), Err("bad_value"));
        assert_eq!(check(with("result", json!("abnormal"))), Err("bad_value"));
        let mut abnormal = with("result", json!("abnormal"));
        abnormal["incident"] = json!(id(4));
        assert_eq!(check(abnormal), Ok(()));
    }

    #[test]
    fn nothing_abnormal_is_a_result() {
        let patrol = EntityId::from_bytes([3; 16]);
        let finding = |category: &str, result: &str, incident: Option<u8>| {
            let fields = json!({"worker": id(1), "grid": id(2), "patrol": patrol, "catalogue": 1,
                "category": category, "result": result, "incident": incident.map(id)});
            entity("finding", fields, T0)
        };
        let all = [
            finding("hygiene", "normal", None),
            finding("fire_safety", "abnormal", Some(7)),
            finding("fire_safety", "abnormal", Some(8)),
        ];
        let incident = |n: u8| EntityId::from_bytes([n; 16]);
        let expected = BTreeMap::from([
            ("fire_safety", vec![incident(7), incident(8)]),
            ("hygiene", vec![]),
        ]);
        assert_eq!(of_patrol(patrol, &all), expected);
        assert!(
            of_patrol(incident(9), &all).is_empty(),
            "another patrol found nothing out"
        );
    }
}
