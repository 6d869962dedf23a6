use std::sync::{Arc, Weak};

use super::Sentinels;
use super::answer::switch;
use crate::LinkEvent;
use crate::link::Link;

const SWITCHES: &str = "+switch-master";

/// Follows what one sentinel announces, until its link is closed or dropped.
pub(super) fn spawn(sentinels: &Arc<Sentinels>, link: &Link) {
    let mut feed = link.feed();
    link.subscribe(SWITCHES);
    let sentinels = Arc::downgrade(sentinels);
    tokio::spawn(async move {
        let mut events = Vec::new();
        while feed.recv(&mut events).await {
            events.drain(..).for_each(|event| hear(&sentinels, &event));
        }
    });
}

fn hear(sentinels: &Weak<Sentinels>, event: &LinkEvent) {
    let Some(sentinels) = sentinels.upgrade() else { return };
    match event {
        LinkEvent::Message { payload, .. } => match switch(payload) {
            Some((name, old, new)) if name == sentinels.master => sentinels.switched(old, &new),
            _ => {}
        },
        LinkEvent::Gap { .. } => sentinels.doubt(),
        _ => {}
    }
}
