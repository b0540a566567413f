//! Replays what the fuzzer starts from, and what it has found, on any toolchain: the seeds, the
//! inputs in `fuzz/regressions`, and the local corpus where there is one.
#![cfg(feature = "std")]

use std::collections::BTreeMap;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

#[allow(dead_code, unreachable_pub, reason = "the fuzz targets use all of it")]
#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use fuzz::seeds::Seed;
use fuzz::targets;

#[test]
fn seeds() {
    let mut seeds: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for Seed { target, name, input } in fuzz::seeds::seeds() {
        seeds.entry(target).or_default().push((name, input));
    }
    let names: Vec<_> = targets::ALL.iter().map(|(name, _)| *name).collect();
    assert!(names.iter().all(|name| seeds.contains_key(name)), "{names:?} have seeds");
    for (name, target) in targets::ALL {
        assert!(seeds[name].len() >= 5, "{name} has seeds");
        replay(name, *target, &seeds[name]);
    }
}

#[test]
fn regressions() {
    replay_files("regressions");
}

#[test]
fn corpus() {
    replay_files("corpus");
}

fn replay_files(directory: &str) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(directory);
    for (name, target) in targets::ALL {
        let Ok(files) = fs::read_dir(directory.join(name)) else { continue };
        let inputs: Vec<_> = files
            .map(|file| file.expect("a readable directory").path())
            .map(|path| (path.display().to_string(), fs::read(path).expect("a readable file")))
            .collect();
        replay(name, *target, &inputs);
    }
}

/// Says which input it was that failed.
fn replay(name: &str, target: targets::Target, inputs: &[(String, Vec<u8>)]) {
    for (input, bytes) in inputs {
        let result = panic::catch_unwind(AssertUnwindSafe(|| target(bytes)));
        assert!(result.is_ok(), "{name}: {input} ({} bytes)", bytes.len());
    }
}
