use crate::{CommandSet, Commands, Context, HandlerBase, Result};

/// `SUB channel_name` and `DEL channel_name`: start and stop delivery of a channel. Neither is
/// answered. `DEL` never deletes anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subscriptions;

impl<H: HandlerBase> CommandSet<H> for Subscriptions {
    const FILTERS: bool = false;

    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("SUB channel_name", Self::sub).command("DEL channel_name", Self::del);
    }
}

impl Subscriptions {
    async fn sub<H: HandlerBase>(
        &mut self,
        context: &mut Context<H>,
        (channel,): (String,),
    ) -> Result<()> {
        context.subscribe(&channel).await
    }

    async fn del<H>(&mut self, context: &mut Context<H>, (channel,): (String,)) -> Result<()> {
        context.unsubscribe(&channel);
        Ok(())
    }
}
