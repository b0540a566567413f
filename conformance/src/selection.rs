//! Which cases are run: globs over ids.

use crate::case::{Case, Id};

/// Cases by the globs of their ids: `*` stands for any text, so `6.*` is the whole of section 6.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) wanted: Vec<String>,
    pub(crate) excluded: Vec<String>,
}

impl Selection {
    /// The chosen ones, or the glob that chooses nothing.
    pub(crate) fn choose(&self, cases: Vec<Case>) -> Result<Vec<Case>, String> {
        for glob in self.wanted.iter().chain(&self.excluded) {
            if !cases.iter().any(|case| matches(glob, &case.id)) {
                return Err(format!("no case is called {glob}"));
            }
        }
        let any = |globs: &[String], id: &Id| globs.iter().any(|glob| matches(glob, id));
        let chosen: Vec<Case> = cases
            .into_iter()
            .filter(|case| self.wanted.is_empty() || any(&self.wanted, &case.id))
            .filter(|case| !any(&self.excluded, &case.id))
            .collect();
        if chosen.is_empty() { Err("no case is left to run".to_owned()) } else { Ok(chosen) }
    }
}

fn matches(glob: &str, id: &Id) -> bool {
    let mut parts = glob.split('*');
    let Some(mut rest) = id.as_str().strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at.saturating_add(part.len())..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, id, expected) in [
            ("6.*", "6.4.1", true),
            ("6.*", "16.4", false),
            ("6.4.1", "6.4.1", true),
            ("6.4", "6.4.1", false),
            ("*", "H.1", true),
            ("*.1", "6.4.1", true),
            ("*.1", "6.4.2", false),
            ("12.*.18", "12.3.18", true),
            ("12.*.18", "12.18", false),
            ("*.4.*", "6.4.1", true),
        ] {
            assert_eq!(matches(glob, &Id::new(id)), expected, "{glob} {id}");
        }
    }

    #[test]
    fn what_chooses_nothing_is_an_error() {
        let cases = || vec![Case::new("1.1", "", "", ""), Case::new("1.2", "", "", "")];
        let select = |wanted: &[&str], excluded: &[&str]| Selection {
            wanted: wanted.iter().map(ToString::to_string).collect(),
            excluded: excluded.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(select(&["1.*"], &["1.1"]).choose(cases()).unwrap().len(), 1);
        assert!(select(&["9.9"], &[]).choose(cases()).unwrap_err().contains("9.9"));
        assert!(select(&[], &["*"]).choose(cases()).is_err());
    }
}
