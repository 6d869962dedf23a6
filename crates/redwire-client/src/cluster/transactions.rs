use std::sync::Arc;

use redis::{Cmd, Pipeline, Value};

use super::trip::Stop;
use super::trouble::Trouble;
use super::{Cluster, DATABASE, keys};
use crate::Error;
use crate::catalogue::name_of;
use crate::node::Dedicated;

impl Cluster {
    /// A connection of one's own on which this command was the first, and its reply.
    pub(crate) async fn opened(
        &self,
        name: &str,
        command: &Cmd,
    ) -> Result<(Dedicated, Value), Error> {
        let slot = keys::slot_of(name, command);
        let (mut trip, mut stop) = (self.trip(name), Stop::default());
        loop {
            let member = trip.member(&stop, slot).await?;
            let opening = member.node.lane(DATABASE, name)?;
            let outcome = trip.within(&member, opening.opened(name, command)).await;
            self.watch_out(&outcome);
            let trouble = match &outcome {
                Ok((_, reply)) => Trouble::in_reply(reply, &member.endpoint),
                Err(error) => Trouble::in_error(error, true),
            };
            let Some(trouble) = trouble else { return outcome };
            stop = trip.heed(trouble);
            if !trip.go_on().await {
                return outcome;
            }
        }
    }

    /// All replies to a transaction, from `MULTI` to `EXEC`, whose keys must be of one slot. Also the
    /// endpoint of who has sent them.
    pub(crate) async fn together(
        &self,
        name: &str,
        enclosed: &Pipeline,
    ) -> Result<(Arc<str>, Vec<Value>), Error> {
        let slot = common_slot(name, enclosed)?;
        let (mut trip, mut stop) = (self.trip(name), Stop::default());
        loop {
            let member = trip.member(&stop, slot).await?;
            let lane = member.node.lane(DATABASE, name)?;
            // It holds until `EXEC`: within `MULTI` Redis does not forget it.
            let asked = stop.asking.then(|| asking(enclosed));
            let skip = usize::from(stop.asking);
            let sent = asked.as_ref().unwrap_or(enclosed);
            let outcome =
                trip.within(&member, lane.replies(name, sent, skip, enclosed.len())).await;
            self.watch_out(&outcome);
            let trouble = match &outcome {
                Ok(replies) => Trouble::in_transaction(replies, &member.endpoint),
                Err(error) => Trouble::in_error(error, false),
            };
            let outcome = outcome.map(|replies| (lane.link().endpoint(), replies));
            let Some(trouble) = trouble else { return outcome };
            stop = trip.heed(trouble);
            if !trip.go_on().await {
                return outcome;
            }
        }
    }
}

fn asking(enclosed: &Pipeline) -> Pipeline {
    let mut asking = Pipeline::with_capacity(enclosed.len() + 1);
    asking.cmd("ASKING");
    for command in enclosed.cmd_iter() {
        asking.add_command(command.clone());
    }
    asking
}

fn common_slot(name: &str, pipeline: &Pipeline) -> Result<Option<u16>, Error> {
    let mut slots = pipeline.cmd_iter().filter_map(|one| keys::slot_of(&name_of(one), one));
    let first = slots.next();
    if slots.any(|slot| Some(slot) != first) {
        let problem =
            "its keys are in several slots of the cluster; a {tag} in them would join them";
        return Err(Error::Invalid { command: name.to_owned(), problem: problem.into() });
    }
    Ok(first)
}
