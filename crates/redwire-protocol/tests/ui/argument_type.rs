//! An argument of a type that cannot be read from words.

use redwire_protocol::{CommandSet, Commands, Context, HandlerBase, Result};

#[derive(Clone)]
struct Point {
    lon: f64,
    lat: f64,
}

#[derive(Clone)]
struct Near;

impl<H: HandlerBase> CommandSet<H> for Near {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("NEAR point", Self::near);
    }
}

impl Near {
    async fn near<H>(&mut self, _: &mut Context<H>, (point,): (Point,)) -> Result<()> {
        println!("{} {}", point.lon, point.lat);
        Ok(())
    }
}

fn main() {}
