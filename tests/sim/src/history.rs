//! What a violation looks like to people: the seed, what does not hold, and the
//! history of the records concerned.

use gridwalk_domain::{EntityId, Intent};
use std::fmt::Write as _;

use crate::invariants::Violation;
use crate::world::World;

/// Lines of a trace that are shown at most.
const LINES: usize = 200;

/// The whole report of a violation.
#[must_use]
pub fn report(world: &World, violation: &Violation) -> String {
    let mut out = format!(
        "\nseed {}: it does not hold that {}\n  {}\n",
        world.seed, violation.invariant, violation.text
    );
    for record in &violation.records {
        // Writing to a string does not fail.
        let _ = of_record(&mut out, world, *record);
    }
    let mut names: Vec<String> = violation
        .records
        .iter()
        .map(|id| World::short(*id))
        .collect();
    for record in &violation.records {
        let about = world.ledger.about(*record).into_iter();
        names.extend(about.map(|token| token.to_string()));
    }
    // Without a record, what the phones concerned did last.
    let phones: Vec<&str> = violation
        .text
        .split([' ', ':'])
        .filter(|word| is_phone(word))
        .collect();
    let concerned = |line: &String| {
        let line = line.as_str();
        names.iter().any(|name| line.contains(name.as_str()))
            || phones
                .iter()
                .any(|phone| line.contains(&format!(" {phone} ")))
            || line.contains(" server")
            || line.contains("VIOLATION")
    };
    let lines: Vec<String> = world
        .trace
        .lines()
        .rev()
        .filter(concerned)
        .take(LINES)
        .collect();
    out += "  what happened (the last of it):\n";
    for line in lines.iter().rev() {
        let _ = writeln!(out, "    {line}");
    }
    out
}

fn is_phone(word: &str) -> bool {
    let digits = word.strip_prefix('p').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn of_record(out: &mut String, world: &World, record: EntityId) -> std::fmt::Result {
    writeln!(out, "  record {record}")?;
    for token in world.ledger.about(record) {
        if let Some(fact) = world.ledger.fact(token) {
            let (what, saved) = (fact.what, fact.saved);
            let place = fact
                .phone
                .map_or("the page".to_owned(), |no| format!("p{no}"));
            writeln!(out, "    {token} {what} on {place}, saved: {saved:?}")?;
        }
    }
    let ops = world.ops.values().filter(|seen| seen.body.entity == record);
    for seen in ops {
        let body = &seen.body;
        writeln!(out, "    op {} sent by {:?}", body.id, seen.phones)?;
        writeln!(out, "      {}, after {:?}", shown(&body.intent), body.prev)?;
        for worker in &world.district.workers {
            let known = world.server.read(|tx| tx.ops(worker.tenant, &[body.id]));
            if let Some(op) = known.unwrap_or_default().first() {
                writeln!(out, "      on the server: {:?}", op.outcome)?;
                break;
            }
        }
    }
    for worker in &world.district.workers {
        let rows = world
            .server
            .read(|tx| tx.entities(worker.tenant, &[record]));
        if let Some(row) = rows.unwrap_or_default().first() {
            writeln!(
                out,
                "    on the server, revision {}, in {}:",
                row.rev, row.home
            )?;
            writeln!(out, "      {}", row.state.as_deref().unwrap_or("purged"))?;
            break;
        }
    }
    for phone in &world.phones {
        let Ok(found) = crate::examine::Examined::of(&phone.disk) else {
            continue;
        };
        if let Some(base) = found.base.get(&record) {
            writeln!(out, "    on p{}, revision {}", phone.no, base.rev)?;
        }
        let mut own = found.ops.iter().filter(|op| op.entity == record).peekable();
        for account in found.accounts.iter().filter(|_| own.peek().is_some()) {
            writeln!(out, "    on p{}, account {account}", phone.no)?;
        }
        for op in own {
            writeln!(
                out,
                "    in p{}'s outbox: {} {} {:?}",
                phone.no, op.id, op.state, op.code
            )?;
        }
    }
    Ok(())
}

/// An intent on one line.
fn shown(intent: &Intent) -> String {
    serde_json::to_string(intent).unwrap_or_default()
}
