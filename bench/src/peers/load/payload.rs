use super::stamp::Stamp;
use crate::documents;
use crate::scene::Scene;

/// What messages are made of.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// So many bytes, of which nearly all are the same.
    Padded(usize),
    /// JSON texts of features, which take turns on every channel.
    Features(Vec<String>),
}

impl Payload {
    /// A feature for each of these, whose way has so many vertices.
    pub(crate) fn trajectories(vertices: impl IntoIterator<Item = usize>) -> Self {
        let mut scene = Scene::switzerland();
        let feature =
            |(number, vertices)| documents::trajectory_of(&mut scene, number, vertices).to_string();
        Self::Features((0..).zip(vertices).map(feature).collect())
    }

    /// A message with this stamp.
    pub(crate) fn message(&self, stamp: Stamp) -> Vec<u8> {
        match self {
            Self::Padded(size) => stamp.payload(*size),
            Self::Features(features) => {
                let feature = features.get(stamp.number as usize % features.len());
                stamp.in_object(feature.map_or("{}", String::as_str))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_take_turns_and_have_the_stamp() {
        let payload = Payload::trajectories([10, 20]);
        let messages = [0, 1, 2].map(|number| {
            let stamp = Stamp { sent: 1, number, channel: 7 };
            let message = payload.message(stamp);
            assert_eq!(Stamp::find(&message), Some(stamp));
            serde_json::from_slice::<serde_json::Value>(&message).unwrap()
        });
        let ids = messages.each_ref().map(|message| message.pointer("/properties/train_id"));
        assert!(ids.iter().all(Option::is_some));
        assert_ne!(ids[0], ids[1]);
        assert_eq!(ids[0], ids[2]);
    }
}
