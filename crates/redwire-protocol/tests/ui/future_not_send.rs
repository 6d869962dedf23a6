//! A command that holds something of one thread while it waits.

use std::rc::Rc;

use redwire_protocol::{CommandSet, Commands, Context, HandlerBase, Result};

#[derive(Clone)]
struct Near;

impl<H: HandlerBase> CommandSet<H> for Near {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("NEAR", Self::near);
    }
}

impl Near {
    async fn near<H: HandlerBase>(&mut self, context: &mut Context<H>, _: ()) -> Result<()> {
        let name = Rc::new("trains");
        context.subscribe(&name).await?;
        println!("{name}");
        Ok(())
    }
}

fn main() {}
