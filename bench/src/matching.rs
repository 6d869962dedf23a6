use redwire_protocol::{Bounds, Boxes};

use crate::cpu::{least, nanoseconds};
use crate::crs::Crs;
use crate::scene::{Scene, extent};
use crate::structures::{Ordered, Structure, Tree};
use crate::table::{Table, figure};

const ROUNDS: usize = 9;
const MESSAGES: usize = 200;
const UPDATES: usize = 200;

/// What a message costs that is compared with the boxes of many viewers, and a viewer that moves.
pub(crate) fn run() -> Table {
    let mut table = Table::new(&[
        "viewers",
        "message",
        "hits",
        "`Boxes`",
        "array, `if`",
        "rstar",
        "ordered",
        "array / `Boxes`",
        "`Boxes`, a hit",
        "move: `Boxes`",
        "rstar",
    ]);
    for scene in [Scene::switzerland, Scene::world] {
        for viewers in [1_000, 10_000, 100_000] {
            for (kind, vertices) in [("point", 1), ("line", 10)] {
                let trial = Trial::new(scene(), viewers, vertices);
                table.row(trial.measure(kind));
            }
        }
    }
    table
}

struct Trial {
    scene: &'static str,
    boxes: Vec<Bounds>,
    messages: Vec<Bounds>,
    moves: Vec<(usize, Bounds)>,
}

impl Trial {
    fn new(mut scene: Scene, viewers: usize, vertices: usize) -> Self {
        let crs = Crs::Mercator;
        let mut rng = fastrand::Rng::with_seed(2);
        Self {
            scene: scene.name,
            boxes: (0..viewers).map(|_| scene.view().bounds(&crs)).collect(),
            messages: (0..MESSAGES).map(|_| extent(&scene.line(vertices), &crs)).collect(),
            moves: (0..UPDATES)
                .map(|_| (rng.usize(0..viewers), scene.view().bounds(&crs)))
                .collect(),
        }
    }

    fn measure(&self, kind: &str) -> Vec<String> {
        let mut structures: [Box<dyn Structure>; 4] = [
            Box::new(Boxes::of(&self.boxes)),
            Box::new(Vec::of(&self.boxes)),
            Box::new(Tree::of(&self.boxes)),
            Box::new(Ordered::of(&self.boxes)),
        ];
        let hits = self.find(&*structures[0]) as f64;
        let [boxes, array, tree, ordered] = &structures;
        let found = least(
            ROUNDS,
            [
                &mut || _ = self.find(&**boxes),
                &mut || _ = self.find(&**array),
                &mut || _ = self.find(&**tree),
                &mut || _ = self.find(&**ordered),
            ],
        );
        let [boxes, _, tree, _] = &mut structures;
        let moved = least(
            ROUNDS,
            [&mut || self.move_all(&mut **boxes), &mut || self.move_all(&mut **tree)],
        );
        let a_message = found.map(|total| nanoseconds(total, MESSAGES as f64));
        let a_move = moved.map(|total| figure(nanoseconds(total, UPDATES as f64)));
        let [boxes, array, ..] = a_message;
        let viewers = format!("{}, {}", self.scene, figure(self.boxes.len() as f64));
        let hits = hits / MESSAGES as f64;
        [viewers, kind.into(), figure(hits)]
            .into_iter()
            .chain(a_message.map(figure))
            .chain([figure(array / boxes), figure(boxes / hits)])
            .chain(a_move)
            .collect()
    }

    /// Compares all messages; how many hits they have.
    fn find(&self, structure: &dyn Structure) -> usize {
        let mut found = Vec::with_capacity(self.boxes.len());
        let hits = self.messages.iter().map(|message| {
            found.clear();
            structure.touching(message, &mut found);
            std::hint::black_box(&found).len()
        });
        hits.sum()
    }

    fn move_all(&self, structure: &mut dyn Structure) {
        self.moves.iter().for_each(|(place, bounds)| structure.set(*place, bounds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_structures_find_the_same_boxes_also_after_moves() {
        for scene in [Scene::switzerland(), Scene::world()] {
            let mut trial = Trial::new(scene, 1_000, 10);
            let mut structures: [Box<dyn Structure>; 4] = [
                Box::new(Vec::of(&trial.boxes)),
                Box::new(Boxes::of(&trial.boxes)),
                Box::new(Tree::of(&trial.boxes)),
                Box::new(Ordered::of(&trial.boxes)),
            ];
            for structure in &mut structures {
                trial.move_all(&mut **structure);
            }
            for (place, bounds) in &trial.moves {
                trial.boxes[*place] = *bounds;
            }
            assert!(trial.find(&*structures[0]) > trial.messages.len());
            for message in &trial.messages {
                let [expected, found @ ..] = structures.each_ref().map(|structure| {
                    let mut found = Vec::new();
                    structure.touching(message, &mut found);
                    // Single precision may find one that is just outside.
                    found.retain(|&place| trial.boxes[place].touch(message));
                    found.sort_unstable();
                    found
                });
                assert!(found.iter().all(|found| *found == expected));
            }
        }
    }
}
