//! `tests/BEHAVIOURS.md` names each behaviour once, and nothing that is not there.

use std::fs;
use std::path::Path;

/// The ids that the policy has; the numbers between them are not used.
const IDS: &[u32] = &[
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 27, 28, 29,
    30, 31, 32, 33, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54,
    55, 56, 57, 58, 59, 61, 63, 64, 65, 66, 67, 68, 69, 70, 72, 73, 75, 76, 77, 78, 79, 80, 81, 82,
    83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99,
];

#[test]
fn each_behaviour_has_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(root.join("tests/BEHAVIOURS.md")).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| S")).collect();
    let ids: Vec<u32> = rows.iter().map(|row| row[3..5].parse().unwrap()).collect();
    assert_eq!(ids, IDS);
    let mut names = 0;
    for row in rows {
        let columns = row.split('|').map(str::trim).filter(|column| !column.is_empty()).count();
        assert_eq!(columns, 3, "its id, what it is, its tests: {row}");
        let mut source = None;
        for quoted in row.split('`').skip(1).step_by(2) {
            if quoted.ends_with(".rs") {
                source = Some(fs::read_to_string(root.join(quoted)).expect(quoted));
                continue;
            }
            let Some(source) = &source else { continue }; // a word in a sentence
            let named = [
                format!("fn {quoted}("),
                format!("mod {quoted} {{"),
                format!("\"{quoted}\""),
                format!("\n    {quoted}: "), // a case that a macro makes a test of
            ];
            assert!(named.iter().any(|name| source.contains(name)), "{quoted} is gone: {row}");
            names += 1;
        }
        assert!(source.is_some(), "no file: {row}");
    }
    assert!(names > 150, "only {names} names");
}
