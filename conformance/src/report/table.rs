//! The table at the end: a line a section.

use std::fmt::{self, Write as _};

use super::counts;
use crate::sections::TITLES;
use crate::verdict::Outcome;

/// Displays the counts of all sections that ran.
pub(crate) struct Table<'a>(pub(crate) &'a [Outcome]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![[
            "".into(),
            "section".into(),
            "cases".into(),
            "seconds".into(),
            "behaviour".into(),
            "closing".into(),
        ]];
        for (section, title) in TITLES {
            let members: Vec<&Outcome> =
                self.0.iter().filter(|outcome| outcome.id.section() == section).collect();
            if !members.is_empty() {
                rows.push(row(section, title, &members));
            }
        }
        rows.push(row("", "all", &self.0.iter().collect::<Vec<_>>()));
        let mut widths = [0; 6];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in &rows {
            let mut line = String::new();
            for (n, (cell, width)) in row.iter().zip(widths).enumerate() {
                // Numbers to the right.
                let _ = match n {
                    2 | 3 => write!(line, "{cell:>width$}  "),
                    _ => write!(line, "{cell:<width$}  "),
                };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn row(section: &str, title: &str, members: &[&Outcome]) -> [String; 6] {
    let seconds: f64 = members.iter().map(|outcome| outcome.duration.as_secs_f64()).sum();
    [
        section.to_owned(),
        title.to_owned(),
        members.len().to_string(),
        format!("{seconds:.1}"),
        counts(members.iter().map(|outcome| outcome.verdict.behavior)),
        counts(members.iter().map(|outcome| outcome.verdict.closing)),
    ]
}
