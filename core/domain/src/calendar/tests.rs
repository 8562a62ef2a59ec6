//! Working time against cases computed by hand, and as properties.

use super::*;
use proptest::prelude::*;

/// Milliseconds of a wall clock in China: `2026-02-28 17:30`.
fn at(text: &str) -> i64 {
    let (date, time) = text.split_once(' ').expect("a date and a time");
    let (hours, minutes) = time.split_once(':').expect("a time");
    let minute: i64 =
        hours.parse::<i64>().expect("hours") * 60 + minutes.parse::<i64>().expect("minutes");
    let date: Date = date.parse().expect("a date");
    date.day() * DAY_MS + minute * MINUTE_MS - 8 * HOUR_MS
}

fn due(start: &str, limit: &str) -> i64 {
    Calendar::shipped().due(at(start), limit.parse().expect("a limit"))
}

#[test]
fn limits_by_hand() {
    // 2026-03-02 is a Monday. Work is 08:30–12:00 and 13:30–18:00.
    let cases = [
        (
            "within a stretch",
            "2026-03-02 09:00",
            "2wh",
            "2026-03-02 11:00",
        ),
        ("over noon", "2026-03-02 11:00", "2wh", "2026-03-02 14:30"),
        (
            "to the very end of a stretch",
            "2026-03-02 10:00",
            "2wh",
            "2026-03-02 12:00",
        ),
        (
            "to the very end of a day",
            "2026-03-02 16:00",
            "2wh",
            "2026-03-02 18:00",
        ),
        ("over night", "2026-03-02 17:00", "2wh", "2026-03-03 09:30"),
        (
            "begun before work",
            "2026-03-02 06:00",
            "1wh",
            "2026-03-02 09:30",
        ),
        (
            "begun at noon",
            "2026-03-02 12:30",
            "1wh",
            "2026-03-02 14:30",
        ),
        (
            "begun when work begins",
            "2026-03-02 08:30",
            "1wh",
            "2026-03-02 09:30",
        ),
        (
            "begun when work ends",
            "2026-03-02 18:00",
            "1wh",
            "2026-03-03 09:30",
        ),
        (
            "begun at midnight",
            "2026-03-03 00:00",
            "1wh",
            "2026-03-03 09:30",
        ),
        (
            "begun before midnight",
            "2026-03-02 23:59",
            "1wh",
            "2026-03-03 09:30",
        ),
        (
            "over a weekend",
            "2026-03-06 17:30",
            "1wh",
            "2026-03-09 09:00",
        ),
        (
            "begun on a Saturday",
            "2026-03-07 10:00",
            "1wh",
            "2026-03-09 09:30",
        ),
        (
            "begun on a Sunday night",
            "2026-03-08 23:00",
            "1wd",
            "2026-03-09 18:00",
        ),
        ("one day", "2026-03-02 10:00", "1wd", "2026-03-03 10:00"),
        ("a whole day", "2026-03-02 08:30", "1wd", "2026-03-02 18:00"),
        (
            "several days over a weekend",
            "2026-03-05 10:00",
            "3wd",
            "2026-03-10 10:00",
        ),
        (
            "over a holiday of three days",
            "2026-04-03 17:00",
            "2wh",
            "2026-04-07 09:30",
        ),
        (
            "begun in a holiday",
            "2026-10-03 09:00",
            "1wd",
            "2026-10-08 18:00",
        ),
        (
            "a make-up Saturday is worked",
            "2026-02-27 17:00",
            "2wh",
            "2026-02-28 09:30",
        ),
        (
            "a make-up Sunday is worked",
            "2026-01-03 12:00",
            "1wh",
            "2026-01-04 09:30",
        ),
        (
            "after the make-up day comes a Sunday off",
            "2026-02-28 17:30",
            "1wh",
            "2026-03-02 09:00",
        ),
        // 14 Feb is worked, 15 to 23 are off.
        (
            "over the Spring Festival",
            "2026-02-14 10:00",
            "1wd",
            "2026-02-24 10:00",
        ),
        // 28 Sep to 30 Sep, off, 8 to 10 Oct (a made-up Saturday).
        (
            "six days over National Day",
            "2026-09-28 08:30",
            "6wd",
            "2026-10-10 18:00",
        ),
        (
            "by the clock at night",
            "2026-03-02 22:00",
            "2h",
            "2026-03-03 00:00",
        ),
        (
            "by the clock in a holiday",
            "2026-10-03 09:00",
            "24h",
            "2026-10-04 09:00",
        ),
    ];
    for (what, start, limit, expected) in cases {
        assert_eq!(due(start, limit), at(expected), "{what}");
    }
}

#[test]
fn working_time_by_hand() {
    let calendar = Calendar::shipped();
    let cases = [
        ("nothing", "2026-03-02 09:00", "2026-03-02 09:00", 0),
        ("backwards", "2026-03-02 11:00", "2026-03-02 09:00", 0),
        ("over noon", "2026-03-02 11:00", "2026-03-02 14:00", 90),
        ("a night", "2026-03-02 18:00", "2026-03-03 08:30", 0),
        ("a week", "2026-03-02 00:00", "2026-03-09 00:00", 5 * 480),
        (
            "the week before Spring Festival",
            "2026-02-09 00:00",
            "2026-02-16 00:00",
            6 * 480,
        ),
        (
            "the Spring Festival",
            "2026-02-15 00:00",
            "2026-02-24 00:00",
            0,
        ),
    ];
    for (what, from, to, minutes) in cases {
        assert_eq!(
            calendar.working_ms(at(from), at(to)),
            minutes * MINUTE_MS,
            "{what}"
        );
    }
    // The working days of 2026: 365 days, 104 of them at weekends; 33 days off
    // by the notice, 14 of them at weekends; 6 made up. 365 − 104 − 19 + 6.
    let year = calendar.working_ms(at("2026-01-01 00:00"), at("2027-01-01 00:00"));
    assert_eq!(year, 248 * 480 * MINUTE_MS);
}

#[test]
fn work_goes_on_from_its_first_minute_to_before_its_last() {
    let calendar = Calendar::shipped();
    for (time, works) in [
        ("2026-03-02 08:29", false),
        ("2026-03-02 08:30", true),
        ("2026-03-02 11:59", true),
        ("2026-03-02 12:00", false),
        ("2026-02-28 10:00", true),
        ("2026-05-01 10:00", false),
    ] {
        assert_eq!(calendar.is_working(at(time)), works, "{time}");
    }
}

#[test]
fn what_is_not_known_is_said_and_taken_for_ordinary() {
    let calendar = Calendar::shipped();
    assert!(calendar.is_known(at("2026-12-31 23:59")));
    assert!(!calendar.is_known(at("2027-01-01 00:00")));
    assert!(calendar.is_working(at("2027-01-01 10:00")), "a Friday");
}

#[test]
fn times_that_no_clock_means_come_to_an_end() {
    let calendar = Calendar::shipped();
    for wild in [i64::MIN, -1, 0, i64::MAX] {
        for limit in ["366wd", "1wh", "24h"] {
            let due = calendar.due(wild, limit.parse().expect("a limit"));
            assert!(due >= wild.clamp(FIRST_MS, LAST_MS));
        }
    }
    assert!(calendar.working_ms(i64::MIN, i64::MAX) > 0);
    // A calendar that came without import's check, in which nobody ever works.
    let mut idle = calendar;
    for day in [
        &mut idle.week.mon,
        &mut idle.week.tue,
        &mut idle.week.wed,
        &mut idle.week.thu,
        &mut idle.week.fri,
    ] {
        day.clear();
    }
    assert_eq!(idle.due(0, Limit::WorkingHours(1)), LAST_MS);
}

#[test]
fn a_bad_calendar_is_refused_with_its_line() {
    let good = include_str!("../resources/calendar.json");
    let line = |part: &str| good.lines().position(|l| l.contains(part)).expect("a line") + 1;
    let cases = [
        ("version", r#""version": 1"#, r#""version": 0"#),
        (
            "utc_offset_min",
            r#""utc_offset_min": 480"#,
            r#""utc_offset_min": 4800"#,
        ),
        ("day_min", r#""day_min": 480"#, r#""day_min": 0"#),
        ("day_min", r#""day_min": 480"#, r#""day_min": 2401"#),
        (
            "week.mon[1]",
            r#""mon": ["08:30-12:00", "13:30"#,
            r#""mon": ["08:30-12:00", "11:30"#,
        ),
        (
            "days[0].to",
            r#""to": "2026-01-03""#,
            r#""to": "2025-12-31""#,
        ),
        (
            "days[1].from",
            r#""from": "2026-01-04""#,
            r#""from": "2026-01-03""#,
        ),
        (
            "days[1].works_as",
            r#""from": "2026-01-04", "works_as": "fri""#,
            r#""from": "2026-01-04", "works_as": "sun""#,
        ),
        (
            "days[12]",
            r#""from": "2026-10-10""#,
            r#""from": "2027-10-10""#,
        ),
        ("days[0].name.zh", r#""zh": "元旦","#, r#""zh": " ","#),
        (
            "the whole",
            r#""from": "2026-02-28""#,
            r#""from": "2026-02-30""#,
        ),
        (
            "the whole",
            r#""to": "2026-02-23""#,
            r#""to": "1970-01-01""#,
        ),
        (
            "the whole",
            r#""works_as": "fri", "name": { "zh": "劳动节调休上班""#,
            r#""works_as": "someday", "name": { "zh": "劳动节调休上班""#,
        ),
        (
            "days[8].reason",
            r#""name": { "zh": "端午节""#,
            r#""reason": 1, "name": { "zh": "端午节""#,
        ),
    ];
    for (path, from, to) in cases {
        assert_eq!(good.matches(from).count(), 1, "{from}");
        let bad = Calendar::parse(&good.replace(from, to)).expect_err(to);
        assert_eq!((bad.line, bad.at.as_str()), (line(from), path), "{bad}");
    }
}

/// Any calendar that passes: a few stretches a day, a few odd days.
fn calendars() -> impl Strategy<Value = Calendar> {
    let day = proptest::collection::btree_set(0_u16..=1440, 0..5).prop_map(|minutes| {
        let minutes: Vec<u16> = minutes.into_iter().collect();
        let pairs = minutes.chunks_exact(2);
        pairs
            .map(|pair| Span {
                from: pair[0],
                to: pair[1],
            })
            .collect::<Vec<Span>>()
    });
    let week = proptest::collection::vec(day, 6);
    let odd = proptest::collection::btree_map(1_u32..300, (0_u32..4, any::<bool>()), 0..6);
    (week, odd, -720_i32..=840, 1_u32..480).prop_map(|(week, odd, utc_offset_min, day_min)| {
        let mut days: Vec<SpecialDays> = vec![];
        let date = |n: u32| Date::from_number(i64::from(n));
        for (start, (length, works)) in odd {
            if days
                .last()
                .is_some_and(|before| date(start) <= before.last())
            {
                continue;
            }
            days.push(SpecialDays {
                from: date(start),
                to: Some(date(start + length)),
                works_as: works.then_some(Weekday::Mon),
                name: Text {
                    zh: "日".into(),
                    en: "day".into(),
                },
            });
        }
        let mut week = week.into_iter();
        let mut next = || week.next().unwrap_or_default();
        Calendar {
            version: 1,
            note: None,
            utc_offset_min,
            day_min,
            known_until: date(400),
            week: Week {
                mon: vec![Span { from: 480, to: 960 }],
                tue: next(),
                wed: next(),
                thu: next(),
                fri: next(),
                sat: next(),
                sun: next(),
            },
            days,
        }
    })
}

impl Date {
    /// A day of 2026 and after.
    fn from_number(n: i64) -> Self {
        let first: Date = "2026-01-01".parse().expect("a date");
        let day = chrono::NaiveDate::default() + chrono::Duration::days(first.day() + n);
        day.to_string().parse().expect("a date")
    }
}

fn instants() -> impl Strategy<Value = i64> {
    let first = at("2026-01-01 00:00");
    (0_i64..400 * DAY_MS).prop_map(move |ms| first + ms)
}

fn working_limits() -> impl Strategy<Value = (u32, Limit)> {
    prop_oneof![
        (1_u32..100).prop_map(|n| (n, Limit::WorkingHours(n))),
        (1_u32..20).prop_map(|n| (n, Limit::WorkingDays(n))),
    ]
}

proptest! {
    #[test]
    fn what_passed_until_it_is_due_is_the_limit(
        calendar in calendars(), start in instants(), (_, limit) in working_limits(),
    ) {
        prop_assert_eq!(check(&calendar), Ok(()));
        let due = calendar.due(start, limit);
        prop_assert_eq!(calendar.elapsed_ms(start, due, limit), calendar.length_ms(limit));
        prop_assert!(
            calendar.elapsed_ms(start, due - 1, limit) < calendar.length_ms(limit),
            "not a millisecond earlier"
        );
    }

    #[test]
    fn who_begins_later_is_not_due_earlier(
        calendar in calendars(), one in instants(), other in instants(), (_, limit) in working_limits(),
    ) {
        let (first, second) = (one.min(other), one.max(other));
        prop_assert!(calendar.due(first, limit) <= calendar.due(second, limit));
    }

    #[test]
    fn limits_add_up(
        calendar in calendars(), start in instants(), a in 1_u32..50, b in 1_u32..50, days in any::<bool>(),
    ) {
        let of = |n| if days { Limit::WorkingDays(n) } else { Limit::WorkingHours(n) };
        let in_two = calendar.due(calendar.due(start, of(a)), of(b));
        prop_assert_eq!(in_two, calendar.due(start, of(a + b)));
    }

    #[test]
    fn working_time_adds_up(
        calendar in calendars(), mut times in proptest::collection::vec(instants(), 3),
    ) {
        times.sort_unstable();
        let parts = calendar.working_ms(times[0], times[1]) + calendar.working_ms(times[1], times[2]);
        prop_assert_eq!(calendar.working_ms(times[0], times[2]), parts);
        prop_assert!(parts <= times[2] - times[0]);
    }
}
