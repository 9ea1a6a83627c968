//! A server of its own for a test, to be stopped and killed.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/postgres");

/// A server. Dropped, it is removed.
#[derive(Debug)]
pub(crate) struct Cluster {
    dir: TempDir,
    /// Where databases can be made.
    pub(crate) url: String,
}

fn script(arguments: &[&str], dir: &Path) -> String {
    let (command, rest) = arguments.split_first().expect("a command");
    let mut script = Command::new(SCRIPT);
    let ran = tokio::task::block_in_place(|| script.arg(command).arg(dir).args(rest).output());
    let ran = ran.expect("the script runs");
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).trim().to_owned()
}

impl Cluster {
    /// Starts a new one.
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().expect("a folder");
        // What is killed is the server, and not the machine: what it wrote is there.
        let url = script(&["start", "fsync=off"], dir.path());
        Self { dir, url }
    }

    /// Starts it again where it was stopped.
    pub(crate) fn start(&self) {
        script(&["start"], self.dir.path());
    }

    /// Stops it: `fast`, `immediate` or `kill`.
    pub(crate) fn stop(&self, how: &str) {
        script(&["stop", how], self.dir.path());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Not asserted: that would abort a test that fails already.
        let _ = Command::new(SCRIPT).arg("remove").arg(self.dir.path()).status();
    }
}
