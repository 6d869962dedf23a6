use crate::{CommandSet, Commands, Context, HandlerBase, Reply, Result};

/// `PING [words...]`: answers `"PONG"`, whatever the words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ping;

impl<H: HandlerBase> CommandSet<H> for Ping {
    const FILTERS: bool = false;

    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("PING [words...]", Self::ping);
    }
}

impl Ping {
    async fn ping<H>(&mut self, _: &mut Context<H>, _: (Vec<String>,)) -> Result<Reply> {
        Ok(Reply::status("PONG"))
    }
}
