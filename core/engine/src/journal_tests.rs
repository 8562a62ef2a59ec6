use super::*;
use crate::Key32;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

const PATROL: EntityId = EntityId::from_bytes([3; 16]);
const RUN: RunId = RunId(0x1122_3344_5566_7788);

fn fix(n: u32) -> StoredFix {
    let fix = Fix {
        time_ms: 1_763_769_600_000 + i64::from(n) * 1000,
        position: Position {
            lat: 35.1 + f64::from(n) * 1e-5,
            lon: 118.3,
        },
        accuracy_m: (!n.is_multiple_of(3)).then_some(5.0),
        altitude_m: None,
        speed_mps: n.is_multiple_of(2).then_some(1.25),
        bearing_deg: None,
        mocked: n.is_multiple_of(7),
    };
    StoredFix {
        fix,
        refused: n.is_multiple_of(7).then_some(Refusal::Mocked),
    }
}

fn journal(folder: &Path, keyed: bool) -> Journal {
    let key = keyed.then(|| Key32::new([9; 32]));
    Journal::new(&crate::config::for_tests(folder.join("db"), key))
}

/// Writes calls of these sizes; the length of the file after each.
fn written(folder: &Path, keyed: bool, calls: &[usize]) -> Vec<u64> {
    let mut journal = journal(folder, keyed);
    let mut next = 0;
    let lens = calls.iter().map(|count| {
        let fixes: Vec<_> = (next..).take(*count).map(fix).collect();
        journal.append(PATROL, RUN, next, &fixes).expect("appends");
        next += u32::try_from(*count).expect("small");
        fs::metadata(folder.join("db-journal.gw"))
            .expect("there")
            .len()
    });
    lens.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_torn_tail_is_cut_and_only_the_tail(
        keyed: bool,
        calls in proptest::collection::vec(1_usize..20, 1..12),
        cut: prop::sample::Index,
        flip in proptest::option::of(any::<u8>()),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let ends = written(folder.path(), keyed, &calls);
        let mut bytes = fs::read(folder.path().join("db-journal.gw")).expect("reads");
        let cut = cut.index(bytes.len() + 1);
        bytes.truncate(cut);
        let whole = ends.iter().filter(|end| **end <= cut as u64).count();
        // Garbage where the torn frame went on.
        if let (Some(flip), true) = (flip, cut > HEAD) {
            bytes.extend(std::iter::repeat_n(flip, 100));
        }
        fs::write(folder.path().join("db-journal.gw"), &bytes).expect("writes");
        let recovered = journal(folder.path(), keyed).read().expect("reads");
        let expected: Vec<_> = (0..calls[..whole].iter().sum::<usize>()).map(|n| {
            let n = u32::try_from(n).expect("small");
            (n, fix(n))
        }).collect();
        match recovered {
            None => prop_assert!(cut < HEAD),
            Some(recovered) => {
                prop_assert_eq!(recovered.fixes, expected);
                prop_assert_eq!((recovered.patrol, recovered.run), (PATROL, RUN));
                // Garbage may be a frame whose head was changed.
                prop_assert!(!recovered.damaged || flip.is_some());
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes, None);
        let name = named(PATROL, RUN, false);
        let _ = parse(&[&name, checksum(&[&name]).as_slice(), &bytes].concat(), None);
    }
}

#[test]
fn a_bad_frame_in_the_middle_costs_itself_alone_and_shows() {
    for keyed in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let ends = written(folder.path(), keyed, &[2, 2, 2]);
        let mut bytes = fs::read(folder.path().join("db-journal.gw")).expect("reads");
        bytes[usize::try_from(ends[0]).expect("small") + FRAME_HEAD + 3] ^= 1;
        fs::write(folder.path().join("db-journal.gw"), &bytes).expect("writes");
        let recovered = journal(folder.path(), keyed)
            .read()
            .expect("reads")
            .expect("there");
        assert!(recovered.damaged);
        let ordinals: Vec<_> = recovered.fixes.iter().map(|(n, _)| *n).collect();
        assert_eq!(ordinals, [0, 1, 4, 5]);
    }
}

#[test]
fn nothing_of_a_fix_shows_under_a_key_and_no_nonce_comes_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sealed = journal(folder.path(), true);
    let fixes = [fix(1)];
    sealed.append(PATROL, RUN, 0, &fixes).expect("appends");
    let first = fs::read(folder.path().join("db-journal.gw")).expect("reads");
    let plain = 35.100_01_f64.to_le_bytes();
    assert!(!first.windows(8).any(|window| window == plain));
    sealed.clear().expect("clears");
    sealed.append(PATROL, RUN, 0, &fixes).expect("appends");
    let second = fs::read(folder.path().join("db-journal.gw")).expect("reads");
    assert_ne!(
        first[HEAD..],
        second[HEAD..],
        "the same fix under another nonce"
    );
}

#[test]
fn emptied_it_holds_nothing_and_takes_another_patrol() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plain = journal(folder.path(), false);
    plain.append(PATROL, RUN, 0, &[fix(1)]).expect("appends");
    plain.sync().expect("syncs");
    plain.clear().expect("clears");
    assert_eq!(plain.read().expect("reads"), None);
    let other = EntityId::from_bytes([4; 16]);
    plain.append(other, RUN, 7, &[fix(2)]).expect("appends");
    let recovered = plain.read().expect("reads").expect("there");
    assert_eq!(
        (recovered.patrol, recovered.fixes),
        (other, vec![(7, fix(2))])
    );
}

#[test]
fn a_frame_whose_length_or_count_was_changed_shows_as_damage() {
    for keyed in [false, true] {
        for (at, byte) in [(0, 0xff), (1, 0xff), (3, 1), (12, 1), (14, 0xff)] {
            let folder = tempfile::tempdir().expect("a folder");
            let ends = written(folder.path(), keyed, &[2, 2, 2]);
            let file = folder.path().join("db-journal.gw");
            let mut bytes = fs::read(&file).expect("reads");
            bytes[usize::try_from(ends[0]).expect("small") + at] ^= byte;
            fs::write(&file, &bytes).expect("writes");
            let read = journal(folder.path(), keyed).read().expect("reads");
            let recovered = read.expect("there");
            assert!(recovered.damaged, "{keyed} {at}");
            let ordinals: Vec<_> = recovered.fixes.iter().map(|(n, _)| *n).collect();
            assert_eq!(ordinals[..2], [0, 1]);
        }
    }
}

#[test]
fn a_tail_of_zeros_is_what_a_power_cut_leaves() {
    for keyed in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        written(folder.path(), keyed, &[2, 2]);
        let file = folder.path().join("db-journal.gw");
        let mut bytes = fs::read(&file).expect("reads");
        bytes.resize(bytes.len() + 300, 0);
        fs::write(&file, &bytes).expect("writes");
        let read = journal(folder.path(), keyed).read().expect("reads");
        let recovered = read.expect("there");
        assert_eq!((recovered.fixes.len(), recovered.damaged), (4, false));
    }
}
