//! The examples as processes.

use std::fs;
use std::process::Command;

/// One of our examples. `cargo test` builds them before it runs a test, but `cargo test --test NAME`
/// alone does not: it must not test the examples of last week.
pub(crate) fn our(example: &str) -> Command {
    // target/PROFILE/deps/TEST-HASH
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples").join(example);
    let built = fs::metadata(&program).and_then(|metadata| metadata.modified());
    // What cargo writes beside it: "program: source source ...", all of the crate's included.
    let sources = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let sources = sources.split_once(": ").map_or("", |(_, sources)| sources.trim_end());
    let is_current = built.is_ok_and(|built| {
        // Spaces within a path are escaped.
        let sources = sources.replace("\\ ", "\0");
        sources.split(' ').all(|source| {
            fs::metadata(source.replace('\0', " "))
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|modified| modified <= built)
        })
    });
    assert!(is_current, "{} is missing or old: cargo build --examples", program.display());
    Command::new(program)
}
