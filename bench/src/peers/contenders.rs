use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::dialect::Dialect;
use super::load::publisher::Way;
use super::server::Site;
use crate::Result;

/// A server that is measured.
#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) way: Way,
    pub(crate) dialect: Dialect,
    /// What starts it.
    command: fn(&Site, Load) -> Result<Command>,
    /// What has to be there: the workspace has built it, or `scripts/bench-peers` installed it.
    needs: fn(&Site) -> PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    OneAtATime,
    /// The floor writes what came together in one go.
    Saturated,
    /// Who can compress does, for clients who offer it.
    Compressed,
}

/// The one whom all are compared with.
pub(crate) const FLOOR: &str = "floor";

/// redwire with a stack for maps, which keeps the newest state of each feature for who is behind.
pub(crate) const LAYERS: &str = "redwire layers";

/// redwire that keeps what is read.
pub(crate) const CACHE: &str = "redwire cache";

pub(crate) const CONTENDERS: [Contender; 11] = [
    Contender {
        name: FLOOR,
        way: Way::Frames,
        dialect: Dialect::Floor,
        command: |site, load| {
            let mut command = Command::new(site.built.join("redwire-bench"));
            command.arg("floor").arg(site.port.to_string());
            command.args((load == Load::Saturated).then_some("--coalesced"));
            Ok(command)
        },
        needs: |site| site.built.join("redwire-bench"),
    },
    Contender {
        name: "redwire",
        way: Way::Redis,
        dialect: Dialect::Redwire,
        command: |site, load| {
            let mut command = redwire(site);
            command.args((load == Load::Compressed).then_some("--compression"));
            Ok(command)
        },
        needs: |site| site.built.join("redwire"),
    },
    Contender {
        name: CACHE,
        way: Way::Redis,
        dialect: Dialect::Redwire,
        command: |site, _| {
            let mut command = redwire(site);
            command.args(["--cache", "64"]);
            Ok(command)
        },
        needs: |site| site.built.join("redwire"),
    },
    Contender {
        name: LAYERS,
        way: Way::Redis,
        dialect: Dialect::Redwire,
        command: |site, _| Ok(with_ports(site, Command::new(site.built.join("peer-layers")))),
        needs: |site| site.built.join("peer-layers"),
    },
    Contender {
        name: "uWebSockets.js",
        way: Way::Redis,
        dialect: Dialect::Plain,
        command: |site, load| Ok(node(site, "uwebsockets.cjs", load)),
        needs: |site| module(site, "@trufflesuite/uws-js-unofficial"),
    },
    Contender {
        name: "ws",
        way: Way::Redis,
        dialect: Dialect::Plain,
        command: |site, load| Ok(node(site, "ws.cjs", load)),
        needs: |site| module(site, "ws"),
    },
    Contender {
        name: "axum",
        way: Way::Redis,
        dialect: Dialect::Plain,
        command: |site, _| Ok(with_ports(site, Command::new(site.built.join("peer-axum")))),
        needs: |site| site.built.join("peer-axum"),
    },
    Contender {
        name: "socketioxide",
        way: Way::Redis,
        dialect: Dialect::SocketIo,
        command: |site, _| Ok(with_ports(site, Command::new(site.built.join("peer-socketioxide")))),
        needs: |site| site.built.join("peer-socketioxide"),
    },
    Contender {
        name: "nchan",
        way: Way::Http,
        dialect: Dialect::Nchan,
        command: |site, _| {
            let mut command = Command::new("nginx");
            command.arg("-c").arg(filled(site, "nginx.conf")?);
            Ok(command)
        },
        needs: |_| "/usr/lib/nginx/modules/ngx_nchan_module.so".into(),
    },
    Contender {
        name: "webdis",
        way: Way::Redis,
        dialect: Dialect::Webdis,
        command: |site, _| {
            let mut command = Command::new("webdis");
            command.arg(filled(site, "webdis.json")?);
            Ok(command)
        },
        needs: |_| "/usr/bin/webdis".into(),
    },
    Contender {
        name: "the original",
        way: Way::Redis,
        dialect: Dialect::Redwire,
        command: |site, _| {
            let mut command = Command::new(site.installed.join("python/bin/python"));
            command.arg(site.sources.join("python/server.py"));
            Ok(with_ports(site, command))
        },
        needs: |site| site.installed.join("python/bin/python"),
    },
];

impl Contender {
    pub(crate) fn command(&self, site: &Site, load: Load) -> Result<Command> {
        (self.command)(site, load)
    }

    /// What it lacks.
    pub(crate) fn missing(&self, site: &Site) -> Option<PathBuf> {
        Some((self.needs)(site)).filter(|path| !path.exists())
    }
}

fn redwire(site: &Site) -> Command {
    let mut command = Command::new(site.built.join("redwire"));
    command.args(["serve", "--geo", "--max-commands", "1000000"]);
    command.args(["--redis", &format!("redis://127.0.0.1:{}", site.redis)]);
    command.args(["--port", &site.port.to_string()]);
    command
}

fn node(site: &Site, script: &str, load: Load) -> Command {
    let mut command = Command::new("node");
    command.arg(site.sources.join("node").join(script));
    command.env("NODE_PATH", module(site, "")).env("NODE_ENV", "production");
    let mut command = with_ports(site, command);
    command.args((load == Load::Compressed).then_some("--compression"));
    command
}

fn module(site: &Site, name: &str) -> PathBuf {
    site.installed.join("node/node_modules").join(name)
}

fn with_ports(site: &Site, mut command: Command) -> Command {
    command.args([site.port.to_string(), site.redis.to_string()]);
    command
}

/// A file of configuration, with the names in capitals filled in.
fn filled(site: &Site, name: &str) -> Result<PathBuf> {
    let scratch = Path::display(&site.scratch).to_string();
    let text = fs::read_to_string(site.sources.join("etc").join(name))?
        .replace("PORT", &site.port.to_string())
        .replace("REDIS", &site.redis.to_string())
        .replace("SCRATCH", &scratch);
    let path = site.scratch.join(name);
    fs::write(&path, text)?;
    Ok(path)
}
