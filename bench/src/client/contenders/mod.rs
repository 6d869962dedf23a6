mod deadpool;
mod fred;
mod redis_rs;
mod redwire;
mod rustis;

use super::contender::Contender;

pub(crate) const CONTENDERS: [Contender; 6] = [
    Contender::of::<redwire::Redwire>("redwire-client"),
    Contender::of::<redis_rs::Multiplexed>("redis-rs, multiplexed").as_the_measure(),
    Contender::of::<redis_rs::Managed>("redis-rs, `ConnectionManager`"),
    Contender::of::<deadpool::Pooled>("deadpool-redis"),
    Contender::of::<fred::Fred>("fred"),
    Contender::of::<rustis::Rustis>("rustis"),
];
