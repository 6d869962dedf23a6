use std::sync::Arc;

use futures_util::future::join_all;
use redis::{Cmd, Pipeline, Value};

use super::topology::Member;
use super::trip::{Stop, Trip};
use super::trouble::Trouble;
use super::{Cluster, DATABASE, keys};
use crate::catalogue::name_of;
use crate::node::Batch;
use crate::{Error, Outcome};

/// What one node gets in one write: the places of commands, and whether it was named by `ASK`.
struct Share {
    member: Arc<Member>,
    places: Vec<(usize, bool)>,
}

impl Cluster {
    /// A reply for each command, in order. Each node gets its commands in one write; those that it sends
    /// elsewhere are sent there together, in order.
    ///
    /// What breaks one node's connection fails them all.
    pub(crate) async fn replies(&self, batch: Batch<'_>) -> Result<Vec<Value>, Error> {
        let commands: Vec<&Cmd> = batch.pipeline.cmd_iter().collect();
        let mut trip = self.trip(batch.name);
        let mut replies = vec![Value::Nil; commands.len()];
        let mut open: Vec<(usize, Stop)> =
            (0..commands.len()).map(|place| (place, Stop::default())).collect();
        let mut answered = false;
        loop {
            let shares = shares(&trip, &commands, &open).await;
            let shares = match shares {
                Ok(shares) => shares,
                Err(error) => {
                    return Err(self.of_a_part(trip.verdict(error), batch.name, answered));
                }
            };
            let sent =
                shares.iter().map(|share| trip.within(&share.member, share.send(batch, &commands)));
            let outcomes = join_all(sent).await;
            open.clear();
            let (mut failure, mut is_final) = (None, false);
            for (share, outcome) in shares.into_iter().zip(outcomes) {
                self.watch_out(&outcome);
                let endpoint = &share.member.endpoint;
                match outcome {
                    Ok(values) => {
                        answered = true;
                        for ((place, _), value) in share.places.into_iter().zip(values) {
                            if let Some(trouble) = Trouble::in_reply(&value, endpoint) {
                                open.push((place, trip.heed(trouble)));
                            }
                            if let Some(reply) = replies.get_mut(place) {
                                *reply = value;
                            }
                        }
                    }
                    Err(error) => {
                        match Trouble::in_error(&error, batch.repeatable) {
                            Some(trouble) => {
                                let stop = trip.heed(trouble);
                                let places = share.places.into_iter();
                                open.extend(places.map(|(place, _)| (place, stop.clone())));
                            }
                            None => is_final = true,
                        }
                        trip.failed(&error);
                        failure = Some(error);
                    }
                }
            }
            if is_final || open.is_empty() || !trip.go_on().await {
                let failure =
                    failure.map(|error| self.of_a_part(trip.verdict(error), batch.name, answered));
                let wanted = replies.into_iter().skip(batch.skip).take(batch.count);
                return failure.map_or_else(|| Ok(wanted.collect()), Err);
            }
            open.sort_by_key(|(place, _)| *place);
        }
    }

    /// What one node did not get, others may have carried out.
    fn of_a_part(&self, error: Error, name: &str, answered: bool) -> Error {
        match error.outcome() {
            Outcome::NotSent if answered => {
                Error::Lost { endpoint: self.label(), command: name.to_owned() }
            }
            _ => error,
        }
    }
}

/// Who gets which of the commands that are still open. What has no key goes along with what has.
async fn shares(
    trip: &Trip<'_>,
    commands: &[&Cmd],
    open: &[(usize, Stop)],
) -> Result<Vec<Share>, Error> {
    let mut shares: Vec<Share> = Vec::new();
    let slots = open.iter().map(|(place, _)| {
        commands.get(*place).and_then(|command| keys::slot_of(&name_of(command), command))
    });
    let slots: Vec<Option<u16>> = slots.collect();
    let any = slots.iter().find_map(|slot| *slot);
    for ((place, stop), slot) in open.iter().zip(slots) {
        let member = trip.member(stop, slot.or(any)).await?;
        match shares.iter_mut().find(|share| Arc::ptr_eq(&share.member, &member)) {
            Some(share) => share.places.push((*place, stop.asking)),
            None => shares.push(Share { member, places: vec![(*place, stop.asking)] }),
        }
    }
    Ok(shares)
}

impl Share {
    /// A reply for each of its places.
    async fn send(&self, batch: Batch<'_>, commands: &[&Cmd]) -> Result<Vec<Value>, Error> {
        let mut pipeline = Pipeline::with_capacity(self.places.len());
        let mut is_wanted = Vec::new();
        for (place, asking) in &self.places {
            if *asking {
                pipeline.cmd("ASKING");
                is_wanted.push(false);
            }
            if let Some(command) = commands.get(*place) {
                pipeline.add_command((*command).clone());
                is_wanted.push(true);
            }
        }
        let lane = self.member.node.lane(DATABASE, batch.name)?;
        let batch = Batch { pipeline: &pipeline, skip: 0, count: is_wanted.len(), ..batch };
        let replies = lane.batch(batch).await?;
        let wanted = replies.into_iter().zip(is_wanted);
        Ok(wanted.filter_map(|(reply, is_wanted)| is_wanted.then_some(reply)).collect())
    }
}
