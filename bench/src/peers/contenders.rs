use std::path::Path;
use std::process::Command;

use super::load::flow::name;
use super::load::publisher::Way;
use super::load::script::{Script, masked};
use super::server::Site;
use crate::Result;

/// A server that is measured.
#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) way: Way,
    pub(crate) dialect: Dialect,
    /// What starts it; `Saturated` lets the floor write what came together in one go.
    command: fn(&Site, Load) -> Command,
    /// What has to be there: `scripts/bench-peers` installs it.
    needs: fn(&Site) -> Option<std::path::PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    OneAtATime,
    Saturated,
}

/// What a client says to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Nothing.
    Floor,
    /// `SUB`, `GET`, `PING`, after a greeting.
    Redwire,
    /// The same without a greeting.
    Plain,
}

pub(crate) const CONTENDERS: [Contender; 3] = [
    Contender {
        name: FLOOR,
        way: Way::Frames,
        dialect: Dialect::Floor,
        command: |site, load| {
            let mut command = Command::new(site.built.join("redwire-bench"));
            command.arg("floor").arg(site.port.to_string());
            if load == Load::Saturated {
                command.arg("--coalesced");
            }
            command
        },
        needs: |_| None,
    },
    Contender {
        name: "redwire",
        way: Way::Redis,
        dialect: Dialect::Redwire,
        command: |site, _| {
            let mut command = Command::new(site.built.join("redwire"));
            command.args(["serve", "--redis", &format!("redis://127.0.0.1:{}", site.redis)]);
            command.args(["--port", &site.port.to_string(), "--max-commands", "1000000"]);
            command
        },
        needs: |site| Some(site.built.join("redwire")),
    },
    Contender {
        name: "uWebSockets.js",
        way: Way::Redis,
        dialect: Dialect::Plain,
        command: |site, _| node(site, "uwebsockets.cjs"),
        needs: |site| {
            Some(site.installed.join("node/node_modules/@trufflesuite/uws-js-unofficial"))
        },
    },
];

/// The one whom all are compared with.
pub(crate) const FLOOR: &str = "floor";

fn node(site: &Site, script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(site.sources.join("node").join(script));
    command.args([site.port.to_string(), site.redis.to_string()]);
    command.env("NODE_PATH", site.installed.join("node/node_modules"));
    command.env("NODE_ENV", "production");
    command
}

impl Contender {
    pub(crate) fn command(&self, site: &Site, load: Load) -> Command {
        (self.command)(site, load)
    }

    /// What it lacks.
    pub(crate) fn missing(&self, site: &Site) -> Option<String> {
        let path = (self.needs)(site)?;
        (!Path::exists(&path)).then(|| path.display().to_string())
    }
}

impl Dialect {
    /// What a client says that subscribes to this channel.
    pub(crate) fn subscribe(self, channel: u32) -> Script {
        let subscribed = |frames| {
            let script = Script::open("/").send(&format!("SUB {}", name(channel)));
            script.send("PING").wait(frames)
        };
        match self {
            Self::Floor => Script::open("/"),
            Self::Redwire => subscribed(2),
            Self::Plain => subscribed(1),
        }
    }

    /// What a client says that asks for things.
    pub(crate) fn connect(self) -> Script {
        match self {
            Self::Floor => Script::open("/"),
            Self::Redwire => Script::open("/").wait(1),
            Self::Plain => Script::open("/").send("PING").wait(1),
        }
    }

    /// The question for a field of a hash, and the number that the answer has.
    pub(crate) fn get(self, key: &str, field: u32) -> Result<(Vec<u8>, u32)> {
        match self {
            Self::Floor => Ok((masked("GET"), 0)),
            Self::Redwire | Self::Plain => Ok((masked(&format!("GET {key} {field}")), field)),
        }
    }
}
