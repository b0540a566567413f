//! A module imports only from the layers below its own. The picture is in `CONTRIBUTING.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// From the bottom to the top; a module named here stands for everything in it.
const LAYERS: &[&[&str]] = &[
    &["brief", "close_code", "config", "counters"],
    &["error", "negotiated"],
    &["frame"],
    &["event", "output"],
    &["handshake"],
    &["message"],
    &["connection", "deadlines"],
    &["io::driver", "io::error", "io"],
    &["io::blocking", "io::asynchronous"],
    &["io::tokio", "io::futures"],
];

#[test]
fn modules_import_from_below() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let root = root_names(&fs::read_to_string(src.join("lib.rs")).unwrap());
    let mut files = Vec::new();
    collect(&src, &mut files);
    let mut imports = 0;
    for file in files.iter().filter(|file| **file != src.join("lib.rs")) {
        let module = module_of(file.strip_prefix(&src).unwrap());
        let text = fs::read_to_string(file).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for import in imports_of(text) {
            let first = import.split("::").next().unwrap();
            let import = root.get(first).unwrap_or(&import);
            let (own, other) = (layer(&module), layer(import));
            let inside = top(&module) == top(import) && (top(&module) != "io" || other <= own);
            assert!(other < own || inside, "{module} (layer {own}) imports {import} ({other})");
            let seam = ["handshake", "connection"];
            assert!(
                top(&module) == top(import)
                    || !(seam.contains(&top(&module)) && seam.contains(&top(import))),
                "{module} imports {import}: only the application joins the two"
            );
            imports += 1;
        }
    }
    assert!(imports > 50, "only {imports} imports were found");
}

/// What `lib.rs` re-exports: name to path.
fn root_names(lib: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for statement in lib.split("pub use ").skip(1) {
        let statement: String = statement.split(';').next().unwrap().split_whitespace().collect();
        for path in expand(&statement) {
            let name = path.rsplit("::").next().unwrap().to_owned();
            names.insert(name, path);
        }
    }
    names
}

fn imports_of(text: &str) -> Vec<String> {
    let uses = text.split("use crate::").skip(1).map(|rest| rest.split(';').next().unwrap());
    uses.flat_map(|tree| expand(&tree.split_whitespace().collect::<String>())).collect()
}

/// `a::{b, c::d}` as `a::b`, `a::c::d`.
fn expand(tree: &str) -> Vec<String> {
    let Some((head, rest)) = tree.split_once('{') else { return vec![tree.to_owned()] };
    let body = rest.strip_suffix('}').unwrap_or(rest);
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (index, character) in body.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&body[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&body[start..]);
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.flat_map(expand).map(|part| format!("{head}{part}")).collect()
}

fn module_of(file: &Path) -> String {
    let path = file.with_extension("").to_string_lossy().replace('/', "::");
    path.strip_suffix("::mod").unwrap_or(&path).to_owned()
}

fn top(path: &str) -> &str {
    path.split("::").next().unwrap()
}

/// The layer of the longest entry that the path begins with.
fn layer(path: &str) -> usize {
    let entries = LAYERS.iter().enumerate();
    let entries = entries.flat_map(|(index, names)| names.iter().map(move |name| (index, *name)));
    let found = entries
        .filter(|(_, name)| path == *name || path.starts_with(&format!("{name}::")))
        .max_by_key(|(_, name)| name.len());
    found.unwrap_or_else(|| panic!("{path} is in no layer")).0
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
