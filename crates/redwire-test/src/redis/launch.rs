use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::resp::FIXTURE_USER;

/// Which server speaks Redis' protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Generation {
    /// `redis-server` on the `PATH`: Debian's.
    #[default]
    Redis,
    /// `valkey-server`, where `scripts/setup` puts it (`target/oracles/bin`), or else on the `PATH`.
    Valkey,
}

impl Generation {
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Valkey => "valkey-server",
        }
    }

    fn executable(self) -> PathBuf {
        let installed = match self {
            Self::Redis => None,
            Self::Valkey => installed("oracles/bin/valkey-server"),
        };
        installed.unwrap_or_else(|| self.program().into())
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Redis => "on Debian: apt-get install redis-server",
            Self::Valkey => "scripts/setup installs it",
        }
    }
}

/// A file below the target directory in which this very test was built.
fn installed(path: &str) -> Option<PathBuf> {
    let own = env::current_exe().ok()?;
    own.ancestors().map(|folder| folder.join(path)).find(|file| file.exists())
}

/// How a server is started, again and again.
#[derive(Debug, Default)]
pub(super) struct Launch {
    pub(super) generation: Generation,
    /// A file that the server may write to, and the arguments that come after all others.
    pub(super) config: Option<PathBuf>,
    pub(super) args: Vec<OsString>,
    pub(super) tls: bool,
}

impl Launch {
    pub(super) fn spawn(&self, port: u16, directory: &Path, socket: &Path, log: File) -> Child {
        let mut command = Command::new(self.generation.executable());
        command.args(&self.config);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        if self.tls {
            command.args(["--port", "0", "--tls-port"]).arg(port.to_string());
        } else {
            command.arg("--port").arg(port.to_string());
        }
        command.arg("--unixsocket").arg(socket).arg("--dir").arg(directory);
        if self.config.is_none() {
            command.args(["--user", FIXTURE_USER, "on", "nopass", "~*", "&*", "+@all"]);
        }
        command.args(&self.args);
        match command.stdin(Stdio::null()).stdout(log).stderr(Stdio::null()).spawn() {
            Ok(process) => process,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("{} was not found; {}", self.generation.program(), self.generation.hint())
            }
            Err(error) => panic!("{} did not start: {error}", self.generation.program()),
        }
    }
}
