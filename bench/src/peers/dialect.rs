use super::load::flow::name;
use super::load::script::{Script, masked};

/// What a client says to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Nothing: everybody gets everything.
    Floor,
    /// `SUB`, `GET`, `PING`, after a greeting.
    Redwire,
    /// The same without a greeting.
    Plain,
    /// The channel is in the path.
    Nchan,
    /// Redis' commands, as lists.
    Webdis,
    /// Events of Socket.IO, which is silent until somebody says `40`.
    SocketIo,
}

impl Dialect {
    /// Subscribes to these channels. Who has come to its end has subscribed, as far as the server tells.
    pub(crate) fn subscribe(self, channels: impl IntoIterator<Item = u32>) -> Script {
        let channels = channels.into_iter().map(name);
        match self {
            Self::Floor => Script::open("/"),
            Self::Redwire | Self::Plain => {
                let script = self.connect();
                let commands = channels.map(|channel| format!("SUB {channel}"));
                commands.fold(script, |script, line| script.send(&line)).send("PING").wait(1)
            }
            // Several channels are one, whose name has all of theirs.
            Self::Nchan => {
                Script::open(&format!("/subscribe/{}", channels.collect::<Vec<_>>().join(",")))
            }
            Self::Webdis => {
                let names: Vec<_> = channels.map(|channel| format!(r#""{channel}""#)).collect();
                let line = format!(r#"["SUBSCRIBE",{}]"#, names.join(","));
                Script::open("/.json").send(&line).wait(names.len() as u32)
            }
            Self::SocketIo => channels.fold(self.connect(), |script, channel| {
                script.send(&format!(r#"42["SUB","{channel}"]"#)).wait(1)
            }),
        }
    }

    /// Only connects.
    pub(crate) fn connect(self) -> Script {
        match self {
            Self::Floor | Self::Plain | Self::Nchan => Script::open("/"),
            Self::Redwire => Script::open("/").wait(1),
            Self::Webdis => Script::open("/.json"),
            Self::SocketIo => {
                Script::open("/socket.io/?EIO=4&transport=websocket").wait(1).send("40").wait(2)
            }
        }
    }

    pub(crate) fn has_channels(self) -> bool {
        self != Self::Floor
    }

    /// Subscribes to a channel, and asks for a field of the hash of that name.
    pub(crate) fn come_back(self, channel: u32, field: u32) -> Option<Script> {
        let key = name(channel);
        match self {
            Self::Redwire | Self::Plain => Some(
                self.connect()
                    .send(&format!("SUB {key}"))
                    .send(&format!("GET {key} {field}"))
                    .send("PING")
                    .wait(2),
            ),
            Self::SocketIo => {
                let get = format!(r#"42["GET","{key}","{field}"]"#);
                Some(self.subscribe([channel]).send(&get).wait(1))
            }
            Self::Floor | Self::Nchan | Self::Webdis => None,
        }
    }

    /// The question for a field of a hash, and the number that the answer has; not all can be asked.
    pub(crate) fn get(self, key: &str, field: u32) -> Option<(Vec<u8>, u32)> {
        match self {
            Self::Floor => Some((masked("GET"), 0)),
            Self::Redwire | Self::Plain => Some((masked(&format!("GET {key} {field}")), field)),
            Self::SocketIo => Some((masked(&format!(r#"42["GET","{key}","{field}"]"#)), field)),
            // It closes a WebSocket after its first answer to anything but SUBSCRIBE.
            Self::Webdis | Self::Nchan => None,
        }
    }
}
