//! What goes in comes out, and whatever else comes in does no harm.

use gridwalk_domain::{Fix, Position};
use proptest::prelude::*;

use super::*;
use crate::{Keep, Refusal, quantise_keeping};

fn stored(time_ms: i64, lat: f64, lon: f64) -> StoredFix {
    StoredFix::used(Fix {
        time_ms,
        position: Position { lat, lon },
        accuracy_m: Some(4.0),
        altitude_m: None,
        speed_mps: Some(1.2),
        bearing_deg: None,
        mocked: false,
    })
}

fn walk(count: i64) -> Vec<StoredFix> {
    (0..count)
        .map(|s| {
            let wobble = ((s * 37) % 11 - 5) as f64 * 1e-6;
            stored(
                1_795_219_200_000 + s * 1000,
                35.05 + 1e-5 * s as f64 + wobble,
                118.33,
            )
        })
        .map(|s| StoredFix {
            fix: quantise_keeping(&s.fix, Keep::ALL),
            ..s
        })
        .collect()
}

/// Equal, a coordinate that is not a number too.
fn same(a: &[StoredFix], b: &[StoredFix]) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

#[test]
fn an_empty_chunk_and_one_of_a_single_fix() {
    assert_eq!(decode(&encode(&[]).unwrap()).unwrap(), []);
    let one = walk(1);
    let chunk = encode(&one).unwrap();
    assert_eq!(decode(&chunk).unwrap(), one);
    assert!(chunk.len() < 24, "{}", chunk.len());
}

#[test]
fn the_head_tells_what_is_inside() {
    let head = header(&encode(&walk(100)).unwrap()).unwrap();
    assert_eq!(
        (head.version, head.count, head.time_quantum_ms),
        (VERSION, 100, 1000)
    );
    assert_eq!(
        (head.accuracy, head.speed, head.altitude, head.flags),
        (true, true, false, false)
    );
    let mut odd = walk(3);
    odd[1].fix.time_ms += 7;
    assert_eq!(header(&encode(&odd).unwrap()).unwrap().time_quantum_ms, 1);
    // All of them off the second by as much: still counted in seconds.
    let shifted: Vec<StoredFix> = walk(3)
        .into_iter()
        .map(|s| StoredFix {
            fix: Fix {
                time_ms: s.fix.time_ms + 250,
                ..s.fix
            },
            ..s
        })
        .collect();
    let chunk = encode(&shifted).unwrap();
    assert_eq!(header(&chunk).unwrap().time_quantum_ms, 1000);
    assert_eq!(decode(&chunk).unwrap(), shifted);
}

#[test]
fn a_chunk_of_another_version_is_recognised() {
    let mut chunk = encode(&walk(10)).unwrap();
    chunk[0] = 200;
    assert_eq!(decode(&chunk), Err(ChunkError::UnknownVersion(200)));
    assert_eq!(header(&[9]), Err(ChunkError::UnknownVersion(9)));
}

#[test]
fn too_many_fixes_are_refused() {
    let one = walk(1)[0];
    assert_eq!(
        encode(&vec![one; MAX_FIXES + 1]),
        Err(ChunkError::TooMany(MAX_FIXES + 1))
    );
    let most = vec![one; MAX_FIXES];
    assert_eq!(decode(&encode(&most).unwrap()).unwrap(), most);
}

#[test]
fn every_damaged_byte_is_noticed() {
    let chunk = encode(&walk(200)).unwrap();
    for at in 0..chunk.len() {
        let mut damaged = chunk.clone();
        damaged[at] ^= 0x55;
        assert!(decode(&damaged).is_err(), "byte {at}");
    }
    for length in 0..chunk.len() {
        assert!(decode(&chunk[..length]).is_err(), "cut at {length}");
    }
}

/// What is on phones and servers must stay readable: a change of these bytes,
/// also by another prior, is another version.
#[test]
fn chunks_of_version_1_never_change() {
    let mut full = walk(20);
    for (i, s) in full.iter_mut().enumerate() {
        s.fix.time_ms += (i * i % 7) as i64;
        s.fix.altitude_m = Some(70.0 + (i % 3) as f32);
        s.fix.accuracy_m = (i % 5 != 4).then_some(4.0 + (i / 6) as f32);
        s.fix.mocked = i == 9;
        s.refused = (i % 8 == 3).then_some(Refusal::ALL[i % 8]);
    }
    for (name, fixes) in [("walk", walk(60)), ("full", full)] {
        let chunk = encode(&fixes).unwrap();
        let hex: String = chunk.iter().map(|b| format!("{b:02x}")).collect();
        insta::assert_snapshot!(name, hex);
        assert!(same(&decode(&chunk).unwrap(), &fixes));
    }
    let prior = gridwalk_domain::Sha256::of(include_bytes!("prior.bin"));
    insta::assert_snapshot!("prior", prior.to_string());
}

/// Gives bytes a checksum that fits, so that the decoder itself is reached.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes[0] = VERSION;
    let sum = checksum(&bytes).to_be_bytes();
    bytes[CHECKSUM..CHECKSUM + 2].copy_from_slice(&sum);
    bytes
}

#[test]
fn a_false_count_with_a_right_checksum_is_noticed_or_bounded() {
    let mut chunk = encode(&walk(60)).unwrap();
    chunk[HEAD] = 30;
    assert!(matches!(
        decode(&sealed(chunk.clone())),
        Err(ChunkError::Malformed(_))
    ));
    let mut huge = chunk[..HEAD].to_vec();
    put_varint(&mut huge, u64::MAX);
    huge.extend_from_slice(&chunk[HEAD + 1..]);
    assert!(matches!(
        decode(&sealed(huge)),
        Err(ChunkError::Malformed(_))
    ));
}

fn any_coordinate() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), -180.0..180.0_f64, Just(f64::NAN), Just(0.0)]
}

fn any_stored() -> impl Strategy<Value = StoredFix> {
    let refusal = prop::option::of(prop::sample::select(Refusal::ALL.to_vec()));
    let time = prop_oneof![
        any::<i64>(),
        0..2_000_000_000_000_i64,
        (0..5000_i64).prop_map(|s| s * 1000)
    ];
    (
        time,
        any_coordinate(),
        any_coordinate(),
        any::<(Option<f32>, Option<f32>, Option<f32>, bool)>(),
        refusal,
    )
        .prop_map(
            |(time_ms, lat, lon, (accuracy_m, altitude_m, speed_mps, mocked), refused)| {
                let position = Position { lat, lon };
                let bearing_deg = None;
                let fix = Fix {
                    time_ms,
                    position,
                    accuracy_m,
                    altitude_m,
                    speed_mps,
                    bearing_deg,
                    mocked,
                };
                StoredFix {
                    fix: quantise_keeping(&fix, Keep::ALL),
                    refused,
                }
            },
        )
}

proptest! {
    #[test]
    fn whatever_goes_in_comes_out(fixes in prop::collection::vec(any_stored(), 0..80)) {
        let chunk = encode(&fixes).unwrap();
        prop_assert!(same(&decode(&chunk).unwrap(), &fixes));
        prop_assert_eq!(header(&chunk).unwrap().count, fixes.len());
    }

    #[test]
    fn likely_ways_come_out_too(
        steps in prop::collection::vec((1..4_i64, -30..30_i32, -30..30_i32, 0..60_i32, 0..30_i32), 1..300),
        ms in prop::sample::select(vec![1000_i64, 250, 1]),
    ) {
        let (mut t, mut lat, mut lon) = (1_795_219_200_000_i64, 35_000_000, 118_000_000);
        let fixes: Vec<StoredFix> = steps.iter().map(|(dt, dlat, dlon, acc, speed)| {
            t += dt * ms; lat += dlat; lon += dlon;
            let mut s = stored(t, f64::from(lat) / 1e6, f64::from(lon) / 1e6);
            s.fix.accuracy_m = (*acc > 5).then_some(*acc as f32);
            s.fix.speed_mps = (*speed > 3).then_some(*speed as f32 / 10.0);
            StoredFix { fix: quantise_keeping(&s.fix, Keep::ALL), ..s }
        }).collect();
        let chunk = encode(&fixes).unwrap();
        prop_assert!(same(&decode(&chunk).unwrap(), &fixes));
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
        if bytes.len() >= HEAD {
            let mut bytes = sealed(bytes);
            let _ = decode(&bytes);
            bytes[KINDS] &= KNOWN;
            let _ = decode(&sealed(bytes));
        }
    }
}
