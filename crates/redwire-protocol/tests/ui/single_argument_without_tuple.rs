//! One argument that is not in a tuple.

use redwire_protocol::{CommandSet, Commands, Context, HandlerBase, Result};

#[derive(Clone)]
struct Near;

impl<H: HandlerBase> CommandSet<H> for Near {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("NEAR lon", Self::near);
    }
}

impl Near {
    async fn near<H>(&mut self, _: &mut Context<H>, lon: f64) -> Result<()> {
        println!("{lon}");
        Ok(())
    }
}

fn main() {}
