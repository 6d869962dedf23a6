use std::path::{Path, PathBuf};
use std::process::Command;

use redwire_test::{Program, RedisServer};

/// The program `redwire` in the live-map dialect, on a Redis of its own.
pub(crate) struct Stage {
    pub(crate) redis: RedisServer,
    pub(crate) gateway: Program,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let redis = RedisServer::start().await;
        // The page comes from another port than the gateway.
        let args = ["serve", "--live", "--origin", "*"];
        let gateway = Program::start_with(&program("redwire"), &args, Some(&redis)).await;
        Self { redis, gateway }
    }
}

/// A program of the workspace, which the test command builds before this suite.
pub(crate) fn program(name: &str) -> String {
    let program = ancestor(2).join(name);
    assert!(program.exists(), "{program:?} is missing: cargo build --workspace --bins");
    program.to_string_lossy().into_owned()
}

/// What `scripts/setup` has installed from npm.
pub(crate) fn npm() -> PathBuf {
    let npm = ancestor(3).join("npm");
    assert!(npm.join("before").exists(), "{npm:?} is not complete: run scripts/setup");
    npm
}

/// Bundles these files of the repository, with what `scripts/setup` has installed.
pub(crate) fn bundle(entries: &[&str], to: &Path, args: &[&str]) {
    let npm = npm();
    let modules = ["example", "suite"].map(|set| npm.join(set).join("node_modules"));
    let paths = std::env::join_paths(modules).expect("paths without a colon");
    let output = Command::new(npm.join("example/node_modules/.bin/esbuild"))
        .args(entries.iter().map(|entry| root().join(entry)))
        .args(["--bundle", "--log-level=error", &format!("--outdir={}", to.display())])
        .args(args)
        .env("NODE_PATH", paths)
        .output()
        .expect("esbuild");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What lies above this test, which is `target/PROFILE/deps/mobility-…`.
fn ancestor(levels: usize) -> PathBuf {
    let own = std::env::current_exe().expect("the test's own path");
    own.ancestors().nth(levels).expect("a target directory").to_owned()
}
