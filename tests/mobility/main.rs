//! The npm package `mobility-toolbox-js`, the real client of the live-map dialect, against the program
//! over a real Redis: in Node, and on a map in a real browser.

#![allow(clippy::indexing_slicing, reason = "indexing a JSON value does not panic")]

mod map;
mod node;
mod site;
mod stage;
