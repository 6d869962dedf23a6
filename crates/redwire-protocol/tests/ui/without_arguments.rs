//! A command without the parameter for its arguments.

use redwire_protocol::{CommandSet, Commands, Context, HandlerBase, Result};

#[derive(Clone)]
struct Near;

impl<H: HandlerBase> CommandSet<H> for Near {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("NEAR", Self::near);
    }
}

impl Near {
    async fn near<H>(&mut self, _: &mut Context<H>) -> Result<()> {
        Ok(())
    }
}

fn main() {}
