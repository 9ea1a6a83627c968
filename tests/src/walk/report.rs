//! What the walk found.

use std::collections::BTreeMap;
use std::fmt;

/// Counts of one section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many checks were made.
    pub made: usize,
    /// How many of them hold.
    pub held: usize,
}

/// What was checked, by section, and what does not hold.
#[derive(Debug, Default)]
pub struct Report {
    /// Counts by section.
    pub sections: BTreeMap<&'static str, Count>,
    /// What does not hold, one text each.
    pub failures: Vec<String>,
    /// Checks that could not be made, and why.
    pub skipped: Vec<String>,
    /// How many requests were sent.
    pub requests: usize,
}

impl Report {
    /// Counts a check, failed where there are problems.
    pub fn check(&mut self, section: &'static str, name: &str, problems: &[String]) {
        let count = self.sections.entry(section).or_default();
        count.made += 1;
        if problems.is_empty() {
            count.held += 1;
        } else {
            self.failures.push(format!("{section} {name}: {}", problems.join("; ")));
        }
    }

    /// Notes a check that could not be made.
    pub fn skip(&mut self, section: &'static str, name: &str, why: &str) {
        self.skipped.push(format!("{section} {name}: {why}"));
    }

    /// How many checks of a section were made.
    #[must_use]
    pub fn made(&self, section: &str) -> usize {
        self.sections.get(section).map_or(0, |count| count.made)
    }

    /// Ends the test unless everything holds and nothing was left out.
    ///
    /// # Panics
    ///
    /// With all that does not hold.
    pub fn assert_holds(&self) {
        assert!(self.failures.is_empty() && self.skipped.is_empty(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} requests", self.requests)?;
        for (name, count) in &self.sections {
            writeln!(f, "{name:12} {:4} of {:4}", count.held, count.made)?;
        }
        self.failures.iter().try_for_each(|failure| writeln!(f, "FAILED {failure}"))?;
        self.skipped.iter().try_for_each(|skipped| writeln!(f, "skipped {skipped}"))
    }
}
