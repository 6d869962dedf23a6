//! A set that cannot be cloned for every connection.

use redwire_protocol::{CommandSet, Commands, Context, HandlerBase, Result};

struct Near;

impl<H: HandlerBase> CommandSet<H> for Near {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("NEAR", Self::near);
    }
}

impl Near {
    async fn near<H>(&mut self, _: &mut Context<H>, _: ()) -> Result<()> {
        Ok(())
    }
}

fn main() {}
